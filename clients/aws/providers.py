"""OpenID Connect providers as boto3 sees them. What a provider's tokens are traded for is told in ../oidc, with a real one."""

import json

from told import check, refused, tags


def providers(root, account):
    """A provider of tokens: made, changed, asked in vain, and gone."""
    iam, url = root.iam, "https://oidc.example.com/tenants/one"
    made = iam.create_open_id_connect_provider(
        Url=url, ClientIDList=["web"], ThumbprintList=["a" * 40], Tags=tags(team="red")
    )
    arn = made["OpenIDConnectProviderArn"]
    check(arn == f"arn:aws:iam::{account}:oidc-provider/oidc.example.com/tenants/one", f"made {arn}")
    listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    check([provider["Arn"] for provider in listed] == [arn], "and listed")
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="ci")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="web")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["b" * 40])
    shown = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    found = shown["Url"], shown["ClientIDList"], shown["ThumbprintList"]
    check(found == ("oidc.example.com/tenants/one", ["ci"], ["b" * 40]), f"shown as it is now: {found}")
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=tags(cost="1"))
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=arn, TagKeys=["team"])
    check(iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)["Tags"] == tags(cost="1"), "with tags")

    shared = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
        },
    }
    create = lambda: iam.create_role(RoleName="ci", AssumeRolePolicyDocument=json.dumps(shared))
    check(refused(create)[0] == "MalformedPolicyDocument", "whoever is at GitHub is not let in")
    trade = dict(RoleArn=f"arn:aws:iam::{account}:role/ci", RoleSessionName="story", WebIdentityToken="no.token.this")
    code, message = refused(lambda: root.sts.assume_role_with_web_identity(**trade))
    check(code == "InvalidIdentityToken", f"what is no token gets nothing: {message}")
    for _ in range(2):
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    code, message = refused(lambda: iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn))
    check(code == "NoSuchEntity", f"deleted, and once more: {message}")
