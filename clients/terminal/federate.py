"""Somebody of one cluster works at another, at a terminal: a token in a file is all that is shown there, and no secret of the
one is stored at the other. Needs Python alone.

    python3 federate.py --reeve target/release/reeve --authority ca.pem \\
        --home 127.0.0.1:7443 home-credentials --there 127.0.0.1:8443 there-credentials
"""

import argparse
import json
import os
import pathlib
import tempfile
import uuid

from terminal import Terminal, check


def terminal_at(arguments, endpoint, home, **variables):
    """`reeve` at one cluster, with nothing in its environment but what is given."""
    environment = {"HOME": str(home), "REEVE_ENDPOINT": f"https://{endpoint}", **variables}
    return Terminal(arguments.reeve, environment, ("--ca-file", os.path.abspath(arguments.authority)))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--reeve", required=True, help="the program")
    arguments.add_argument("--authority", required=True, help="the authority of both clusters' certificates, PEM")
    for cluster in ("--home", "--there"):
        arguments.add_argument(cluster, required=True, nargs=2, metavar=("ENDPOINT", "CREDENTIALS"))
    arguments = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        root = lambda cluster: terminal_at(
            arguments, cluster[0], folder, AWS_SHARED_CREDENTIALS_FILE=os.path.abspath(cluster[1]), AWS_PROFILE="root"
        )
        run(arguments, root(arguments.home), root(arguments.there), folder)
    print("Somebody went from one cluster to the other, with a token and no secret.")


def run(arguments, home, there, folder):
    name = f"ann-{uuid.uuid4().hex[:8]}"
    issuer = home.answer("iam", "enable-outbound-web-identity-federation")["IssuerIdentifier"]
    check(issuer.startswith(f"https://{arguments.home[0]}/"), f"the account is the issuer {issuer}")
    user, ann = somebody(arguments, home, folder, name)
    role, audience = guest(there, issuer, user, name)

    token = folder / "token"
    ask = ["sts", "get-web-identity-token", "--audience", audience, "--signing-algorithm", "ES384"]
    token.write_text(ann.answer(*ask)["WebIdentityToken"] + "\n")
    nobody = terminal_at(arguments, arguments.there[0], folder / "nobody")
    process = ["credentials", "--web-identity-token-file", str(token), "--role", role]
    given = nobody.answer(*process, "--role-session-name", "visit")
    check(given["Version"] == 1 and given["AccessKeyId"].startswith("ASIA"), "a token is traded for credentials")
    check(nobody.answer(*process, "--role-session-name", "visit") == given, "which are kept while they last")
    check(nobody.answer(*process, "--role-session-name", "visit", "--no-cache") != given, "unless they are not wanted")
    status, _, told = nobody.run("credentials", "--web-identity-token-file", str(token), "--role", role, "--tag", "a=b")
    check(status == 252, "a token's session has the tags that the token says")

    # What the AWS SDKs know by the environment, every command knows.
    variables = dict(AWS_WEB_IDENTITY_TOKEN_FILE=str(token), AWS_ROLE_ARN=role, AWS_ROLE_SESSION_NAME="visit")
    visitor = terminal_at(arguments, arguments.there[0], folder / "visitor", **variables)
    who = visitor.answer("sts", "get-caller-identity")["Arn"]
    check(who.endswith(f":assumed-role/{name}/visit"), f"at the other cluster it is {who}")
    check(any(user["UserName"] == name for user in visitor.answer("iam", "list-users")["Users"]), "it does what it may")
    status, _, told = visitor.run("iam", "list-roles")
    check(status == 254 and "AccessDenied" in told, "and nothing else")
    check(visitor.answer("credentials")["Version"] == 1, "credentials needs no more to be said")
    status, _, told = terminal_at(arguments, arguments.there[0], folder, AWS_WEB_IDENTITY_TOKEN_FILE=str(token)).run(
        "iam", "list-users"
    )
    check(status == 253 and "AWS_ROLE_ARN" in told, "a token without a role is told of")

    # A token for others, and none.
    token.write_text(ann.answer(*ask[:3], "https://elsewhere.example.com", *ask[4:])["WebIdentityToken"])
    status, _, told = nobody.run(*process, "--no-cache")
    check(status == 254 and "InvalidIdentityToken" in told, "a token for others is good for nothing")
    token.unlink()
    status, _, told = nobody.run(*process, "--no-cache")
    check(status == 253 and str(token) in told, "and without one there are no credentials")
    home.answer("iam", "disable-outbound-web-identity-federation")
    status, _, told = ann.run(*ask)
    check(status == 254 and "OutboundWebIdentityFederationDisabledException" in told, "disabled, nobody is given one")


def somebody(arguments, home, folder, name):
    """A user who may prove themselves, and their terminal."""
    user = home.answer("iam", "create-user", "--user-name", name)["User"]["Arn"]
    may = policy({"Action": "sts:GetWebIdentityToken", "Resource": "*"})
    home.answer("iam", "put-user-policy", "--user-name", name, "--policy-name", "prove", "--policy-document", may)
    key = home.answer("iam", "create-access-key", "--user-name", name)["AccessKey"]
    variables = dict(AWS_ACCESS_KEY_ID=key["AccessKeyId"], AWS_SECRET_ACCESS_KEY=key["SecretAccessKey"])
    return user, terminal_at(arguments, arguments.home[0], folder / "ann", **variables)


def guest(there, issuer, user, name):
    """A role at the other cluster for exactly that user, and for whom tokens have to be."""
    audience = f"https://{name}.example.com"
    provider = there.answer(
        "iam", "create-open-id-connect-provider", "--url", issuer, "--client-id-list", audience
    )["OpenIDConnectProviderArn"]
    known = issuer.removeprefix("https://")
    trust = policy(
        {
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": provider},
            "Condition": {"StringEquals": {f"{known}:sub": user, f"{known}:aud": audience}},
        }
    )
    created = there.answer("iam", "create-role", "--role-name", name, "--assume-role-policy-document", trust)
    may = policy({"Action": "iam:ListUsers", "Resource": "*"})
    there.answer("iam", "put-role-policy", "--role-name", name, "--policy-name", "see", "--policy-document", may)
    there.answer("iam", "create-user", "--user-name", name)
    return created["Role"]["Arn"], audience


def policy(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **statement}})


if __name__ == "__main__":
    main()
