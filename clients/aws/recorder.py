"""Watches boto3's clients: which operations they called, and whether botocore's models have a place for everything that came
back. botocore leaves out in silence what it does not know; here each element of the XML is looked for in what it made of it."""

import base64
import json
import urllib.parse
import xml.etree.ElementTree as ElementTree

from botocore.utils import parse_timestamp


class Recorder:
    """What the clients that it watches did."""

    def __init__(self):
        self.called = set()
        self.faults = []
        self.compared = 0

    def watch(self, client):
        """Has every answer to the client pass by here; returns the client."""
        client.meta.events.register_last("after-call", self._answered)
        return client

    def _answered(self, http_response, parsed, model, **_):
        service = model.service_model.service_name
        self.called.add(f"{service}:{model.name}")
        at = f"{model.name} {http_response.status_code}"
        if not parsed["ResponseMetadata"].get("RequestId"):
            self.faults.append(f"{at}: no request id")
        if http_response.headers.get("x-amzn-requestid") != parsed["ResponseMetadata"].get("RequestId"):
            self.faults.append(f"{at}: x-amzn-requestid is not the request id of the body")
        if http_response.status_code >= 300:
            if not all(parsed["Error"].get(part) for part in ("Code", "Message", "Type")):
                self.faults.append(f"{at}: the error lacks its code, its message or its type: {parsed}")
            return
        root = ElementTree.fromstring(http_response.content)
        if local(root) != f"{model.name}Response":
            self.faults.append(f"{at}: the answer is a {local(root)}")
        if model.output_shape is None:
            return
        wrapper = model.output_shape.serialization["resultWrapper"]
        result = next((child for child in root if local(child) == wrapper), None)
        if result is None:
            self.faults.append(f"{at}: there is no {wrapper}")
            return
        value = {name: part for name, part in parsed.items() if name != "ResponseMetadata"}
        self._compare(result, model.output_shape, value, model.name)
        self.compared += 1

    def _compare(self, element, shape, value, at):
        compare = getattr(self, f"_compare_{shape.type_name}", None)
        if compare:
            compare(element, shape, value, at)
        elif not equal(element.text or "", shape, value):
            self.faults.append(f"{at}: {element.text!r} became {value!r}")

    def _compare_structure(self, element, shape, value, at):
        members = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        seen = set()
        for child in element:
            if local(child) not in members:
                self.faults.append(f"{at}.{local(child)} has no place in botocore's {shape.name}")
                continue
            name, member = members[local(child)]
            seen.add(name)
            if name not in value:
                self.faults.append(f"{at}.{name} was lost")
            else:
                self._compare(child, member, value[name], f"{at}.{name}")
        for name in value.keys() - seen:
            if value[name] not in ([], {}):
                self.faults.append(f"{at}.{name} came from nowhere")
        for name in set(shape.required_members) - seen:
            self.faults.append(f"{at}.{name} is required, and is not there")

    def _compare_list(self, element, shape, value, at):
        items = list(element)
        if any(local(item) != "member" for item in items) or len(items) != len(value):
            self.faults.append(f"{at}: {len(items)} items became {len(value)}")
            return
        for index, (item, part) in enumerate(zip(items, value)):
            self._compare(item, shape.member, part, f"{at}[{index}]")

    def _compare_map(self, element, shape, value, at):
        entries = {}
        for entry in element:
            parts = {local(part): part.text for part in entry}
            entries[parts.get("key")] = parts.get("value")
        if any(local(entry) != "entry" for entry in element) or {k: str(v) for k, v in value.items()} != entries:
            self.faults.append(f"{at}: {entries} became {value}")


def local(element):
    """The element's name, without its namespace."""
    return element.tag.rsplit("}", 1)[-1]


def equal(text, shape, value):
    match shape.type_name:
        case "timestamp":
            return parse_timestamp(text) == value
        case "integer":
            return int(text) == value
        case "boolean":
            return text in ("true", "false") and (text == "true") == value
        case "blob":
            return base64.b64decode(text) == value
        case _ if shape.name == "policyDocumentType" and not isinstance(value, str):
            # boto3 reads policy documents, which come percent-encoded.
            return json.loads(urllib.parse.unquote(text)) == value
        case _:
            return text == value
