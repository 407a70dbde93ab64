// The main job, in Node: an administrator sets up a user, a group, a policy and a role; the user trades its access key
// for a session; a service asks Reeve what the session may do; and taking something away works at once.
//
//     node main_job.js --endpoint 127.0.0.1:7443 --credentials reeve-credentials
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import grpc from "@grpc/grpc-js";

import { google, reeve } from "./gen/reeve.js";
import { signer } from "./reeve_signer.js";

const EXTERNAL_ID = "reports-2026";
const OBJECT = "arn:aws:s3:::reports/2026/q1.csv";

const { values: options } = parseArgs({
  options: {
    endpoint: { type: "string", default: "127.0.0.1:7443" },
    credentials: { type: "string", default: "reeve-credentials" },
  },
});
const channel = new grpc.Client(options.endpoint, grpc.credentials.createInsecure());
await run(readCredentials(options.credentials));
channel.close();
console.log("The main job is done.");

async function run(rootCredentials) {
  // Names of this run's own, so that it can run again on the same server.
  const id = randomUUID().slice(0, 8);
  const [alice, bucketeer, reader, analysts] = ["alice", "bucketeer", "reader", "analysts"].map((n) => `${n}-${id}`);
  const root = connect(rootCredentials);
  const { account } = await root.caller.getCallerIdentity({});

  // The administrator sets up who there is.
  const { user } = await root.users.createUser({ userName: alice });
  const userKey = await newKey(root, alice);
  check(user.arn === `arn:aws:iam::${account}:user/${alice}`, `created the user ${user.arn}, and a key for it`);

  await root.groups.createGroup({ groupName: analysts });
  await root.groups.addUserToGroup({ groupName: analysts, userName: alice });
  await root.inline.putGroupPolicy({
    groupName: analysts,
    policyName: "see-oneself",
    policyDocument: policy("iam:GetUser", "arn:aws:iam::*:user/${aws:username}"),
  });
  const asAlice = connect(userKey);
  const found = await asAlice.users.getUser({});
  check(found.user.userId === user.userId, "the user's signature is accepted, and its group lets it see itself");
  check((await failure(asAlice.users.listUsers({}))) === "AccessDenied", "it may do nothing else");

  const sameTeam = { StringEquals: { "aws:ResourceTag/team": "${aws:PrincipalTag/team}" } };
  const created = await root.policies.createPolicy({
    policyName: `same-team-${id}`,
    policyDocument: policy("s3:GetObject", "arn:aws:s3:::reports/*", { Condition: sameTeam }),
  });
  const policyArn = created.policy.arn;
  const trust = statement(["sts:AssumeRole", "sts:TagSession"], {
    Principal: { AWS: user.arn },
    Condition: {
      StringEquals: { "sts:ExternalId": EXTERNAL_ID },
      StringLike: { "aws:RequestTag/team": "?*" },
    },
  });
  const { role } = await root.roles.createRole({ roleName: reader, assumeRolePolicyDocument: document(trust) });
  await root.attachments.attachRolePolicy({ roleName: reader, policyArn });
  check(role.arn.endsWith(`:role/${reader}`), "created a role that trusts the user with a tag and an external id");

  // The user trades its key for a session.
  const tagged = { roleArn: role.arn, roleSessionName: "q1", tags: [{ key: "team", value: "red" }] };
  const complete = { ...tagged, externalId: EXTERNAL_ID };
  for (const [lacking, request] of [["the external id", tagged], ["the tag", { ...complete, tags: [] }]]) {
    const refused = await failure(asAlice.sessions.assumeRole(request));
    check(refused === "AccessDenied", `without ${lacking} the role cannot be assumed`);
  }
  const { credentials: session } = await asAlice.sessions.assumeRole(complete);
  const asSession = connect(session);
  const identity = await asSession.caller.getCallerIdentity({});
  check(
    identity.arn === `arn:aws:sts::${account}:assumed-role/${reader}/q1`,
    `the user holds a session: ${identity.arn}`,
  );

  // A service asks what the session may do. Asking is a permission of the service's own.
  await root.users.createUser({ userName: bucketeer });
  await root.inline.putUserPolicy({
    userName: bucketeer,
    policyName: "ask-about-reports",
    policyDocument: policy("reeve:Authorize", "arn:aws:s3:::reports/*"),
  });
  const asService = connect(await newKey(root, bucketeer));
  const ask = async (team) => {
    const question = {
      action: "s3:GetObject",
      resource: OBJECT,
      resourceAccount: account,
      resourceTags: [{ key: "team", value: team }],
      sessionToken: session.sessionToken,
      accessKeyId: session.accessKeyId,
    };
    return (await asService.authorization.authorize({ question })).decision;
  };
  const allowed = await ask("red");
  check(
    allowed.allowed && allowed.matchedStatements[0].sourcePolicyId === policyArn,
    `the object of its team is allowed, by ${policyArn}`,
  );
  const denied = await ask("blue");
  check(
    !denied.allowed && denied.evalDecision === "implicitDeny" && denied.message !== "",
    `the object of another team is denied: ${denied.message}`,
  );

  // What is taken away is gone at the very next call.
  await root.attachments.detachRolePolicy({ roleName: reader, policyArn });
  await root.policies.deletePolicy({ policyArn });
  const without = await ask("red");
  check(!without.allowed, `the role's policy is deleted: ${without.message}`);
  await root.keys.deleteAccessKey({ userName: alice, accessKeyId: userKey.accessKeyId });
  const refused = await failure(asAlice.users.getUser({}));
  check(refused === "InvalidClientTokenId", "the access key is deleted: its next call is refused");
  const orphan = await failure(asSession.caller.getCallerIdentity({}));
  check(orphan === "InvalidClientTokenId", "and so is the session that came from it");
}

// The services of Reeve, called with one set of credentials over a connection that is shared.
function connect(credentials) {
  const interceptors = [signer(credentials, options.endpoint)];
  const service = (type, name) =>
    new type((method, message, callback) => {
      const same = (bytes) => bytes;
      channel.makeUnaryRequest(`/${name}/${method.name}`, same, same, message, { interceptors }, callback);
    });
  const { iam, sts, authorization } = reeve;
  return {
    users: service(iam.v1.UserService, "reeve.iam.v1.UserService"),
    keys: service(iam.v1.AccessKeyService, "reeve.iam.v1.AccessKeyService"),
    groups: service(iam.v1.GroupService, "reeve.iam.v1.GroupService"),
    policies: service(iam.v1.PolicyService, "reeve.iam.v1.PolicyService"),
    inline: service(iam.v1.InlinePolicyService, "reeve.iam.v1.InlinePolicyService"),
    attachments: service(iam.v1.AttachmentService, "reeve.iam.v1.AttachmentService"),
    roles: service(iam.v1.RoleService, "reeve.iam.v1.RoleService"),
    sessions: service(sts.v1.RoleService, "reeve.sts.v1.RoleService"),
    caller: service(sts.v1.CallerService, "reeve.sts.v1.CallerService"),
    authorization: service(authorization.v1.AuthorizationService, "reeve.authorization.v1.AuthorizationService"),
  };
}

async function newKey(reeve, userName) {
  return (await reeve.keys.createAccessKey({ userName })).accessKey;
}

function statement(actions, rest) {
  return { Effect: "Allow", Action: actions, ...rest };
}

function document(...statements) {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

function policy(actions, resource, rest = {}) {
  return document(statement(actions, { Resource: resource, ...rest }));
}

// AWS's error code of a call that must fail: the reason in its `google.rpc.ErrorInfo`.
async function failure(call) {
  try {
    await call;
  } catch (error) {
    const [details] = error.metadata?.get("grpc-status-details-bin") ?? [];
    if (!details) throw error;
    const status = google.rpc.Status.decode(details);
    const info = status.details.find((detail) => detail.type_url.endsWith("/google.rpc.ErrorInfo"));
    return google.rpc.ErrorInfo.decode(info.value).reason;
  }
  return "no error";
}

// The root credentials, in the format of AWS's tools.
function readCredentials(path) {
  const [, profile] = readFileSync(path, "utf8").split(/^\[root\]$/m);
  const value = (name) => profile.split(/^\[/m)[0].match(new RegExp(`^${name}\\s*=\\s*(\\S+)`, "m"))[1];
  return { accessKeyId: value("aws_access_key_id"), secretAccessKey: value("aws_secret_access_key") };
}

function check(isSo, what) {
  console.log((isSo ? "ok: " : "NOT SO: ") + what);
  if (!isSo) process.exit(1);
}
