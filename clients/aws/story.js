// A story told by the AWS SDK for JavaScript, which knows nothing of Reeve but its address.
//
//   node story.js http://127.0.0.1:7443 reeve-credentials called.txt
import { appendFileSync } from "node:fs";
import * as iam from "@aws-sdk/client-iam";
import * as sts from "@aws-sdk/client-sts";
import { check, document, rootCredentials } from "./told.js";

const [endpoint, credentialsFile, record] = process.argv.slice(2);
const called = new Set();

/** The SDK's clients with one set of credentials; what they call is noted. */
function clients(credentials) {
  const options = { endpoint, region: "us-east-1", credentials, maxAttempts: 1 };
  const both = { iam: new iam.IAMClient(options), sts: new sts.STSClient(options) };
  for (const [service, client] of Object.entries(both)) {
    client.middlewareStack.add(
      (next, context) => (args) => {
        called.add(`${service}:${context.commandName.replace(/Command$/, "")}`);
        return next(args);
      },
      { step: "initialize" },
    );
  }
  return both;
}

async function refused(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return { name: "answered" };
}

const root = clients(rootCredentials(credentialsFile));
const { Account: account } = await root.sts.send(new sts.GetCallerIdentityCommand({}));
const UserName = "node";
const Tags = [
  { Key: "team", Value: "red" },
  { Key: "place", Value: "Zürich" },
];
const { User: user } = await root.iam.send(new iam.CreateUserCommand({ UserName, Path: "/js/", Tags }));
check(user.Arn === `arn:aws:iam::${account}:user/js/node`, `made ${user.Arn}`);
check(user.CreateDate instanceof Date, "its date is one");
await iam.waitUntilUserExists({ client: root.iam, maxWaitTime: 5 }, { UserName });
const { Tags: listed } = await root.iam.send(new iam.ListUserTagsCommand({ UserName }));
check(listed.some(({ Key, Value }) => Key === "place" && Value === Tags[1].Value), "its tags are listed");

const allowed = { Effect: "Allow", Action: ["iam:GetUser", "iam:CreateAccessKey"], Resource: user.Arn };
const policy = { UserName, PolicyName: "see", PolicyDocument: document(allowed) };
await root.iam.send(new iam.PutUserPolicyCommand(policy));
const { AccessKey: key } = await root.iam.send(new iam.CreateAccessKeyCommand({ UserName }));
const own = clients({ accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey });
const { User: self } = await own.iam.send(new iam.GetUserCommand({}));
check(self.UserId === user.UserId, "its key signs");
const denied = await refused(() => own.iam.send(new iam.ListUsersCommand({})));
check(
  denied.name === "AccessDenied" && denied.message.startsWith(`User: ${user.Arn} is not authorized to perform: iam:ListUsers`),
  `denied in AWS's words: ${denied.message}`,
);
const missing = await refused(() => root.iam.send(new iam.GetUserCommand({ UserName: "nobody" })));
check(missing instanceof iam.NoSuchEntityException && missing.$metadata.httpStatusCode === 404, "an error is the SDK's own class");

for (const number of [1, 2, 3]) await root.iam.send(new iam.CreateUserCommand({ UserName: `js-${number}` }));
let pages = 0;
let found = 0;
for await (const page of iam.paginateListUsers({ client: root.iam, pageSize: 2 }, { PathPrefix: "/" })) {
  pages += 1;
  found += page.Users.length;
}
check(pages === 2 && found === 4, `users come page by page: ${found} on ${pages}`);
for (const number of [1, 2, 3]) await root.iam.send(new iam.DeleteUserCommand({ UserName: `js-${number}` }));

const trust = { Effect: "Allow", Principal: { AWS: user.Arn }, Action: ["sts:AssumeRole", "sts:TagSession"] };
const RoleName = "node";
const Description = "reads <much> & \"writes\" little";
const { Role: role } = await root.iam.send(
  new iam.CreateRoleCommand({ RoleName, Description, AssumeRolePolicyDocument: document(trust) }),
);
check(role.Description === Description, "what XML escapes comes back as it was");
const { Credentials: session } = await own.sts.send(
  new sts.AssumeRoleCommand({
    RoleArn: role.Arn,
    RoleSessionName: "js",
    Tags: [{ Key: "team", Value: "red" }],
    TransitiveTagKeys: ["team"],
    DurationSeconds: 900,
  }),
);
check(session.Expiration.getTime() > Date.now(), "a role is assumed");
const asSession = clients({
  accessKeyId: session.AccessKeyId,
  secretAccessKey: session.SecretAccessKey,
  sessionToken: session.SessionToken,
});
const { Arn: who } = await asSession.sts.send(new sts.GetCallerIdentityCommand({}));
check(who === `arn:aws:sts::${account}:assumed-role/node/js`, `as ${who}`);

await root.iam.send(new iam.DeleteRoleCommand({ RoleName }));
await root.iam.send(new iam.DeleteUserPolicyCommand({ UserName, PolicyName: "see" }));
await root.iam.send(new iam.DeleteAccessKeyCommand({ UserName, AccessKeyId: key.AccessKeyId }));
await root.iam.send(new iam.DeleteUserCommand({ UserName }));
appendFileSync(record, [...called].sort().map((operation) => `node ${operation}\n`).join(""));
