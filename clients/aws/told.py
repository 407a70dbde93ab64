"""What the stories are told with: boto3's clients with one set of credentials, watched, and a few words."""

import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from recorder import Recorder

RECORDER = Recorder()
REGION = "us-east-1"


class Aws:
    """boto3's clients with one set of credentials."""

    def __init__(self, endpoint, key, secret, token=None):
        self.endpoint = endpoint
        session = boto3.Session(key, secret, token, REGION)
        config = Config(retries={"max_attempts": 1})
        client = lambda name: RECORDER.watch(session.client(name, endpoint_url=endpoint, config=config))
        self.iam, self.sts = client("iam"), client("sts")

    def as_user(self, name):
        """A new key of the user's, put to use."""
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return Aws(self.endpoint, key["AccessKeyId"], key["SecretAccessKey"])

    def as_session(self, credentials):
        return Aws(
            self.endpoint, credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"]
        )


def tags(**pairs):
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def policy(actions, resource):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]}


def trust(who, actions="sts:AssumeRole", condition=None):
    statement = {"Effect": "Allow", "Principal": {"AWS": who}, "Action": actions}
    if condition:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


def list_all(client, operation, items, **arguments):
    """What a paginator of boto3 finds, two to a page."""
    pages = client.get_paginator(operation).paginate(**arguments, PaginationConfig={"PageSize": 2})
    return [item for page in pages for item in page[items]]


def delete_keys(iam, user):
    for key in list_all(iam, "list_access_keys", "AccessKeyMetadata", UserName=user):
        iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])


def refused(call):
    """AWS's code and message of a call that must fail."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return "answered", ""


def check(is_so, what):
    print(("ok: " if is_so else "NOT SO: ") + what, flush=True)
    if not is_so:
        sys.exit(1)
