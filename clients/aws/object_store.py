"""The example object store, called with boto3's S3 client: what its users may is Reeve's to say, request by request.

    python object_store.py --reeve http://127.0.0.1:7443 --store http://127.0.0.1:9000 --credentials reeve-credentials
"""

import argparse
import configparser
import json
import sys
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = "reports"
KEY = "inbox/a b+ä/../c.txt"
REGION = "us-east-1"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--reeve", required=True)
    arguments.add_argument("--store", required=True)
    arguments.add_argument("--credentials", required=True, help="file in AWS's format, profile root")
    arguments = arguments.parse_args()
    file = configparser.RawConfigParser()
    file.read(arguments.credentials)
    root = {
        "aws_access_key_id": file["root"]["aws_access_key_id"],
        "aws_secret_access_key": file["root"]["aws_secret_access_key"],
    }
    iam = boto3.client("iam", endpoint_url=arguments.reeve, region_name=REGION, **root)

    def store(credentials):
        # Without being told, boto3 presigns with the signatures that came before version 4.
        config = Config(s3={"addressing_style": "path"}, signature_version="s3v4", retries={"max_attempts": 1})
        return boto3.client("s3", endpoint_url=arguments.store, region_name=REGION, config=config, **credentials)

    writer, writer_key = user(iam, "writer", ["s3:PutObject", "s3:DeleteObject"], f"arn:aws:s3:::{BUCKET}/inbox/*")
    reader, _ = user(iam, "reader", ["s3:GetObject"], f"arn:aws:s3:::{BUCKET}/*")
    prefix = {"StringLike": {"s3:prefix": "inbox/*"}}
    allow(iam, "reader", "list", ["s3:ListBucket"], f"arn:aws:s3:::{BUCKET}", prefix)

    store(writer).put_object(Bucket=BUCKET, Key=KEY, Body=b"figures")
    body = store(reader).get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    check(body == b"figures", "one user writes and another reads")
    listed = store(reader).list_objects_v2(Bucket=BUCKET, Prefix="inbox/")
    check([item["Key"] for item in listed["Contents"]] == [KEY], "and lists what lies under the prefix that it may list")
    check(refused(lambda: store(reader).list_objects_v2(Bucket=BUCKET))[0] == "AccessDenied", "and nothing else")
    code, message = refused(lambda: store(reader).put_object(Bucket=BUCKET, Key=KEY, Body=b"forged"))
    expected = f"is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::{BUCKET}/{KEY}"
    check(code == "AccessDenied" and expected in message, f"it may not write: {message}")
    outside = lambda: store(writer).put_object(Bucket=BUCKET, Key="outbox/a", Body=b"")
    check(refused(outside)[0] == "AccessDenied", "the other may not write elsewhere")

    url = store(reader).generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": KEY}, ExpiresIn=60)
    check(fetch(url) == (200, b"figures"), "a presigned URL serves whoever holds it")
    status, body = fetch(url.replace("inbox", "outbox"))
    check(status == 403 and b"SignatureDoesNotMatch" in body, "and is good for its own object alone")
    status, body = fetch(f"{arguments.store}/{BUCKET}/inbox/a")
    check(status == 403 and b"MissingAuthenticationToken" in body, "without a signature nothing is served")

    wrong = {**reader, "aws_secret_access_key": "wrong"}
    get = lambda credentials: lambda: store(credentials).get_object(Bucket=BUCKET, Key=KEY)
    check(refused(get(wrong))[0] == "SignatureDoesNotMatch", "a wrong secret signs nothing")
    iam.put_user_policy(UserName="reader", PolicyName="work", PolicyDocument=policy(["s3:ListBucket"], "*"))
    check(refused(get(reader))[0] == "AccessDenied", "what is taken away is gone at the very next request")
    iam.delete_access_key(UserName="writer", AccessKeyId=writer_key)
    delete = lambda: store(writer).delete_object(Bucket=BUCKET, Key=KEY)
    check(refused(delete)[0] == "InvalidClientTokenId", "and so is a deleted key")

    role(iam, arguments, reader, store)


def role(iam, arguments, reader, store):
    """A session's policies and tags count at the store."""
    account = boto3.client("sts", endpoint_url=arguments.reeve, region_name=REGION, **reader).get_caller_identity()
    trust = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"AWS": account["Arn"]}, "Action": "sts:AssumeRole"},
    }
    arn = iam.create_role(RoleName="keeper", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    everything = policy(["s3:*"], "*")
    iam.put_role_policy(RoleName="keeper", PolicyName="work", PolicyDocument=everything)
    sts = boto3.client("sts", endpoint_url=arguments.reeve, region_name=REGION, **reader)
    narrowed = policy(["s3:GetObject"], "*")
    given = sts.assume_role(RoleArn=arn, RoleSessionName="night", Policy=narrowed)["Credentials"]
    session = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    body = store(session).get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    check(body == b"figures", "a session reads")
    delete = lambda: store(session).delete_object(Bucket=BUCKET, Key=KEY)
    check(refused(delete)[0] == "AccessDenied", "and may no more than its session policy")


def user(iam, name, actions, resource):
    iam.create_user(UserName=name)
    allow(iam, name, "work", actions, resource)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    credentials = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    return credentials, key["AccessKeyId"]


def allow(iam, name, policy_name, actions, resource, condition=None):
    document = policy(actions, resource, condition)
    iam.put_user_policy(UserName=name, PolicyName=policy_name, PolicyDocument=document)


def policy(actions, resource, condition=None):
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def fetch(url):
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def refused(call):
    """The code and the message of a call that must fail."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return "answered", ""


def check(is_so, what):
    print(("ok: " if is_so else "NOT SO: ") + what, flush=True)
    if not is_so:
        sys.exit(1)


if __name__ == "__main__":
    main()
