"""What the programs here are told with: Reeve's services with one set of credentials, and a few words."""

import argparse
import configparser
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "gen"))

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from reeve.authorization.v1 import authorization_pb2_grpc
from reeve.iam.v1 import access_key_pb2_grpc, attachment_pb2_grpc, group_pb2_grpc, inline_policy_pb2_grpc
from reeve.iam.v1 import login_profile_pb2_grpc, mfa_device_pb2_grpc, policy_pb2_grpc, role_pb2_grpc, user_pb2_grpc
from reeve.signin.v1 import sign_in_pb2_grpc
from reeve.sts.v1 import caller_pb2, caller_pb2_grpc, session_token_pb2_grpc
from reeve.sts.v1 import role_pb2_grpc as sts_role_pb2_grpc
from reeve_signer import Credentials, signed_channel


class Reeve:
    """The services of Reeve, called with one set of credentials over a connection that is shared."""

    def __init__(self, channel, endpoint, credentials):
        signed = signed_channel(channel, endpoint, credentials)
        self.users = user_pb2_grpc.UserServiceStub(signed)
        self.keys = access_key_pb2_grpc.AccessKeyServiceStub(signed)
        self.groups = group_pb2_grpc.GroupServiceStub(signed)
        self.policies = policy_pb2_grpc.PolicyServiceStub(signed)
        self.inline = inline_policy_pb2_grpc.InlinePolicyServiceStub(signed)
        self.attachments = attachment_pb2_grpc.AttachmentServiceStub(signed)
        self.roles = role_pb2_grpc.RoleServiceStub(signed)
        self.profiles = login_profile_pb2_grpc.LoginProfileServiceStub(signed)
        self.devices = mfa_device_pb2_grpc.MFADeviceServiceStub(signed)
        self.sessions = sts_role_pb2_grpc.RoleServiceStub(signed)
        self.tokens = session_token_pb2_grpc.SessionTokenServiceStub(signed)
        self.caller = caller_pb2_grpc.CallerServiceStub(signed)
        self.sign_in = sign_in_pb2_grpc.SignInServiceStub(signed)
        self.authorization = authorization_pb2_grpc.AuthorizationServiceStub(signed)

    def identity(self):
        return self.caller.GetCallerIdentity(caller_pb2.GetCallerIdentityRequest())


def tell(story, description, end):
    """Runs `story(channel, connect, root)` as the command line says: over a connection, with what makes a `Reeve` of
    credentials on it, and the root's. `end` is what is said when all of it was so."""
    arguments = argparse.ArgumentParser(description=description.splitlines()[0])
    arguments.add_argument("--endpoint", default="127.0.0.1:7443", help="host and port")
    arguments.add_argument("--credentials", default="reeve-credentials", help="file in AWS's format, profile root")
    arguments = arguments.parse_args()
    with grpc.insecure_channel(arguments.endpoint) as channel:
        connect = lambda credentials: Reeve(channel, arguments.endpoint, credentials)
        story(channel, connect, connect(read(arguments.credentials)))
    print(end)


def failure(call):
    """AWS's error code of a call that must fail: the reason in its `google.rpc.ErrorInfo`."""
    try:
        call()
    except grpc.RpcError as error:
        for detail in rpc_status.from_call(error).details:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info):
                return info.reason
        return error.code().name
    return "no error"


def read(path):
    """The root credentials, in the format of AWS's tools."""
    file = configparser.RawConfigParser()
    if not file.read(path):
        sys.exit(f"{path} cannot be read")
    return Credentials(file["root"]["aws_access_key_id"], file["root"]["aws_secret_access_key"])


def check(is_so, what):
    print(("ok: " if is_so else "NOT SO: ") + what, flush=True)
    if not is_so:
        sys.exit(1)
