"""The main job, in Python: an administrator sets up a user, a group, a policy and a role; the user trades its access key
for a session; a service asks Reeve what the session may do; and taking something away works at once.

    python main_job.py --endpoint 127.0.0.1:7443 --credentials reeve-credentials
"""

import json
import uuid

from told import check, failure, tell  # which finds the generated modules

from reeve.authorization.v1 import authorization_pb2
from reeve.iam.v1 import access_key_pb2, attachment_pb2, group_pb2, inline_policy_pb2, policy_pb2, role_pb2, tag_pb2
from reeve.iam.v1 import user_pb2
from reeve.sts.v1 import role_pb2 as sts_role_pb2
from reeve_signer import Credentials

EXTERNAL_ID = "reports-2026"
OBJECT = "arn:aws:s3:::reports/2026/q1.csv"


def run(_, connect, root):
    # Names of this run's own, so that it can run again on the same server.
    run_id = uuid.uuid4().hex[:8]
    alice, bucketeer, reader = f"alice-{run_id}", f"bucketeer-{run_id}", f"reader-{run_id}"
    account = root.identity().account

    # The administrator sets up who there is.
    user = root.users.CreateUser(user_pb2.CreateUserRequest(user_name=alice)).user
    user_key = new_key(root, alice)
    check(user.arn == f"arn:aws:iam::{account}:user/{alice}", f"created the user {user.arn}, and a key for it")

    root.groups.CreateGroup(group_pb2.CreateGroupRequest(group_name=f"analysts-{run_id}"))
    root.groups.AddUserToGroup(
        group_pb2.AddUserToGroupRequest(group_name=f"analysts-{run_id}", user_name=alice)
    )
    root.inline.PutGroupPolicy(
        inline_policy_pb2.PutGroupPolicyRequest(
            group_name=f"analysts-{run_id}",
            policy_name="see-oneself",
            policy_document=policy("iam:GetUser", "arn:aws:iam::*:user/${aws:username}"),
        )
    )
    as_alice = connect(user_key)
    found = as_alice.users.GetUser(user_pb2.GetUserRequest()).user
    check(found.user_id == user.user_id, "the user's signature is accepted, and its group lets it see itself")
    refused = failure(lambda: as_alice.users.ListUsers(user_pb2.ListUsersRequest()))
    check(refused == "AccessDenied", "it may do nothing else")

    same_team = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    policy_arn = root.policies.CreatePolicy(
        policy_pb2.CreatePolicyRequest(
            policy_name=f"same-team-{run_id}",
            policy_document=policy("s3:GetObject", "arn:aws:s3:::reports/*", Condition=same_team),
        )
    ).policy.arn
    trust = statement(
        ["sts:AssumeRole", "sts:TagSession"],
        Principal={"AWS": user.arn},
        Condition={"StringEquals": {"sts:ExternalId": EXTERNAL_ID}, "StringLike": {"aws:RequestTag/team": "?*"}},
    )
    role = root.roles.CreateRole(
        role_pb2.CreateRoleRequest(role_name=reader, assume_role_policy_document=document(trust))
    ).role
    root.attachments.AttachRolePolicy(
        attachment_pb2.AttachRolePolicyRequest(role_name=reader, policy_arn=policy_arn)
    )
    check(role.arn.endswith(f":role/{reader}"), "created a role that trusts the user with a tag and an external id")

    # The user trades its key for a session.
    for lacking, request in {
        "the external id": assume_role(role.arn, external_id=None),
        "the tag": assume_role(role.arn, team=None),
    }.items():
        refused = failure(lambda request=request: as_alice.sessions.AssumeRole(request))
        check(refused == "AccessDenied", f"without {lacking} the role cannot be assumed")
    session = as_alice.sessions.AssumeRole(assume_role(role.arn)).credentials
    session_key = Credentials(session.access_key_id, session.secret_access_key, session.session_token)
    as_session = connect(session_key)
    identity = as_session.identity()
    check(
        identity.arn == f"arn:aws:sts::{account}:assumed-role/{reader}/q1",
        f"the user holds a session: {identity.arn}",
    )

    # A service asks what the session may do. Asking is a permission of the service's own.
    root.users.CreateUser(user_pb2.CreateUserRequest(user_name=bucketeer))
    root.inline.PutUserPolicy(
        inline_policy_pb2.PutUserPolicyRequest(
            user_name=bucketeer,
            policy_name="ask-about-reports",
            policy_document=policy("reeve:Authorize", "arn:aws:s3:::reports/*"),
        )
    )
    as_service = connect(new_key(root, bucketeer))

    def ask(team):
        question = authorization_pb2.Question(
            action="s3:GetObject",
            resource=OBJECT,
            resource_account=account,
            resource_tags=[tag_pb2.Tag(key="team", value=team)],
            session_token=session_key.session_token,
            access_key_id=session_key.access_key_id,
        )
        request = authorization_pb2.AuthorizeRequest(question=question)
        return as_service.authorization.Authorize(request).decision

    decision = ask("red")
    check(
        decision.allowed and decision.matched_statements[0].source_policy_id == policy_arn,
        f"the object of its team is allowed, by {decision.matched_statements[0].source_policy_id}",
    )
    decision = ask("blue")
    check(
        not decision.allowed and decision.eval_decision == "implicitDeny" and decision.message != "",
        f"the object of another team is denied: {decision.message}",
    )

    # What is taken away is gone at the very next call.
    root.attachments.DetachRolePolicy(
        attachment_pb2.DetachRolePolicyRequest(role_name=reader, policy_arn=policy_arn)
    )
    root.policies.DeletePolicy(policy_pb2.DeletePolicyRequest(policy_arn=policy_arn))
    decision = ask("red")
    check(not decision.allowed, f"the role's policy is deleted: {decision.message}")
    root.keys.DeleteAccessKey(
        access_key_pb2.DeleteAccessKeyRequest(user_name=alice, access_key_id=user_key.access_key_id)
    )
    refused = failure(lambda: as_alice.users.GetUser(user_pb2.GetUserRequest()))
    check(refused == "InvalidClientTokenId", "the access key is deleted: its next call is refused")
    refused = failure(as_session.identity)
    check(refused == "InvalidClientTokenId", "and so is the session that came from it")


def new_key(reeve, user_name):
    request = access_key_pb2.CreateAccessKeyRequest(user_name=user_name)
    key = reeve.keys.CreateAccessKey(request).access_key
    return Credentials(key.access_key_id, key.secret_access_key)


def assume_role(role_arn, external_id=EXTERNAL_ID, team="red"):
    return sts_role_pb2.AssumeRoleRequest(
        role_arn=role_arn,
        role_session_name="q1",
        external_id=external_id,
        tags=[tag_pb2.Tag(key="team", value=team)] if team else [],
    )


def statement(actions, **rest):
    return {"Effect": "Allow", "Action": actions, **rest}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def policy(actions, resource, **rest):
    return document(statement(actions, Resource=resource, **rest))


if __name__ == "__main__":
    tell(run, __doc__, "The main job is done.")
