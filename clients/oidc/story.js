// A company signs in: its people get sessions of a role for their ID tokens, with tags out of their claims, and go on to another
// role with them. AWS's SDK, and AWS's command line after it, know nothing of Reeve but its address.
//
//   NODE_EXTRA_CA_CERTS=authority.pem node story.js --reeve target/debug/reeve --endpoint 127.0.0.1:7443 \
//     --credentials reeve-credentials --folder folder-of-the-certificates --aws path/to/aws
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import * as iam from "@aws-sdk/client-iam";
import * as sts from "@aws-sdk/client-sts";
import { check, document, rootCredentials } from "../aws/told.js";
import { signIn } from "./browser.js";
import { Company } from "./company.js";

const names = ["reeve", "endpoint", "credentials", "folder", "aws"];
const options = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
const given = parseArgs({ options }).values;
const endpoint = `http://${given.endpoint}`;

/** The SDK's clients with these credentials; without any, it signs nothing. */
function clients(credentials) {
  // As many attempts as the SDK makes by itself: between two steps a connection may have been idle for too long.
  const config = { endpoint, region: "us-east-1", credentials };
  return { iam: new iam.IAMClient(config), sts: new sts.STSClient(config) };
}

/** AWS's code of a call that must fail. */
async function refused(call) {
  try {
    await call;
  } catch (error) {
    return error.Error?.Code ?? error.Code ?? error.name;
  }
  return "answered";
}

const credentialsOf = ({ Credentials: given }) =>
  clients({ accessKeyId: given.AccessKeyId, secretAccessKey: given.SecretAccessKey, sessionToken: given.SessionToken });

const company = await Company.start(
  readFileSync(`${given.folder}/company.pem`),
  readFileSync(`${given.folder}/company.key`),
);
const root = clients(rootCredentials(given.credentials));
const { Account: account } = await root.sts.send(new sts.GetCallerIdentityCommand({}));
const issuer = company.issuer.replace("https://", "");
const { OpenIDConnectProviderArn: provider } = await root.iam.send(
  new iam.CreateOpenIDConnectProviderCommand({ Url: company.issuer, ClientIDList: [company.audience] }),
);
check(provider === `arn:aws:iam::${account}:oidc-provider/${issuer}`, `the company is a provider: ${provider}`);
const reeve = (...words) =>
  execFileSync(given.reeve, [...words, "--endpoint", endpoint], {
    env: { ...process.env, AWS_SHARED_CREDENTIALS_FILE: given.credentials, AWS_PROFILE: "root" },
  });
reeve(
  ...["iam", "put-open-id-connect-provider-claim-mapping", "--open-id-connect-provider-arn", provider],
  ...["--claim-mappings", "Claim=department,TagKey=team,Transitive=true", "--role-session-name-claim", "email"],
);

const { Role: staff } = await root.iam.send(
  new iam.CreateRoleCommand({
    RoleName: "staff",
    AssumeRolePolicyDocument: document({
      Effect: "Allow",
      Principal: { Federated: provider },
      Action: ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
      Condition: {
        StringEquals: { [`${issuer}:aud`]: company.audience },
        StringLike: { "sts:RoleSessionName": "*@example.com", "aws:RequestTag/team": "*" },
      },
    }),
  }),
);
const pass = document({ Effect: "Allow", Action: ["sts:AssumeRole", "sts:TagSession"], Resource: "*" });
await root.iam.send(new iam.PutRolePolicyCommand({ RoleName: "staff", PolicyName: "go-on", PolicyDocument: pass }));
const { Role: project } = await root.iam.send(
  new iam.CreateRoleCommand({
    RoleName: "project",
    AssumeRolePolicyDocument: document({
      Effect: "Allow",
      Principal: { AWS: staff.Arn },
      Action: ["sts:AssumeRole", "sts:TagSession"],
    }),
  }),
);
const byTeam = document({
  Effect: "Allow",
  Action: "iam:GetRole",
  Resource: "*",
  Condition: { StringEquals: { "aws:PrincipalTag/team": "blue" } },
});
await root.iam.send(new iam.PutRolePolicyCommand({ RoleName: "project", PolicyName: "see", PolicyDocument: byTeam }));

/** Trades an ID token; nothing is signed. */
const trade = (token) =>
  clients().sts.send(
    new sts.AssumeRoleWithWebIdentityCommand({
      RoleArn: staff.Arn,
      RoleSessionName: "whoever",
      WebIdentityToken: token,
    }),
  );
const tokenOf = (user) => signIn(company.issuer, company.audience, company.secret, user);

const sessions = {};
for (const [user, team] of [["dana", "blue"], ["erin", "red"]]) {
  const answer = await trade(await tokenOf(user));
  check(answer.SubjectFromWebIdentityToken === user && answer.Provider === company.issuer, `${user} signed in`);
  const arn = `arn:aws:sts::${account}:assumed-role/staff/${user}@example.com`;
  check(answer.AssumedRoleUser.Arn === arn, `the company names the session: ${arn}`);
  sessions[user] = credentialsOf(answer);
  const hop = await sessions[user].sts.send(
    new sts.AssumeRoleCommand({ RoleArn: project.Arn, RoleSessionName: user }),
  );
  const seen = await refused(credentialsOf(hop).iam.send(new iam.GetRoleCommand({ RoleName: "project" })));
  const expected = team === "blue" ? "answered" : "AccessDenied";
  check(seen === expected, `the tag ${team} went on to the next role, where it is ${expected}`);
}

const old = await tokenOf("dana");
company.rotate("RS256");
const fresh = await tokenOf("dana");
let code;
// The key is looked for at most once an interval, which run.sh makes short.
for (let tries = 0; tries < 40; tries += 1) {
  code = await refused(trade(fresh));
  if (code === "answered") break;
  await new Promise((resolve) => setTimeout(resolve, 250));
}
check(code === "answered", "the company signs with another key, and by another algorithm");
check((await refused(trade(old))) === "InvalidIdentityToken", "a key that it took back signs nothing any more");

const file = `${given.folder}/token`;
writeFileSync(file, fresh);
const told = execFileSync(given.aws, ["sts", "get-caller-identity", "--query", "Arn", "--output", "text"], {
  encoding: "utf8",
  env: {
    PATH: process.env.PATH,
    HOME: given.folder,
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
    AWS_ROLE_ARN: staff.Arn,
    AWS_ROLE_SESSION_NAME: "whoever",
    AWS_ENDPOINT_URL: endpoint,
    AWS_DEFAULT_REGION: "us-east-1",
  },
});
check(told.trim().endsWith("/staff/dana@example.com"), `the aws command line does it by its environment: ${told.trim()}`);

await root.iam.send(new iam.DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: provider }));
const after = await refused(sessions.dana.sts.send(new sts.GetCallerIdentityCommand({})));
check(after === "InvalidClientTokenId", "what began with the company's tokens ends with the trust in it");
check((await refused(trade(fresh))) === "InvalidIdentityToken", "and nobody comes any more");
company.stop();
