// Random questions with their policies, as lines of `reeve decide`. One seed gives the same lines for ever.
//
// Values are drawn from small pools, so that what a policy asks for and what a request has meet often enough to
// matter; some are of the wrong type, empty, or made to look like wildcards and variables.

const ACCOUNT = '111122223333';
const OTHER = '444455556666';

/** A generator of numbers from 0 to 1 (mulberry32). */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const SERVICES = [
  {
    actions: ['s3:GetObject', 's3:PutObject', 'S3:getobject'],
    resources: ['arn:aws:s3:::bucket/home/alice/x', 'arn:aws:s3:::bucket/home/bob/x', 'arn:aws:s3:::bucket/a:b', 'arn:aws:s3:::other'],
    patterns: ['arn:aws:s3:::*', 'arn:aws:s3:::bucket/*', 'arn:aws:s3:::bucket/home/${aws:username}/*', 'arn:aws:s3:::bucket/home/?????/x',
      'arn:aws:s3:::Bucket/*', 'arn:aws:s3:::*/x', 'arn:aws:s3:::bucket/${aws:PrincipalTag/team}*', "arn:aws:s3:::bucket/home/${aws:PrincipalTag/team, 'alice'}/*",
      'arn:aws:s3:::bucket', 'arn:aws:s3:::other', 'arn:aws:s3:::b*t/h*e/*x', 'arn:aws:s3:::bucket/a:*', 'arn:*:s3:::bucket/*', 'arn:aws:s3:*', 'arn:aws:s3:::bucket/home/${*}/x'],
    account: true,
  },
  {
    actions: ['sqs:SendMessage', 'sqs:ReceiveMessage'],
    resources: ['arn:aws:sqs:eu-west-1:111122223333:jobs', 'arn:aws:sqs:us-east-1:111122223333:jobs-dead', 'arn:aws:sqs:eu-west-1:444455556666:jobs'],
    patterns: ['arn:aws:sqs:*:*:jobs', 'arn:aws:sqs:eu-west-?:111122223333:j*', 'arn:aws:sqs:*', 'arn:aws:sqs:eu-west-1:*', 'arn:aws:sqs:*:111122223333:*',
      'arn:aws:sqs:*:jobs', 'arn:aws:sqs:eu-west-1:${aws:PrincipalAccount}:jobs', 'arn:aws:sqs::111122223333:jobs', 'arn:aws:sqs:eu-west-1:111122223333:JOBS'],
  },
  {
    actions: ['iam:GetUser', 'iam:DeleteUser'],
    resources: ['arn:aws:iam::111122223333:user/team/alice', 'arn:aws:iam::111122223333:user/bob', 'arn:aws:iam::444455556666:user/alice'],
    patterns: ['arn:aws:iam::*:user/*', 'arn:aws:iam::111122223333:user/${aws:username}', 'arn:aws:iam::111122223333:user/team/*', 'arn:aws:iam::*:*', 'arn:aws:iam::111122223333:*',
      'arn:aws:iam::111122223333:user/*/alice', 'arn:aws:iam::?11122223333:user/b?b'],
  },
  {
    actions: ['kms:Decrypt', 'kms:Encrypt'],
    resources: ['arn:aws:kms:eu-west-1:111122223333:key/k1', 'arn:aws:kms:eu-west-1:444455556666:key/k1'],
    patterns: ['arn:aws:kms:*:*:key/*', 'arn:aws:kms:eu-west-1:111122223333:key/k1', 'arn:aws:kms:*'],
  },
  {
    actions: ['sts:AssumeRole', 'sts:TagSession'],
    resources: ['arn:aws:iam::111122223333:role/target', 'arn:aws:iam::444455556666:role/target'],
    patterns: ['arn:aws:iam::*:role/*', 'arn:aws:iam::111122223333:role/target', 'arn:aws:iam::444455556666:role/t*'],
    trust: true,
  },
  {
    actions: ['logs:PutLogEvents'],
    resources: ['arn:aws:logs:eu-west-1:111122223333:log-group:/app/a:log-stream:s1'],
    patterns: ['arn:aws:logs:*:*:log-group:/app/*', 'arn:aws:logs:*:*:log-group:/app/*:log-stream:s?', 'arn:aws:logs:eu-west-1:111122223333:log-group:/app/a', 'arn:aws:logs:*:*:*:s1'],
  },
];
const ACTION_PATTERNS = ['*', 's3:*', 's3:Get*', 'S3:GETOBJECT', 's3:?etObject', 's3:*Object', 'sqs:*', 'sqs:SendMessage', 'iam:Get*', 'iam:*User', 'kms:*', 'kms:Decrypt',
  'sts:*', 'sts:AssumeRole', 'sts:TagSession', 'logs:Put*', 'logs:*', 's3:GetObjectAcl', 'ec2:*'];

const USER = 'arn:aws:iam::111122223333:user/team/alice';
const ROLE = 'arn:aws:iam::111122223333:role/path/app';
const SESSION = 'arn:aws:sts::111122223333:assumed-role/app/s1';
const FEDERATED = 'arn:aws:sts::111122223333:federated-user/carol';
const ROOT = 'arn:aws:iam::111122223333:root';
const LAMBDA = { service: 'lambda.amazonaws.com' };
const ASKERS = [[USER, 36], [SESSION, 30], [FEDERATED, 8], [ROOT, 5], [LAMBDA, 8], ['*', 8], [ROLE, 5]];
const PRINCIPALS = ['*', { AWS: '*' }, { AWS: ACCOUNT }, { AWS: ROOT }, { AWS: USER }, { AWS: ROLE }, { AWS: SESSION }, { AWS: FEDERATED }, { AWS: OTHER },
  { AWS: 'arn:aws:iam::111122223333:user/alice' }, { AWS: 'arn:aws:iam::111122223333:role/app' }, { AWS: 'arn:aws:sts::111122223333:assumed-role/app/s2' },
  { Service: 'lambda.amazonaws.com' }, { Service: ['ec2.amazonaws.com', 'lambda.amazonaws.com'] }, { AWS: [USER, OTHER] }, { AWS: [ROLE, SESSION, ROOT] },
  { AWS: [ROOT, USER] }, { Federated: 'accounts.google.com' }, { Service: 'ec2.amazonaws.com', AWS: SESSION }, { CanonicalUser: '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be' }];

// Keys of each type, and what requests and policies say of them.
const TYPES = {
  text: {
    keys: ['aws:username', 'aws:PrincipalTag/team', 'aws:principaltag/Team', 'aws:ResourceTag/team', 'x:text'],
    found: ['alice', 'Alice', 'bob', 'blue', '', '*', 'a?ice', '${aws:username}', 'home/alice', 'true', '7'],
    asked: ['alice', 'ALICE', 'bob', 'blue', '', '*', 'al*', 'a?ice', '${aws:username}', '${aws:PrincipalTag/team}', "${aws:PrincipalTag/none, 'blue'}", '${x:list}', 'home/${aws:username}', '${*}', 'a${?}ice', '?*', '${$}{aws:username}'],
    operators: ['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', 'StringLike', 'StringNotLike'],
  },
  list: {
    keys: ['aws:TagKeys', 'x:list'],
    found: ['team', 'Team', 'cost', 'alice', '', 'te*'],
    asked: ['team', 'cost', 't*', '*', 'alice', '${aws:username}', ''],
    operators: ['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike', 'StringEqualsIgnoreCase'],
    many: true,
  },
  number: {
    keys: ['s3:max-keys', 'x:number'],
    found: ['5', '10', '10.0', '-3', '1000000', 'many'],
    asked: ['5', '10', '10.5', '-3', '1000000'],
    operators: ['NumericEquals', 'NumericNotEquals', 'NumericLessThan', 'NumericLessThanEquals', 'NumericGreaterThan', 'NumericGreaterThanEquals'],
  },
  date: {
    keys: ['aws:CurrentTime', 'aws:TokenIssueTime'],
    found: ['2026-01-31T12:00:00Z', '2026-01-31', '2026-01-31T13:00:00+01:00', '2030-01-01T00:00:00Z', 'soon'],
    asked: ['2026-01-31T12:00:00Z', '2026-01-31', '2030-01-01T00:00:00Z', '2020-01-01T00:00:00.5Z'],
    operators: ['DateEquals', 'DateNotEquals', 'DateLessThan', 'DateLessThanEquals', 'DateGreaterThan', 'DateGreaterThanEquals'],
  },
  bool: {
    keys: ['aws:MultiFactorAuthPresent', 'aws:SecureTransport'],
    found: ['true', 'false', 'True', 'yes'],
    asked: ['true', 'false', 'True'],
    operators: ['Bool'],
  },
  address: {
    keys: ['aws:SourceIp', 'aws:VpcSourceIp'],
    found: ['10.1.2.3', '192.168.0.7', '203.0.113.9', '2001:db8::1', '2001:db8:1::2', 'localhost'],
    asked: ['10.0.0.0/8', '192.168.0.0/16', '203.0.113.9', '203.0.113.9/32', '0.0.0.0/0', '2001:db8::/32', '2001:db8::/64', '::/0'],
    operators: ['IpAddress', 'NotIpAddress'],
  },
  arn: {
    keys: ['aws:PrincipalArn', 'aws:SourceArn'],
    found: [USER, ROLE, 'arn:aws:sns:eu-west-1:111122223333:topic', 'arn:aws:s3:::bucket', 'topic'],
    asked: [USER, ROLE, 'arn:aws:iam::*:role/*', 'arn:aws:iam::111122223333:user/*', 'arn:aws:sns:*:*:topic', 'arn:aws:sns:*', 'arn:aws:s3:::*', 'arn:aws:iam::*:user/team/${aws:username}', 'arn:aws:*:*:*:*'],
    operators: ['ArnEquals', 'ArnLike', 'ArnNotEquals', 'ArnNotLike'],
  },
  binary: { keys: ['x:binary'], found: ['QUJD', 'QUI='], asked: ['QUJD', 'QQ=='], operators: ['BinaryEquals'] },
};
const TYPE_NAMES = Object.keys(TYPES);

/** Draws lines. */
export class Generator {
  constructor(seed) {
    this.random = randomOf(seed);
    this.pool = [];
  }

  chance(p) { return this.random() < p; }
  upTo(n) { return Math.floor(this.random() * n); }
  one(list) { return list[this.upTo(list.length)]; }
  some(list, most) { return Array.from({ length: 1 + this.upTo(most) }, () => this.one(list)); }
  weighted(pairs) {
    let at = this.random() * pairs.reduce((sum, [, weight]) => sum + weight, 0);
    return (pairs.find(([, weight]) => (at -= weight) < 0) ?? pairs[0])[0];
  }

  line(id) {
    const service = this.one(SERVICES);
    const principal = this.weighted(ASKERS);
    const resource = this.one(service.resources);
    const request = { principal, action: this.one(service.actions), resource, context: this.context() };
    if (principal === SESSION && this.chance(0.9)) request.role = ROLE;
    if (service.account) request.resource_account = this.chance(0.75) ? ACCOUNT : OTHER;
    const line = { id, request };
    const own = typeof principal === 'string' && principal !== '*';
    if (own && this.chance(0.9)) line.identity_policies = this.documents(service, 3);
    if (own && this.chance(0.2)) line.group_policies = this.documents(service, 2);
    if (own && principal !== ROOT && principal !== FEDERATED && this.chance(0.25)) line.permissions_boundary = this.document(service);
    if (own && principal !== ROOT && principal !== USER && this.chance(principal === FEDERATED ? 0.8 : 0.3)) line.session_policies = this.documents(service, 2);
    if (this.chance(0.6)) line.resource_policy = this.document(service, service.trust ? 'trust' : 'resource');
    if (own && this.chance(0.3)) line.service_control_policies = Array.from({ length: 1 + this.upTo(3) }, () => this.documents(service, 2, 'control'));
    if (this.chance(0.2)) line.resource_control_policies = Array.from({ length: 1 + this.upTo(2) }, () => this.documents(service, 1, 'resource control'));
    return line;
  }

  documents(service, most, kind) { return Array.from({ length: 1 + this.upTo(most) }, () => this.document(service, kind)); }

  document(service, kind) {
    const statements = Array.from({ length: 1 + this.upTo(3) }, () => this.statement(service, kind));
    if (kind === 'control' && this.chance(0.7)) statements.push({ Effect: 'Allow', Action: '*', Resource: '*' });
    const old = kind !== 'control' && kind !== 'resource control' && this.chance(0.08);
    return { Version: old ? '2008-10-17' : '2012-10-17', Statement: statements.length === 1 && this.chance(0.5) ? statements[0] : statements };
  }

  statement(service, kind) {
    const deny = kind === 'resource control' || this.chance(0.25);
    const statement = { Effect: deny ? 'Deny' : 'Allow' };
    const trust = kind === 'trust';
    const actions = trust ? ACTION_PATTERNS.filter((action) => action.startsWith('sts:')) : [...ACTION_PATTERNS, ...service.actions, ...service.actions, '*'];
    statement[this.chance(0.12) && !trust ? 'NotAction' : 'Action'] = this.single(this.some(actions, 3));
    if (!trust) {
      const patterns = this.chance(0.3) ? ['*'] : this.some([...service.patterns, ...service.resources], 3);
      statement[this.chance(0.12) ? 'NotResource' : 'Resource'] = this.single(patterns);
    }
    if (kind === 'resource control') statement.Principal = '*';
    else if (kind) {
      if (kind !== 'control') statement[deny && !trust && this.chance(0.2) ? 'NotPrincipal' : 'Principal'] = this.one(PRINCIPALS);
    }
    const conditions = this.weighted([[0, 45], [1, 35], [2, 15], [3, 5]]);
    for (let at = 0; at < conditions; at += 1) this.condition((statement.Condition ??= {}));
    return statement;
  }

  single(list) { return list.length === 1 && this.chance(0.7) ? list[0] : list; }

  condition(into) {
    const type = TYPES[this.one(TYPE_NAMES)];
    // Now and then a key of another type, as people do.
    const keys = this.chance(0.06) ? TYPES[this.one(TYPE_NAMES)].keys : type.keys;
    if (this.chance(0.1)) {
      (into[this.chance(0.1) ? 'ForAllValues:Null' : 'Null'] ??= {})[this.one(keys)] = this.one(['true', 'false', true, false]);
      return;
    }
    const set = this.weighted(type.many ? [['ForAllValues:', 45], ['ForAnyValue:', 45], ['', 10]] : [['', 88], ['ForAllValues:', 6], ['ForAnyValue:', 6]]);
    const operator = `${set}${this.one(type.operators)}${this.chance(0.15) ? 'IfExists' : ''}`;
    (into[operator] ??= {})[this.one(keys)] = this.single(this.some(type.asked, 3));
  }

  context() {
    const context = {};
    for (const name of TYPE_NAMES) {
      const type = TYPES[name];
      for (const key of type.keys) {
        if (Object.keys(context).some((known) => known.toLowerCase() === key.toLowerCase())) continue;
        if (!this.chance(0.55)) continue;
        const from = this.chance(0.03) ? TYPES[this.one(TYPE_NAMES)].found : type.found;
        const many = type.many ? !this.chance(0.1) : this.chance(0.04);
        context[key] = many ? Array.from({ length: this.upTo(4) }, () => this.one(from)) : this.one(from);
      }
    }
    if (this.chance(0.8)) context['aws:PrincipalAccount'] = ACCOUNT;
    return context;
  }
}
