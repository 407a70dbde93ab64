"""Somebody is hired, in Python: a temporary password, a device, a policy that allows nothing until the device is shown,
temporary credentials, a lost device, and the last day.

    python people.py --endpoint 127.0.0.1:7443 --credentials reeve-credentials
"""

import pathlib
import time
import uuid

from told import check, failure, tell  # which finds the generated modules

from reeve.iam.v1 import access_key_pb2, inline_policy_pb2, login_profile_pb2, mfa_device_pb2, user_pb2
from reeve.signin.v1 import sign_in_pb2, sign_in_pb2_grpc
from reeve.sts.v1 import session_token_pb2
from authenticator import Authenticator
from reeve_signer import Credentials

TEMPORARY = "Welcome-2-Reeve"
OWN = "Own-Secret-Words-7"

# AWS's documented policy: one's own credentials, and nothing until a device is shown.
POLICY = pathlib.Path(__file__).resolve().parents[2] / "tests" / "stories" / "own_credentials_until_mfa.json"


def run(channel, connect, root):
    # Signing in needs no signature: the channel as it is.
    door = sign_in_pb2_grpc.SignInServiceStub(channel)
    account = root.identity().account
    dana = f"dana-{uuid.uuid4().hex[:8]}"

    def sign_in(password, **more):
        request = sign_in_pb2.SignInRequest(account=account, user_name=dana, password=password, **more)
        return door.SignIn(request)

    def list_keys(reeve):
        return reeve.keys.ListAccessKeys(access_key_pb2.ListAccessKeysRequest(user_name=dana)).access_key_metadata

    def session(answer):
        given = answer.credentials
        return connect(Credentials(given.access_key_id, given.secret_access_key, given.session_token))

    def enroll():
        """A device for her, who has none; and the session that shows it."""
        without = session(sign_in(OWN))
        check(failure(lambda: list_keys(without)) == "AccessDenied", "without a device nothing is allowed")
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
        list_keys(shown)
        check(True, f"with the device {created.serial_number} she is allowed what is hers")
        return created.serial_number, device, shown

    # The administrator's part.
    root.users.CreateUser(user_pb2.CreateUserRequest(user_name=dana))
    root.profiles.CreateLoginProfile(
        login_profile_pb2.CreateLoginProfileRequest(
            user_name=dana, password=TEMPORARY, password_reset_required=True
        )
    )

    # The first day.
    check(failure(lambda: sign_in("wrong")) == "AccessDenied", "a wrong password is refused")
    check(failure(lambda: sign_in(TEMPORARY)) == "PasswordResetRequired", "the temporary one must be changed")
    answer = sign_in(TEMPORARY, new_password=OWN)
    check(session(answer).identity().arn.endswith(dana), f"and is, by signing in with another: {answer.arn}")
    root.inline.PutUserPolicy(
        inline_policy_pb2.PutUserPolicyRequest(
            user_name=dana, policy_name="until-mfa", policy_document=POLICY.read_text()
        )
    )
    serial_number, device, shown = enroll()

    # Work: an access key, and a session of it that shows the device.
    key = shown.keys.CreateAccessKey(access_key_pb2.CreateAccessKeyRequest(user_name=dana)).access_key
    by_key = connect(Credentials(key.access_key_id, key.secret_access_key))
    check(failure(lambda: list_keys(by_key)) == "AccessDenied", "her key alone shows no device")
    given = by_key.tokens.GetSessionToken(
        session_token_pb2.GetSessionTokenRequest(serial_number=serial_number, token_code=device.next())
    ).credentials
    worker = connect(Credentials(given.access_key_id, given.secret_access_key, given.session_token))
    check(len(list_keys(worker)) == 1, "GetSessionToken with a code gives credentials that show it")

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
    check(failure(shown.identity) == "InvalidClientTokenId", "signing out ends a session at once")

    # The last day.
    root.profiles.DeleteLoginProfile(login_profile_pb2.DeleteLoginProfileRequest(user_name=dana))
    root.keys.DeleteAccessKey(
        access_key_pb2.DeleteAccessKeyRequest(user_name=dana, access_key_id=key.access_key_id)
    )
    check(failure(worker.identity) == "InvalidClientTokenId", "without the key its session has ended")
    check(failure(lambda: sign_in(OWN)) == "AccessDenied", "without the password there is no other")
    take_away(serial_number)
    root.inline.DeleteUserPolicy(
        inline_policy_pb2.DeleteUserPolicyRequest(user_name=dana, policy_name="until-mfa")
    )
    root.users.DeleteUser(user_pb2.DeleteUserRequest(user_name=dana))


if __name__ == "__main__":
    tell(run, __doc__, "Somebody came and went.")
