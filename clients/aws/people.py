"""Stories of people: passwords and what they must be like, MFA devices and what their codes are good for, the account's alias."""

import base64
import hashlib
import hmac
import json
import struct
import time

from told import check, delete_keys, list_all, policy, refused, tags, trust

STEP_SECONDS = 30


def passwords(root, account):
    """Passwords of a user, and what passwords must be like."""
    iam = root.iam
    rules = dict(MinimumPasswordLength=12, RequireNumbers=True, AllowUsersToChangePassword=True, PasswordReusePrevention=2)
    iam.update_account_password_policy(**rules)
    shown = iam.get_account_password_policy()["PasswordPolicy"]
    check(all(shown[name] == value for name, value in rules.items()), "the password policy is shown as it was set")
    iam.create_user(UserName="dee")
    first, second, third = "first-Password-1", "second-Password-2", "third-Password-3"
    profile = iam.create_login_profile(UserName="dee", Password=first, PasswordResetRequired=True)["LoginProfile"]
    check(iam.get_login_profile(UserName="dee")["LoginProfile"] == profile, "a password is set, and not shown")
    code, _ = refused(lambda: iam.update_login_profile(UserName="dee", Password="short"))
    check(code == "PasswordPolicyViolation", "one that is not as it must be is refused")
    iam.update_login_profile(UserName="dee", Password=second, PasswordResetRequired=False)
    iam.put_user_policy(
        UserName="dee", PolicyName="own", PolicyDocument=json.dumps(policy("iam:ChangePassword", "*"))
    )
    dee = root.as_user("dee")
    dee.iam.change_password(OldPassword=second, NewPassword=third)
    check(refused(lambda: dee.iam.change_password(OldPassword=second, NewPassword=first))[0] != "answered", "changed")
    iam.delete_login_profile(UserName="dee")
    check(refused(lambda: iam.get_login_profile(UserName="dee"))[0] == "NoSuchEntity", "and taken away")
    iam.delete_account_password_policy()
    check(refused(iam.get_account_password_policy)[0] == "NoSuchEntity", "the policy is taken away")
    iam.delete_user_policy(UserName="dee", PolicyName="own")
    delete_keys(iam, "dee")
    iam.delete_user(UserName="dee")


def devices(root, account):
    """An MFA device, and what a code of it is good for."""
    iam = root.iam
    iam.create_user(UserName="eve")
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone", Tags=tags(team="red"))["VirtualMFADevice"]
    serial, seed = made["SerialNumber"], base64.b32decode(made["Base32StringSeed"])
    check(made["QRCodePNG"].startswith(b"\x89PNG"), f"made {serial}, with a picture of its seed")
    iam.tag_mfa_device(SerialNumber=serial, Tags=tags(cost="1"))
    iam.untag_mfa_device(SerialNumber=serial, TagKeys=["team"])
    check(iam.list_mfa_device_tags(SerialNumber=serial)["Tags"] == tags(cost="1"), "it is tagged")

    step = int(time.time()) // STEP_SECONDS
    pair = lambda second: dict(AuthenticationCode1=totp(seed, second - 1), AuthenticationCode2=totp(seed, second))
    wrong = dict(AuthenticationCode1="000000", AuthenticationCode2="000000")
    enable = dict(UserName="eve", SerialNumber=serial)
    check(refused(lambda: iam.enable_mfa_device(**enable, **wrong))[0] == "InvalidAuthenticationCode", "two codes enable it")
    iam.enable_mfa_device(**enable, **pair(step))
    check([device["SerialNumber"] for device in list_all(iam, "list_mfa_devices", "MFADevices", UserName="eve")] == [serial], "listed")
    assigned = list_all(iam, "list_virtual_mfa_devices", "VirtualMFADevices", AssignmentStatus="Assigned")
    check([device["User"]["UserName"] for device in assigned] == ["eve"], "with whose it is")
    check(iam.get_mfa_device(SerialNumber=serial, UserName="eve")["UserName"] == "eve", "it tells whose it is")
    # A device that is ahead of the clock, so that its next code is another and good now.
    iam.resync_mfa_device(**enable, **pair(step + 4))

    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    eve_arn = f"arn:aws:iam::{account}:user/eve"
    role = iam.create_role(RoleName="careful", AssumeRolePolicyDocument=json.dumps(trust(eve_arn, condition=condition)))
    assume = dict(RoleArn=role["Role"]["Arn"], RoleSessionName="careful")
    eve = root.as_user("eve")
    check(refused(lambda: eve.sts.assume_role(**assume))[0] == "AccessDenied", "without a code the role is not assumed")
    shown = dict(SerialNumber=serial, TokenCode=totp(seed, step + 5))
    eve.sts.assume_role(**assume, **shown)
    check(refused(lambda: eve.sts.assume_role(**assume, **shown))[0] == "AccessDenied", "with one it is, once")

    document = {**policy("iam:GetUser", "*")}
    document["Statement"][0]["Condition"] = condition
    iam.put_user_policy(UserName="eve", PolicyName="careful", PolicyDocument=json.dumps(document))
    check(refused(eve.iam.get_user)[0] == "AccessDenied", "a key alone is no second factor")
    iam.resync_mfa_device(**enable, **pair(step + 8))
    token = eve.sts.get_session_token(DurationSeconds=900, SerialNumber=serial, TokenCode=totp(seed, step + 9))
    session = root.as_session(token["Credentials"])
    check(session.iam.get_user()["User"]["UserName"] == "eve", "a session that was got with a code carries it")
    of_key = root.sts.get_access_key_info(AccessKeyId=token["Credentials"]["AccessKeyId"])
    check(of_key["Account"] == account, "a key tells its account")

    iam.deactivate_mfa_device(**enable)
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    iam.delete_role(RoleName="careful")
    iam.delete_user_policy(UserName="eve", PolicyName="careful")
    delete_keys(iam, "eve")
    iam.delete_user(UserName="eve")


def aliases(root, account):
    """The account's alias."""
    root.iam.create_account_alias(AccountAlias="reeve-story")
    check(root.iam.list_account_aliases()["AccountAliases"] == ["reeve-story"], "the account has an alias")
    root.iam.delete_account_alias(AccountAlias="reeve-story")
    check(root.iam.list_account_aliases()["AccountAliases"] == [], "and then none")


def totp(seed, step):
    """RFC 6238, as every authenticator has it."""
    mac = hmac.new(seed, struct.pack(">Q", step), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
