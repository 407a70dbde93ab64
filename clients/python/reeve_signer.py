"""Signs gRPC calls to Reeve with AWS Signature Version 4. Copy this file into your project; it needs grpcio alone.

    channel = signed_channel(grpc.insecure_channel(target), target, credentials)
    UserServiceStub(channel).GetUser(GetUserRequest())

The message is serialized once, and the bytes that were hashed are the bytes that are sent. A call-credentials plugin
cannot do this: it never sees the message.
"""

import datetime
import hashlib
import hmac
from typing import NamedTuple, Optional

import grpc

ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(NamedTuple):
    """An access key, with its session token when it is a temporary one."""

    access_key_id: str
    secret_access_key: str
    session_token: Optional[str] = None

    def __repr__(self):
        return f"Credentials({self.access_key_id})"


def signed_channel(channel, authority, credentials, region="us-east-1"):
    """The channel as the generated stubs take it, signing every call.

    `authority` is what the channel sends as `:authority`: the host and port of its target, unless the option
    `grpc.default_authority` says otherwise. Signing for other credentials needs no second connection: wrap again.
    """
    return _SignedChannel(channel, authority, credentials, region)


def sign(credentials, region, path, authority, payload, metadata=(), now=None):
    """The metadata that make a call of `path` with the serialized message `payload` a signed one.

    What is in `metadata` already is kept; its `x-amz-*` and `reeve-*` entries are signed, as Reeve demands.
    """
    now = now or datetime.datetime.now(datetime.timezone.utc)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    payload_hash = hashlib.sha256(payload).hexdigest()
    metadata = list(metadata) + [("x-amz-date", stamp), ("x-amz-content-sha256", payload_hash)]
    if credentials.session_token:
        metadata.append(("x-amz-security-token", credentials.session_token))

    # What is signed: the host, and everything that Reeve acts on. Several values of a name are joined by commas.
    signed = {"host": authority}
    for name, value in metadata:
        if name.startswith(("x-amz-", "reeve-")):
            value = " ".join(value.split())
            signed[name] = f"{signed[name]},{value}" if name in signed else value
    names = ";".join(sorted(signed))
    headers = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    canonical = f"POST\n{path}\n\n{headers}\n{names}\n{payload_hash}"

    scope = [stamp[:8], region, _scope_service(path), "aws4_request"]
    to_sign = "\n".join([ALGORITHM, stamp, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + credentials.secret_access_key.encode()
    for part in scope:
        key = _hmac(key, part)
    credential = "/".join([credentials.access_key_id, *scope])
    authorization = (
        f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={_hmac(key, to_sign).hex()}"
    )
    return metadata + [("authorization", authorization)]


def _scope_service(path):
    """`/reeve.iam.v1.UserService/...` is signed for `iam`, `sts` likewise, and the rest for `reeve`."""
    package = path.split(".")[1]
    return package if package in ("iam", "sts") else "reeve"


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class _SignedChannel:
    """What a generated stub asks of its channel. Every operation of Reeve is unary."""

    def __init__(self, channel, authority, credentials, region):
        self._channel = channel
        self._signing = (credentials, region, authority)

    def unary_unary(self, method, request_serializer=None, response_deserializer=None, **options):
        # Without a serializer of its own, the channel sends the bytes that it is given.
        call = self._channel.unary_unary(method, None, response_deserializer, **options)
        return _SignedCall(call, method, request_serializer, self._signing)


class _SignedCall(grpc.UnaryUnaryMultiCallable):
    def __init__(self, call, method, serialize, signing):
        self._call = call
        self._method = method
        self._serialize = serialize
        self._signing = signing

    def __call__(self, request, timeout=None, metadata=None, **options):
        payload, metadata = self._prepare(request, metadata)
        return self._call(payload, timeout, metadata, **options)

    def with_call(self, request, timeout=None, metadata=None, **options):
        payload, metadata = self._prepare(request, metadata)
        return self._call.with_call(payload, timeout, metadata, **options)

    def future(self, request, timeout=None, metadata=None, **options):
        payload, metadata = self._prepare(request, metadata)
        return self._call.future(payload, timeout, metadata, **options)

    def _prepare(self, request, metadata):
        payload = self._serialize(request)
        credentials, region, authority = self._signing
        return payload, sign(credentials, region, self._method, authority, payload, metadata or ())
