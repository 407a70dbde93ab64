"""Somebody is hired, in Python: a temporary password, a device, a policy that allows nothing until the device is shown,
temporary credentials, a lost device, and the last day.

    python people.py --endpoint 127.0.0.1:7443 --credentials reeve-credentials
"""

import argparse
import json
import time
import uuid

import main_job  # which finds the generated modules
from main_job import check, failure, read

import grpc

from reeve.iam.v1 import access_key_pb2, access_key_pb2_grpc, inline_policy_pb2, inline_policy_pb2_grpc
from reeve.iam.v1 import login_profile_pb2, login_profile_pb2_grpc, mfa_device_pb2, mfa_device_pb2_grpc
from reeve.iam.v1 import user_pb2, user_pb2_grpc
from reeve.signin.v1 import sign_in_pb2, sign_in_pb2_grpc
from reeve.sts.v1 import caller_pb2, caller_pb2_grpc, session_token_pb2, session_token_pb2_grpc
from authenticator import Authenticator
from reeve_signer import Credentials, signed_channel

TEMPORARY = "Welcome-2-Reeve"
OWN = "Own-Secret-Words-7"

# AWS's documented policy: one's own device, and nothing else until it is shown.
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:ListAccessKeys", "iam:GetUser",
                       "iam:EnableMFADevice", "iam:ListMFADevices", "iam:ResyncMFADevice"],
            "Resource": "arn:aws:iam::*:user/${aws:username}",
        },
        {"Effect": "Allow", "Action": "iam:CreateVirtualMFADevice", "Resource": "arn:aws:iam::*:mfa/*"},
        {
            "Effect": "Deny",
            "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser",
                          "iam:ListMFADevices", "iam:ResyncMFADevice", "sts:GetSessionToken"],
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        },
    ],
}


class Reeve:
    """What people need of Reeve, called with one set of credentials."""

    def __init__(self, channel, endpoint, credentials):
        signed = signed_channel(channel, endpoint, credentials)
        self.users = user_pb2_grpc.UserServiceStub(signed)
        self.keys = access_key_pb2_grpc.AccessKeyServiceStub(signed)
        self.inline = inline_policy_pb2_grpc.InlinePolicyServiceStub(signed)
        self.profiles = login_profile_pb2_grpc.LoginProfileServiceStub(signed)
        self.devices = mfa_device_pb2_grpc.MFADeviceServiceStub(signed)
        self.caller = caller_pb2_grpc.CallerServiceStub(signed)
        self.tokens = session_token_pb2_grpc.SessionTokenServiceStub(signed)
        self.sign_in = sign_in_pb2_grpc.SignInServiceStub(signed)

    def list_keys(self, name):
        return self.keys.ListAccessKeys(access_key_pb2.ListAccessKeysRequest(user_name=name))

    def who(self):
        return self.caller.GetCallerIdentity(caller_pb2.GetCallerIdentityRequest()).arn


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--endpoint", default="127.0.0.1:7443", help="host and port")
    arguments.add_argument("--credentials", default="reeve-credentials", help="file in AWS's format, profile root")
    arguments = arguments.parse_args()
    with grpc.insecure_channel(arguments.endpoint) as channel:
        run(channel, arguments.endpoint, read(arguments.credentials))
    print("Somebody came and went.")


def run(channel, endpoint, root_credentials):
    def connect(credentials):
        return Reeve(channel, endpoint, credentials)

    # Signing in needs no signature: the channel as it is.
    door = sign_in_pb2_grpc.SignInServiceStub(channel)
    root = connect(root_credentials)
    account = root.caller.GetCallerIdentity(caller_pb2.GetCallerIdentityRequest()).account
    dana = f"dana-{uuid.uuid4().hex[:8]}"

    def sign_in(password, **more):
        request = sign_in_pb2.SignInRequest(account=account, user_name=dana, password=password, **more)
        return door.SignIn(request)

    def session(answer):
        given = answer.credentials
        return connect(Credentials(given.access_key_id, given.secret_access_key, given.session_token))

    def enroll():
        """A device for her, who has none; and the session that shows it."""
        without = session(sign_in(OWN))
        check(failure(lambda: without.list_keys(dana)) == "AccessDenied", "without a device nothing is allowed")
        created = without.devices.CreateVirtualMFADevice(
            mfa_device_pb2.CreateVirtualMFADeviceRequest(virtual_mfa_device_name=dana)
        ).virtual_mfa_device
        device = Authenticator(created.base32_string_seed.decode())
        first, second = device.two_in_a_row()
        without.devices.EnableMFADevice(
            mfa_device_pb2.EnableMFADeviceRequest(
                user_name=dana,
                serial_number=created.serial_number,
                authentication_code1=first,
                authentication_code2=second,
            )
        )
        check(failure(lambda: sign_in(OWN)) == "AccessDenied", "the password alone does not let her in any more")
        shown = session(sign_in(OWN, mfa_code=device.next()))
        shown.list_keys(dana)
        check(True, f"with the device {created.serial_number} she is allowed what is hers")
        return created.serial_number, device, shown

    # The administrator's part.
    root.users.CreateUser(user_pb2.CreateUserRequest(user_name=dana))
    root.inline.PutUserPolicy(
        inline_policy_pb2.PutUserPolicyRequest(
            user_name=dana, policy_name="until-mfa", policy_document=json.dumps(POLICY)
        )
    )
    root.profiles.CreateLoginProfile(
        login_profile_pb2.CreateLoginProfileRequest(
            user_name=dana, password=TEMPORARY, password_reset_required=True
        )
    )

    # The first day.
    check(failure(lambda: sign_in("wrong")) == "AccessDenied", "a wrong password is refused")
    check(failure(lambda: sign_in(TEMPORARY)) == "PasswordResetRequired", "the temporary one must be changed")
    answer = sign_in(TEMPORARY, new_password=OWN)
    check(session(answer).who().endswith(dana), f"and is, by signing in with another: {answer.arn}")
    serial_number, device, shown = enroll()

    # Work: an access key, and a session of it that shows the device.
    key = shown.keys.CreateAccessKey(access_key_pb2.CreateAccessKeyRequest(user_name=dana)).access_key
    by_key = connect(Credentials(key.access_key_id, key.secret_access_key))
    check(failure(lambda: by_key.list_keys(dana)) == "AccessDenied", "her key alone shows no device")
    given = by_key.tokens.GetSessionToken(
        session_token_pb2.GetSessionTokenRequest(serial_number=serial_number, token_code=device.next())
    ).credentials
    worker = connect(Credentials(given.access_key_id, given.secret_access_key, given.session_token))
    listed = worker.list_keys(dana).access_key_metadata
    check(len(listed) == 1, "GetSessionToken with a code gives credentials that show it")

    # The device is lost.
    def take_away(serial_number):
        root.devices.DeactivateMFADevice(
            mfa_device_pb2.DeactivateMFADeviceRequest(user_name=dana, serial_number=serial_number)
        )
        root.devices.DeleteVirtualMFADevice(
            mfa_device_pb2.DeleteVirtualMFADeviceRequest(serial_number=serial_number)
        )

    take_away(serial_number)
    refused = failure(lambda: sign_in(OWN, mfa_code=device.code(time.time())))
    check(refused == "AccessDenied", "a lost device is good for nothing once it is taken away")
    serial_number, device, shown = enroll()
    shown.sign_in.SignOut(sign_in_pb2.SignOutRequest())
    check(failure(shown.who) == "InvalidClientTokenId", "signing out ends a session at once")

    # The last day.
    root.profiles.DeleteLoginProfile(login_profile_pb2.DeleteLoginProfileRequest(user_name=dana))
    root.keys.DeleteAccessKey(
        access_key_pb2.DeleteAccessKeyRequest(user_name=dana, access_key_id=key.access_key_id)
    )
    check(failure(worker.who) == "InvalidClientTokenId", "without the key its session has ended")
    check(failure(lambda: sign_in(OWN)) == "AccessDenied", "without the password there is no other")
    take_away(serial_number)
    root.inline.DeleteUserPolicy(
        inline_policy_pb2.DeleteUserPolicyRequest(user_name=dana, policy_name="until-mfa")
    )
    root.users.DeleteUser(user_pb2.DeleteUserRequest(user_name=dana))


if __name__ == "__main__":
    main()
