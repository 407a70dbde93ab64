"""Stories told by boto3: between them they call every operation that AWS has and Reeve has. boto3 knows nothing of Reeve;
each answer is held against botocore's models on its way.

    python stories.py --endpoint http://127.0.0.1:7443 --credentials reeve-credentials --record called.txt
"""

import argparse
import configparser
import json
import pathlib

import federation
import people
import providers
from told import RECORDER, Aws, check, delete_keys, list_all, policy, refused, tags, trust


def users(root, account):
    """A user's life: made with tags, waited for, seen by itself, renamed, emptied and deleted."""
    iam = root.iam
    made = iam.create_user(UserName="ann", Path="/staff/", Tags=tags(team="red", cost="ä é"))["User"]
    check(made["Arn"] == f"arn:aws:iam::{account}:user/staff/ann", f"made {made['Arn']}")
    iam.get_waiter("user_exists").wait(UserName="ann", WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    check(iam.get_user(UserName="ann")["User"] == made, "a user is shown as it was made")

    iam.tag_user(UserName="ann", Tags=tags(Team="blue", owner="ann"))
    pages = iam.get_paginator("list_user_tags").paginate(UserName="ann", PaginationConfig={"PageSize": 1})
    found = [tag["Key"] for page in pages for tag in page["Tags"]]
    check(found == ["Team", "cost", "owner"], f"its tags come page by page: {found}")
    iam.untag_user(UserName="ann", TagKeys=["OWNER", "cost"])

    document = policy("iam:GetUser", "arn:aws:iam::*:user/staff/${aws:username}")
    iam.put_user_policy(UserName="ann", PolicyName="see-oneself", PolicyDocument=json.dumps(document))
    shown = iam.get_user_policy(UserName="ann", PolicyName="see-oneself")
    check(shown["PolicyDocument"] == document, "an inline policy comes back as it was put")
    check(list_all(iam, "list_user_policies", "PolicyNames", UserName="ann") == ["see-oneself"], "and is listed")

    ann = root.as_user("ann")
    key = iam.list_access_keys(UserName="ann")["AccessKeyMetadata"][0]
    check(ann.iam.get_user()["User"]["UserId"] == made["UserId"], "a user without a name is the caller")
    used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
    check(used["UserName"] == "ann", "a key tells whose it is")
    code, message = refused(lambda: ann.iam.list_users())
    expected = (
        f"User: {made['Arn']} is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::{account}:user/ "
        "because no identity-based policy allows the iam:ListUsers action"
    )
    check((code, message) == ("AccessDenied", expected), f"denied in AWS's words: {message}")

    iam.update_user(UserName="ann", NewUserName="anna", NewPath="/")
    check([user["UserName"] for user in list_all(iam, "list_users", "Users", PathPrefix="/")].count("anna") == 1, "renamed")
    iam.update_access_key(UserName="anna", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    check(refused(lambda: ann.iam.get_user())[0] == "InvalidClientTokenId", "an inactive key signs nothing, at once")
    check(refused(lambda: iam.delete_user(UserName="anna"))[0] == "DeleteConflict", "what has keys is not deleted")
    iam.delete_access_key(UserName="anna", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="anna", PolicyName="see-oneself")
    # What Terraform asks before it deletes a user by force.
    check(iam.list_ssh_public_keys(UserName="anna")["SSHPublicKeys"] == [], "no SSH keys")
    check(iam.list_signing_certificates(UserName="anna")["Certificates"] == [], "no certificates")
    check(iam.list_service_specific_credentials(UserName="anna")["ServiceSpecificCredentials"] == [], "no credentials")
    iam.delete_user(UserName="anna")
    check(refused(lambda: iam.get_user(UserName="anna"))[0] == "NoSuchEntity", "deleted")


def groups(root, account):
    """A group with users and policies."""
    iam = root.iam
    iam.create_group(GroupName="crew", Path="/org/")
    names = [f"member-{number}" for number in range(5)]
    for name in names:
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="crew", UserName=name)
    pages = iam.get_paginator("get_group").paginate(GroupName="crew", PaginationConfig={"PageSize": 2})
    found = sorted(user["UserName"] for page in pages for user in page["Users"])
    check(found == names, "a group's users come page by page")
    iam.update_group(GroupName="crew", NewGroupName="Crew", NewPath="/")
    of_user = list_all(iam, "list_groups_for_user", "Groups", UserName="member-0")
    check([group["Arn"] for group in of_user] == [f"arn:aws:iam::{account}:group/Crew"], "a renamed group keeps its users")
    check([group["GroupName"] for group in list_all(iam, "list_groups", "Groups")] == ["Crew"], "and is listed")

    document = policy("iam:ListGroups", "*")
    iam.put_group_policy(GroupName="crew", PolicyName="see", PolicyDocument=json.dumps(document))
    check(iam.get_group_policy(GroupName="crew", PolicyName="see")["PolicyDocument"] == document, "its policy is shown")
    check(list_all(iam, "list_group_policies", "PolicyNames", GroupName="crew") == ["see"], "and listed")
    member = root.as_user("member-0")
    check(len(member.iam.list_groups()["Groups"]) == 1, "a member may what the group may")
    iam.remove_user_from_group(GroupName="crew", UserName="member-0")
    check(refused(member.iam.list_groups)[0] == "AccessDenied", "and not when it has left")
    iam.delete_group_policy(GroupName="crew", PolicyName="see")
    for name in names[1:]:
        iam.remove_user_from_group(GroupName="crew", UserName=name)
    iam.delete_group(GroupName="crew")
    delete_keys(iam, "member-0")
    for name in names:
        iam.delete_user(UserName=name)


def policies(root, account):
    """A managed policy with versions, tags, holders, and whom it bounds."""
    iam = root.iam
    first, second = policy("s3:GetObject", "*"), policy("s3:ListBucket", "arn:aws:s3:::a/*")
    made = iam.create_policy(
        PolicyName="reader", Path="/app/", PolicyDocument=json.dumps(first), Description="reads", Tags=tags(team="red")
    )["Policy"]
    arn = made["Arn"]
    iam.get_waiter("policy_exists").wait(PolicyArn=arn, WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(second))["PolicyVersion"]
    shown = iam.get_policy_version(PolicyArn=arn, VersionId=version["VersionId"])["PolicyVersion"]
    check(shown["Document"] == second and not shown["IsDefaultVersion"], "a version is shown with its document")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    versions = list_all(iam, "list_policy_versions", "Versions", PolicyArn=arn)
    check([version["VersionId"] for version in versions] == ["v2"], "versions come and go")
    iam.tag_policy(PolicyArn=arn, Tags=tags(cost="1"))
    iam.untag_policy(PolicyArn=arn, TagKeys=["team"])
    check(iam.list_policy_tags(PolicyArn=arn)["Tags"] == tags(cost="1"), "and so do tags")

    iam.create_user(UserName="holder", PermissionsBoundary=arn)
    iam.create_group(GroupName="holders")
    iam.create_role(RoleName="holder", AssumeRolePolicyDocument=json.dumps(trust(account)))
    iam.attach_user_policy(UserName="holder", PolicyArn=arn)
    iam.attach_group_policy(GroupName="holders", PolicyArn=arn)
    iam.attach_role_policy(RoleName="holder", PolicyArn=arn)
    of_user = list_all(iam, "list_attached_user_policies", "AttachedPolicies", UserName="holder")
    of_group = list_all(iam, "list_attached_group_policies", "AttachedPolicies", GroupName="holders")
    of_role = list_all(iam, "list_attached_role_policies", "AttachedPolicies", RoleName="holder")
    attached = [{"PolicyName": "reader", "PolicyArn": arn}]
    check(of_user == of_group == of_role == attached, "attached to a user, a group and a role")
    pages = iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn, PaginationConfig={"PageSize": 1})
    found = [len(page["PolicyUsers"]) + len(page["PolicyGroups"]) + len(page["PolicyRoles"]) for page in pages]
    check(found == [1, 1, 1], f"its holders come page by page: {found}")
    listed = list_all(iam, "list_policies", "Policies", Scope="Local", OnlyAttached=True)
    check([policy["AttachmentCount"] for policy in listed] == [3], "and are counted")
    check(iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 1, "whom it bounds, too")
    check(refused(lambda: iam.delete_policy(PolicyArn=arn))[0] == "DeleteConflict", "what is used is not deleted")

    iam.delete_user_permissions_boundary(UserName="holder")
    iam.put_user_permissions_boundary(UserName="holder", PermissionsBoundary=arn)
    bounded = iam.get_user(UserName="holder")["User"]["PermissionsBoundary"]
    check(bounded["PermissionsBoundaryArn"] == arn, "a boundary is taken away and set")
    iam.delete_user_permissions_boundary(UserName="holder")
    iam.detach_user_policy(UserName="holder", PolicyArn=arn)
    iam.detach_group_policy(GroupName="holders", PolicyArn=arn)
    iam.detach_role_policy(RoleName="holder", PolicyArn=arn)
    iam.delete_user(UserName="holder")
    iam.delete_group(GroupName="holders")
    iam.delete_role(RoleName="holder")
    iam.delete_policy(PolicyArn=arn)


def roles(root, account):
    """A role: made, changed, assumed with tags and a session policy, and gone."""
    iam = root.iam
    iam.create_user(UserName="app")
    app = root.as_user("app")
    app_arn = f"arn:aws:iam::{account}:user/app"
    made = iam.create_role(
        RoleName="reader",
        AssumeRolePolicyDocument=json.dumps(trust(account)),
        Description="reads",
        MaxSessionDuration=7200,
        Tags=tags(team="red"),
    )["Role"]
    iam.get_waiter("role_exists").wait(RoleName="reader", WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    check(iam.get_role(RoleName="reader")["Role"] == made, "a role is shown as it was made")
    check([role["RoleName"] for role in list_all(iam, "list_roles", "Roles")] == ["reader"], "and listed")
    iam.update_role(RoleName="reader", Description="writes", MaxSessionDuration=3600)
    iam.update_role_description(RoleName="reader", Description="")
    iam.tag_role(RoleName="reader", Tags=tags(cost="1"))
    iam.untag_role(RoleName="reader", TagKeys=["team"])
    check(iam.list_role_tags(RoleName="reader")["Tags"] == tags(cost="1"), "and changed")
    check(iam.list_instance_profiles_for_role(RoleName="reader")["InstanceProfiles"] == [], "no instance profiles")

    document = policy(["iam:GetRole", "iam:ListRoles"], "*")
    iam.put_role_policy(RoleName="reader", PolicyName="see", PolicyDocument=json.dumps(document))
    check(iam.get_role_policy(RoleName="reader", PolicyName="see")["PolicyDocument"] == document, "its policy is shown")
    check(list_all(iam, "list_role_policies", "PolicyNames", RoleName="reader") == ["see"], "and listed")
    assume = dict(RoleArn=made["Arn"], RoleSessionName="story")
    check(refused(lambda: app.sts.assume_role(**assume))[0] == "AccessDenied", "whoever is not let cannot assume it")
    condition = {"StringEquals": {"sts:ExternalId": "42"}}
    statement = trust(app_arn, ["sts:AssumeRole", "sts:TagSession"], condition)
    iam.update_assume_role_policy(RoleName="reader", PolicyDocument=json.dumps(statement))
    check(iam.get_role(RoleName="reader")["Role"]["AssumeRolePolicyDocument"] == statement, "its trust policy is replaced")
    session = app.sts.assume_role(
        **assume,
        ExternalId="42",
        DurationSeconds=900,
        Tags=tags(team="blue"),
        TransitiveTagKeys=["team"],
        Policy=json.dumps(policy("iam:GetRole", "*")),
    )
    holder = root.as_session(session["Credentials"])
    identity = holder.sts.get_caller_identity()
    check(identity["Arn"] == f"arn:aws:sts::{account}:assumed-role/reader/story", f"assumed: {identity['Arn']}")
    check(holder.iam.get_role(RoleName="reader")["Role"]["RoleId"] == made["RoleId"], "the session policy lets it see")
    code, message = refused(holder.iam.list_roles)
    because = "because no session policy allows the iam:ListRoles action"
    check(code == "AccessDenied" and message.endswith(because), f"and no more: {message}")

    boundary = iam.create_policy(PolicyName="narrow", PolicyDocument=json.dumps(policy("s3:*", "*")))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="reader", PermissionsBoundary=boundary)
    check(refused(lambda: holder.iam.get_role(RoleName="reader"))[0] == "AccessDenied", "a boundary counts at once")
    iam.delete_role_permissions_boundary(RoleName="reader")
    holder.iam.get_role(RoleName="reader")
    iam.delete_policy(PolicyArn=boundary)
    iam.delete_role_policy(RoleName="reader", PolicyName="see")
    iam.delete_role(RoleName="reader")
    check(refused(holder.sts.get_caller_identity)[0] == "InvalidClientTokenId", "a session ends with its role")
    delete_keys(iam, "app")
    iam.delete_user(UserName="app")


def summary(root, account):
    """The account in numbers."""
    numbers = root.iam.get_account_summary()["SummaryMap"]
    check(numbers["UsersQuota"] == 5000 and numbers["AccountAccessKeysPresent"] == 1, "the account is counted")
    check(root.sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{account}:root", "root is root")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--endpoint", required=True)
    arguments.add_argument("--credentials", required=True, help="file in AWS's format, profile root")
    arguments.add_argument("--record", required=True, help="where to append the operations that were called")
    arguments = arguments.parse_args()
    file = configparser.RawConfigParser()
    file.read(arguments.credentials)
    root = Aws(arguments.endpoint, file["root"]["aws_access_key_id"], file["root"]["aws_secret_access_key"])
    account = root.sts.get_caller_identity()["Account"]
    of_people = (people.passwords, people.devices, people.aliases)
    of_others = (providers.providers, federation.outbound)
    for story in (summary, users, groups, policies, roles, *of_people, *of_others):
        print(f"-- {story.__doc__}")
        story(root, account)
    with pathlib.Path(arguments.record).open("a") as record:
        record.writelines(f"boto3 {operation}\n" for operation in sorted(RECORDER.called))
    for fault in RECORDER.faults:
        print(f"NOT SO: {fault}")
    check(not RECORDER.faults, f"{RECORDER.compared} answers lost nothing on their way through botocore")


if __name__ == "__main__":
    main()
