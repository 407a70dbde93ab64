// Why Reeve and the simulator may differ, each reason with AWS's text behind it; what stands in quotation marks was compared
// with its page word by word. What no reason here covers is a fault of one of the two.

import net from 'node:net';

const GUIDE = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/';

/** Each reason: what Reeve does, what the simulator does, and the page. */
export const REASONS = {
  follows: 'the decision rests on a statement that is read differently, for one of the other reasons',
  'several values': `"To compare your condition against a request context with multiple key values, you must use the ForAllValues or ForAnyValue set operators" (${GUIDE}reference_policies_condition-single-vs-multi-valued-context-keys.html). What happens without one is not documented: in Reeve a Deny holds for any value and an Allow for none; the simulator never matches`,
  'empty list': `a list without values is a key that is not there: ForAllValues "also returns true if there are no keys in the request" (ibid.); the simulator takes it for a key that is there`,
  'empty text in a set': `under a set operator an empty text is "a null data set" (${GUIDE}reference_policies_multi-value-conditions.html): Reeve takes it so where that is stricter, ForAllValues in a Deny and ForAnyValue in an Allow; the simulator compares it`,
  'wrong type': `a value that is not of the operator's type cannot be evaluated: in Reeve a Deny then holds and an Allow does not; the simulator never matches, or reads the digits in front (${GUIDE}reference_policies_elements_condition_operators.html)`,
  'any value if it exists': `"If the key is not present, evaluate the condition element as true" (${GUIDE}reference_policies_elements_condition_operators.html#Conditions_IfExists), for ForAnyValue too; the simulator says false`,
  'variable without a value': `"Inverted condition operators like StringNotEquals or StringNotLike do match against a null value" (${GUIDE}reference_policies_variables.html#policy-vars-no-value); the simulator lets no condition with one hold`,
  'empty value': 'the empty text is a value (AWS does not say otherwise); the simulator takes an empty variable for a missing one, and puts its default in its place',
  'old version': `before 2012-10-17 "variables like \${aws:username} are treated as literal strings in the policy" (${GUIDE}reference_policies_variables.html); the simulator replaces them`,
  escape: `\${*}, \${?} and \${$} "can be used in any string where you can use regular policy variables" (${GUIDE}reference_policies_variables.html#policy-vars-specialchars); the simulator knows them only where wildcards are allowed`,
  'single address': `"If you specify an IP address without the associated routing prefix, IAM uses the default prefix value of /32" (${GUIDE}reference_policies_elements_condition_operators.html#Conditions_IPAddress; /128 where the address is of version 6); the simulator lets its negation hold for no address, or for no other spelling of the same`,
  'all addresses': '0.0.0.0/0 and ::/0 hold every address of their version; the simulator shifts by the whole width and finds none, or all',
  'short ARN condition': `"Each of the six colon-delimited components of the ARN is checked separately" (${GUIDE}reference_policies_elements_condition_operators.html#Conditions_ARN): a pattern with fewer matches nothing, so its negation holds; the simulator lets neither hold`,
  'short ARN': `a trailing asterisk can match beyond the colons that follow (${GUIDE}reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards); the simulator takes no short ARN in control policies, and in resource policies only some`,
  'variable in another field': `the guide wants variables "only in the resource portion of the ARN" (${GUIDE}reference_policies_variables.html#policy-vars-wheretouse), and AWS's own policies have them in the region and the account (arn:aws:secretsmanager:*:\${aws:PrincipalAccount}:secret:*): Reeve replaces them there, within their field; the simulator in the last field alone`,
  'wildcard in the type': `"You cannot use a wildcard in the portion of the ARN that specifies the resource type" (${GUIDE}reference-arns.html), and what one does that is used all the same is not documented. Reeve knows no types: a wildcard is one; the simulator takes what is before the first / or : of the resource literally`,
  'exception without a value': 'an Allow whose NotResource holds a variable without a value does not apply in Reeve (stricter, see README.md); the simulator lets it apply',
  'exception of a Deny without a value': `in Resource and NotResource "the resource that includes a policy variable with no value will not match any resource" (${GUIDE}reference_policies_variables.html#policy-vars-no-value): nothing is excepted, so the Deny holds; the simulator lets it not apply`,
  'canonical user': 'CanonicalUser cannot be compared with any principal here: a Deny that names one holds',
  'service and AWS': `{"AWS": "*"} is every principal of an account and "for anonymous users" the same as "*" (${GUIDE}reference_policies_elements_principal.html#principal-anonymous); a service is named under Service: it is granted nothing, and a Deny stops it; the simulator lets it grant`,
  'role by name': 'a session is its role\'s, whose ARN has the path (the line gives it, or there is none); the simulator compares the last part of the name',
  'federated by name': 'the simulator takes a federated user for the session of the user of that name; Reeve knows who is behind it, or nobody',
  'not principal': `"you must also specify the account ARN of the not-denied principal", and AWS may look at "the account first, then the role, and then the assumed-role user" (${GUIDE}reference_policies_elements_notprincipal.html); the simulator is content with any one of them`,
  'direct grant and session policy': `"Permissions granted directly to a session are not limited by an implicit deny in an identity-based policy, a permissions boundary, or session policy" (${GUIDE}access_policies_boundaries.html#access_policies_boundaries-eval-logic); the simulator lets the session policy limit every grant`,
  'role and session policy': 'the simulator limits a role that is named itself, without a session, as if its name were the session\'s',
  root: `"all requests are implicitly denied with the exception of the AWS account root user, which has full access" (${GUIDE}reference_policies_evaluation-logic_policy-eval-denyallow.html); the simulator knows no root user`,
  'federated without session policy': `"if you do not pass a policy with the GetFederationToken API call, the resulting temporary security credentials have no permissions" (${GUIDE}id_credentials_temp_control-access_getfederationtoken.html); the simulator gives them the user's`,
  'trust policy needed': `role trust policies and KMS key policies "must explicitly allow access for principals" (${GUIDE}reference_policies_evaluation-logic_policy-eval-denyallow.html); where the line has none the simulator lets identity policies decide`,
  'boundary of an assumed role': 'a trust policy\'s grant stays within the caller\'s boundary and session policies in Reeve (stricter than AWS\'s page on resource-based policies); the simulator lets naming the user lift the boundary',
  'denied anyway': 'both deny; a Deny in a layer that does not apply (control policies for services and the anonymous) is explicit only to the simulator',
};

/** Why the two read a statement differently; null when nothing here says. */
export function ofStatement(line, { statement, document, policy, outcome, theirs }) {
  const ours = outcome === 'matched';
  const reasons = [];
  // Reeve tells the first element that did not match, in this order.
  if (ours ? !theirs.resource : outcome === 'resource') reasons.push(ofResource(line, statement, document, policy));
  if (ours ? !theirs.principal : outcome === 'principal') reasons.push(ofPrincipal(line, statement));
  if (ours ? !theirs.condition : outcome === 'condition') reasons.push(ofConditions(line, statement, document));
  if (reasons.length === 0 || reasons.includes(null)) return null;
  return reasons[0];
}

function ofResource(line, statement, document, policy) {
  const patterns = [statement.Resource ?? statement.NotResource ?? []].flat();
  const context = line.request.context;
  const any = (test) => patterns.some(test);
  if (document.Version === '2008-10-17' && any((pattern) => pattern.includes('${'))) return 'old version';
  const lenient = /^(identity|group|session)_|^permissions/.test(policy) && !statement.NotResource;
  if (any((pattern) => pattern !== '*' && pattern.split(':').length < 6) && !lenient) return 'short ARN';
  if (any((pattern) => pattern.split(':').slice(0, 5).some((field) => field.includes('${')))) return 'variable in another field';
  if (any((pattern) => variables(pattern).some((key) => lookup(context, key) === ''))) return 'empty value';
  if (statement.NotResource && statement.Effect === 'Deny' && any((pattern) => isNull(pattern, context))) return 'exception of a Deny without a value';
  if (statement.NotResource && statement.Effect === 'Allow' && any((pattern) => isNull(pattern, context))) return 'exception without a value';
  if (any((pattern) => /^[^/:]*[*?]/.test(pattern.split(':').slice(5).join(':')))) return 'wildcard in the type';
  return null;
}

function ofPrincipal({ request }, statement) {
  const element = statement.Principal ?? statement.NotPrincipal;
  const aws = [element.AWS ?? []].flat();
  if (statement.NotPrincipal) return 'not principal';
  if (element.CanonicalUser) return 'canonical user';
  if (request.principal.service && aws.includes('*')) return 'service and AWS';
  if (String(request.principal).includes(':assumed-role/') && aws.some((name) => name.includes(':role/'))) return 'role by name';
  if (String(request.principal).includes(':federated-user/')) return 'federated by name';
  return null;
}

function ofConditions({ request }, statement, document) {
  for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
    for (const [key, value] of Object.entries(keys)) {
      const reason = ofCondition(operator, lookup(request.context, key), [value].flat().map(String), request.context, document);
      if (reason) return reason;
    }
  }
  return null;
}

function ofCondition(operator, found, asked, context, document) {
  const [set, name] = operator.includes(':') ? operator.split(':') : ['', operator];
  const base = name.replace(/IfExists$/, '');
  const values = [found ?? []].flat();
  if (Array.isArray(found) && found.length === 0) return 'empty list';
  if (base === 'Null') return null;
  if (Array.isArray(found) && set === '') return 'several values';
  if (found === undefined) return set === 'ForAnyValue' && name !== base ? 'any value if it exists' : null;
  if (values.some((value) => !isOfType(base, value))) return 'wrong type';
  if (set !== '' && values.every((value) => value === '')) return 'empty text in a set';
  if (base.endsWith('IpAddress') && asked.some((range) => range.endsWith('/0'))) return 'all addresses';
  if (base === 'NotIpAddress' && asked.some((range) => !range.includes('/'))) return 'single address';
  if (base.startsWith('Arn') && asked.some((pattern) => pattern.split(':').length < 6)) return 'short ARN condition';
  if (!/^(String|Arn)/.test(base)) return null;
  if (document.Version === '2008-10-17' && asked.some((text) => text.includes('${'))) return 'old version';
  if (asked.some((text) => variables(text).some((key) => lookup(context, key) === ''))) return 'empty value';
  if (!base.endsWith('Like') && asked.some((text) => /\$\{[*?$]\}/.test(text))) return 'escape';
  if (base.includes('Not') && asked.some((text) => isNull(text, context))) return 'variable without a value';
  return null;
}

function isOfType(operator, value) {
  if (operator.startsWith('Numeric')) return /^-?\d+(\.\d+)?$/.test(value);
  if (operator.startsWith('Date')) return /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$|^\d+$/.test(value);
  if (operator === 'Bool') return /^(true|false)$/i.test(value);
  if (operator.endsWith('IpAddress')) return net.isIP(value) !== 0;
  if (operator.startsWith('Arn')) return value.startsWith('arn:');
  if (operator === 'BinaryEquals') return /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value);
  return true;
}

const lookup = (context, key) => context[Object.keys(context).find((known) => known.toLowerCase() === key.toLowerCase())];
const variables = (text) => [...text.matchAll(/\$\{([^}]{2,})\}/g)].map((found) => found[1].split(',')[0]);

function isNull(text, context) {
  return [...text.matchAll(/\$\{([^}]{2,})\}/g)].some(([, inside]) => !inside.includes(',') && typeof lookup(context, inside) !== 'string');
}

/** Why the two decide differently where they read every statement alike. */
export function ofDecision(line, ours, theirs) {
  const { request } = line;
  const principal = typeof request.principal === 'string' ? request.principal : 'service';
  const own = principal !== '*' && principal !== 'service';
  const denied = ours.decision !== 'allowed' && theirs.decision !== 'allowed';
  const is = (kind) => principal.includes(kind);
  if (is(':root')) return 'root';
  if (!own && denied) return 'denied anyway';
  if (is(':federated-user/') && !line.session_policies) return 'federated without session policy';
  if (request.action.startsWith('sts:') && !line.resource_policy && ours.layer === 'trust') return 'trust policy needed';
  if (request.action.startsWith('sts:') && ['boundary', 'session'].includes(ours.layer)) return 'boundary of an assumed role';
  if (ours.decision === 'allowed' && ours.layer === 'resource' && line.session_policies) return is(':role/') ? 'role and session policy' : 'direct grant and session policy';
  return null;
}
