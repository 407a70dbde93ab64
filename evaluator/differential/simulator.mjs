// A process of its own around the outside evaluator, which is AGPL and no part of Reeve: lines of `reeve decide` in, one
// line out with what the simulator decided and what it made of every statement. The folder in which npm installed it is
// the argument.

import readline from 'node:readline';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = path.resolve(process.argv[2], 'node_modules/@cloud-copilot');
const load = (file) => import(pathToFileURL(path.join(folder, file)));
const { authorize } = await load('iam-simulate/dist/esm/core_engine/CoreSimulatorEngine.js');
const { AwsRequestImpl } = await load('iam-simulate/dist/esm/request/request.js');
const { RequestContextImpl } = await load('iam-simulate/dist/esm/requestContext.js');
const { DiscoveryContextKeyConstraints } = await load('iam-simulate/dist/esm/context_keys/discoveryContextKeyConstraints.js');
const { loadPolicy } = await load('iam-policy/dist/esm/index.js');

const FULL = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }] };
const EFFECTS = { Allowed: 'allowed', ExplicitlyDenied: 'explicitDeny', ImplicitlyDenied: 'implicitDeny' };

const named = (documents, place) => (documents ?? []).map((document, at) => loadPolicy(document, { name: `${place}[${at}]` }));
const levels = (list, place, more = []) =>
  (list ?? []).map((documents, at) => ({ orgIdentifier: `${at}`, policies: [...more, ...named(documents, `${place}[${at}]`)] }));

function principal(asked) {
  if (asked === '*') return { type: 'Anonymous' };
  return typeof asked === 'string' ? asked : asked.service;
}

function simulate({ request, ...line }) {
  const account = request.resource_account ?? request.resource.split(':')[4];
  const sessions = line.session_policies;
  const session = sessions && { Version: '2012-10-17', Statement: sessions.flatMap((document) => document.Statement) };
  return authorize({
    request: new AwsRequestImpl(
      principal(request.principal),
      { resource: request.resource, accountId: account },
      request.action,
      new RequestContextImpl(request.context),
      false,
    ),
    sessionPolicy: session && loadPolicy(session, { name: 'session_policies' }),
    identityPolicies: [...named(line.identity_policies, 'identity_policies'), ...named(line.group_policies, 'group_policies')],
    serviceControlPolicies: levels(line.service_control_policies, 'service_control_policies'),
    resourceControlPolicies: levels(line.resource_control_policies, 'resource_control_policies', [loadPolicy(FULL, { name: 'full' })]),
    resourcePolicy: line.resource_policy && loadPolicy(line.resource_policy, { name: 'resource_policy' }),
    permissionBoundaries: line.permissions_boundary && [loadPolicy(line.permissions_boundary, { name: 'permissions_boundary' })],
    vpcEndpointPolicies: undefined,
    simulationParameters: { simulationMode: 'Strict', discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]) },
    serviceSettings: { s3: {} },
  });
}

/** What was made of each statement: [policy, index, action, resource, condition, principal]. */
function statements(result) {
  const analyses = [result.identityAnalysis, result.resourceAnalysis, result.permissionBoundaryAnalysis, result.sessionAnalysis,
    ...(result.scpAnalysis?.ouAnalysis ?? []), ...(result.rcpAnalysis?.ouAnalysis ?? [])];
  return analyses
    .filter(Boolean)
    .flatMap((analysis) => [...analysis.allowStatements, ...analysis.denyStatements, ...analysis.unmatchedStatements])
    .filter((found) => found.policyId !== 'full')
    .map((found) => [found.policyId, found.statement.index() - 1, found.actionMatch, found.resourceMatch, found.conditionMatch === 'Match', found.principalMatch !== 'NoMatch']);
}

for await (const text of readline.createInterface({ input: process.stdin })) {
  let answer;
  try {
    const result = simulate(JSON.parse(text));
    answer = { decision: EFFECTS[result.result], statements: statements(result) };
  } catch (error) {
    answer = { decision: 'error', error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
