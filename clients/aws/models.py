"""Prints what botocore's service models say of the wire of IAM and STS: of every operation the members of its request and its
response, of every structure its members. `tests/aws/models.txt` is what this printed.

    python models.py > ../../tests/aws/models.txt
"""

import botocore
import botocore.session

# Service, and its version in botocore.
SERVICES = {"iam": "2010-05-08", "sts": "2011-06-15"}


def main():
    print(f"# IAM and STS as botocore {botocore.__version__} describes them, printed by clients/aws/models.py.")
    print("# `!` marks a required member, `[T]` a list of T, `{K: V}` a map.")
    loader = botocore.session.get_session().get_component("data_loader")
    for service, version in SERVICES.items():
        model = loader.load_service_model(service, "service-2", version)
        shapes = model["shapes"]
        used = set()
        print(f"\n[{service}]")
        for name, operation in sorted(model["operations"].items()):
            request = members(shapes, operation.get("input"), used)
            response = members(shapes, operation.get("output"), used)
            print(f"operation {name}({request}) -> ({response})")
        while rest := sorted(name for name in used if not name.startswith("done ")):
            for name in rest:
                used.remove(name)
                if f"done {name}" not in used:
                    used.add(f"done {name}")
                    print(f"structure {name}({members(shapes, {'shape': name}, used)})")


def members(shapes, reference, used):
    if reference is None:
        return ""
    shape = shapes[reference["shape"]]
    required = shape.get("required", [])
    written = []
    for name, member in shape["members"].items():
        # A name of its own on the wire would have to be printed here; IAM and STS have none.
        assert member.get("locationName", name) == name, name
        mark = "!" if name in required else ""
        written.append(f"{name}{mark}: {kind(shapes, member['shape'], used)}")
    return ", ".join(written)


def kind(shapes, name, used):
    shape = shapes[name]
    match shape["type"]:
        case "structure":
            used.add(name)
            return name
        case "list":
            assert shape["member"].get("locationName", "member") == "member" and not shape.get("flattened"), name
            return f"[{kind(shapes, shape['member']['shape'], used)}]"
        case "map":
            key, value = (kind(shapes, shape[part]["shape"], used) for part in ("key", "value"))
            return f"{{{key}: {value}}}"
        case scalar:
            return scalar


if __name__ == "__main__":
    main()
