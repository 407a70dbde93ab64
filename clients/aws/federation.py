"""Stories of federation: tokens by which principals prove to others who they are. Whoever is shown one knows the issuer's
URL and nothing else, and verifies with a JOSE library (joserfc) that knows nothing of Reeve."""

import json
import urllib.error
import urllib.request

from joserfc import jwk, jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError

from told import check, policy, refused, tags, trust

AUDIENCE = "https://api.example.com"
NAMESPACE = "https://sts.amazonaws.com/"
# `aud` is required and its value is checked, as whoever is shown a token has to.
CLAIMS = jwt.JWTClaimsRegistry(
    iss={"essential": True}, sub={"essential": True}, exp={"essential": True}, aud={"essential": True, "value": AUDIENCE}
)


def outbound(root, account):
    """Tokens for others, verified from discovery alone by a JOSE library."""
    iam, sts = root.iam, root.sts
    asked = dict(Audience=[AUDIENCE], SigningAlgorithm="ES384")
    code, _ = refused(lambda: sts.get_web_identity_token(**asked))
    check(code == "OutboundWebIdentityFederationDisabledException", "an account that is not enabled gives no tokens")
    check(refused(iam.get_outbound_web_identity_federation_info)[0] == "FeatureDisabled", "and tells of no issuer")
    issuer = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    info = iam.get_outbound_web_identity_federation_info()
    check(info["JwtVendingEnabled"] and info["IssuerIdentifier"] == issuer, f"the account is the issuer {issuer}")
    check(refused(iam.enable_outbound_web_identity_federation)[0] == "FeatureEnabled", "once")

    iam.create_user(UserName="pat")
    role = iam.create_role(
        RoleName="prover",
        AssumeRolePolicyDocument=json.dumps(trust(f"arn:aws:iam::{account}:user/pat", ["sts:AssumeRole", "sts:TagSession"])),
    )["Role"]["Arn"]
    may = policy(["sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"], "*")
    may["Statement"][0]["Condition"] = {"ForAllValues:StringEquals": {"sts:IdentityTokenAudience": [AUDIENCE]}}
    iam.put_role_policy(RoleName="prover", PolicyName="prove", PolicyDocument=json.dumps(may))
    pat = root.as_user("pat")
    assumed = pat.sts.assume_role(RoleArn=role, RoleSessionName="work", Tags=tags(team="blue"))
    session = root.as_session(assumed["Credentials"])
    for algorithm in ("ES384", "RS256"):
        given = session.sts.get_web_identity_token(
            Audience=[AUDIENCE], SigningAlgorithm=algorithm, DurationSeconds=600, Tags=tags(job="7")
        )
        token = verified(issuer, given["WebIdentityToken"], algorithm)
        CLAIMS.validate(token.claims)
        claims, told = token.claims, token.claims[NAMESPACE]
        check(claims["sub"] == role and told["principal_tags"] == {"team": "blue"}, f"{algorithm}: it says who is behind it")
        check(told["request_tags"] == {"job": "7"} and told["aws_account"] == account, "and what was to be said")
        check(claims["exp"] == int(given["Expiration"].timestamp()) == claims["iat"] + 600, "for as long as was asked")
        check(not_signed(issuer, altered(given["WebIdentityToken"]), algorithm), "altered, it is nobody's")
    elsewhere = dict(asked, Audience=[AUDIENCE, "https://elsewhere.example.com"])
    check(refused(lambda: session.sts.get_web_identity_token(**elsewhere))[0] == "AccessDenied", "and for nobody else")
    code, _ = refused(lambda: session.sts.get_web_identity_token(**asked, DurationSeconds=3_600, Tags=tags(a="1", A="2")))
    check(code != "answered", "what cannot be said is not")

    given = session.sts.get_web_identity_token(**asked)["WebIdentityToken"]
    iam.disable_outbound_web_identity_federation()
    check(refused(lambda: session.sts.get_web_identity_token(**asked))[0] != "answered", "disabled, it gives no more")
    check(verified(issuer, given, "ES384").claims["sub"] == role, "what was given stays good until it expires")
    check(status(f"{issuer[:-1]}x/.well-known/openid-configuration") == 404, "and an issuer that is none is not found")
    iam.delete_role_policy(RoleName="prover", PolicyName="prove")
    iam.delete_role(RoleName="prover")
    for key in iam.list_access_keys(UserName="pat")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="pat", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="pat")


def verified(issuer, token, algorithm):
    """The token, if one of the issuer's keys signed it. They are found by discovery, each time."""
    configuration = fetched(f"{issuer}/.well-known/openid-configuration")
    check(configuration["issuer"] == issuer, "discovery leads to the issuer itself")
    check(algorithm in configuration["id_token_signing_alg_values_supported"], f"which signs by {algorithm}")
    keys = jwk.KeySet.import_key_set(fetched(configuration["jwks_uri"]))
    return jwt.decode(token, keys, algorithms=[algorithm])


def not_signed(issuer, token, algorithm):
    try:
        verified(issuer, token, algorithm)
    except (BadSignatureError, InvalidKeyIdError):
        return True
    return False


def altered(token):
    """The same with another claim in the place of what was signed."""
    header, claims, signature = token.split(".")
    other = "A" if claims[20] != "A" else "B"
    return ".".join((header, claims[:20] + other + claims[21:], signature))


def fetched(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        check("max-age" in answer.headers["Cache-Control"], "what is published may be kept for a while")
        return json.load(answer)


def status(url):
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
