//! AWS's own models as the judge of the protos: every operation that AWS has takes and gives what AWS's does, under AWS's
//! names. So every SDK's requests are understood and its responses have a place, whatever the protocol. The models were
//! printed from botocore into `aws/models.txt`; `.ci/run` prints them again and compares.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToUpperCamelCase as _;
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};
use reeve_proto::OPERATIONS;

const MODELS: &str = include_str!("aws/models.txt");

/// What AWS has and Reeve has not: message, member, and why.
const MISSING: &[(&str, &str, &str)] = &[
    ("AssumeRoleRequest", "MinimumSessionTokenSize", TOKEN_SIZE),
    ("AssumeRoleRequest", "ProvidedContexts", IDENTITY_CENTER),
    ("AssumeRoleResponse", "SessionTokenSize", TOKEN_SIZE),
    ("AssumeRoleResponse", "SessionTokenUtilization", TOKEN_SIZE),
    ("AssumeRoleWithWebIdentityRequest", "MinimumSessionTokenSize", TOKEN_SIZE),
    ("AssumeRoleWithWebIdentityResponse", "SessionTokenSize", TOKEN_SIZE),
    ("AssumeRoleWithWebIdentityResponse", "SessionTokenUtilization", TOKEN_SIZE),
    ("AssumeRoleWithWebIdentityResponse", "TrustedIdentityPropagationContext", IDENTITY_CENTER),
    ("CreateLoginProfileRequest", "MaxSigninSessionDuration", SIGN_IN_LENGTH),
    ("CreateOpenIDConnectProviderRequest", "ContextProvider", IDENTITY_CENTER),
    ("CreateOpenIDConnectProviderRequest", "IdentityCenterInstanceArn", IDENTITY_CENTER),
    ("CreateRoleRequest", "MaxSigninSessionDuration", SIGN_IN_OF_ROLES),
    ("GetMFADeviceResponse", "Certifications", "virtual devices have none"),
    ("GetOpenIDConnectProviderResponse", "ContextProvider", IDENTITY_CENTER),
    ("GetOpenIDConnectProviderResponse", "IdentityCenterInstanceArn", IDENTITY_CENTER),
    ("GetOpenIDConnectProviderResponse", "IdentityStoreArn", IDENTITY_CENTER),
    ("GetSessionTokenRequest", "MinimumSessionTokenSize", TOKEN_SIZE),
    ("GetSessionTokenResponse", "SessionTokenSize", TOKEN_SIZE),
    ("GetSessionTokenResponse", "SessionTokenUtilization", TOKEN_SIZE),
    ("GetWebIdentityTokenRequest", "Scope", IDENTITY_PROPAGATION),
    ("GetWebIdentityTokenRequest", "SubjectMode", IDENTITY_PROPAGATION),
    ("LoginProfile", "MaxSigninSessionDuration", SIGN_IN_LENGTH),
    ("OpenIDConnectProviderListEntry", "IsTrustedIdentityPropagationEnabled", IDENTITY_CENTER),
    ("Role", "MaxSigninSessionDuration", SIGN_IN_OF_ROLES),
    ("Role", "SourceRoleTemplate", "roles are not made from templates here"),
    ("UpdateLoginProfileRequest", "MaxSigninSessionDuration", SIGN_IN_LENGTH),
    ("UpdateLoginProfileRequest", "ResetMaxSigninSessionDuration", SIGN_IN_LENGTH),
    ("UpdateRoleRequest", "MaxSigninSessionDuration", SIGN_IN_OF_ROLES),
    ("UpdateRoleRequest", "ResetMaxSigninSessionDuration", SIGN_IN_OF_ROLES),
];
/// What is required here and not there, or the other way round: message, member, and why.
const OTHERWISE_REQUIRED: &[(&str, &str, &str)] = &[
    ("CreateLoginProfileRequest", "Password", "AWS leaves it out for roots that sign in once without one"),
    ("EnableMFADeviceRequest", "UserName", ROOT_DEVICES),
    ("ResyncMFADeviceRequest", "UserName", ROOT_DEVICES),
];
/// What Reeve has beside AWS's operations.
const EXTENSIONS: &[&str] = &[
    "iam:DeleteOpenIDConnectProviderClaimMapping",
    "iam:GetOpenIDConnectProviderClaimMapping",
    "iam:PutOpenIDConnectProviderClaimMapping",
    "sts:GetServiceBearerToken",
];
const IDENTITY_CENTER: &str = "IAM Identity Center gives and takes it; Reeve has none";
const ROOT_DEVICES: &str = "root has devices as users have, and no name";
const IDENTITY_PROPAGATION: &str = "sessions here carry no trusted identity propagation context";
const TOKEN_SIZE: &str = "a token's size is not chosen here, and its limit is one";
const SIGN_IN_LENGTH: &str = "how long a sign-in lasts is said when signing in";
const SIGN_IN_OF_ROLES: &str = "roles do not sign in at a console of Reeve's";

/// AWS's members of a request, a response or a structure.
type Members = BTreeMap<&'static str, Member>;

#[derive(Debug)]
struct Member {
    kind: &'static str,
    is_required: bool,
}

#[derive(Default)]
struct Models {
    /// `iam:TagUser`: request and response.
    operations: BTreeMap<String, (Members, Members)>,
    /// `iam:Tag`.
    structures: BTreeMap<String, Members>,
}

impl Models {
    fn read() -> Self {
        let mut models = Self::default();
        let mut service = "";
        for line in MODELS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[') {
                service = name.trim_end_matches(']');
            } else if let Some(operation) = line.strip_prefix("operation ") {
                let (request, response) = operation.split_once(" -> ").unwrap();
                let (name, request) = request.split_once('(').unwrap();
                let both = (members(request), members(response.trim_start_matches('(')));
                models.operations.insert(format!("{service}:{name}"), both);
            } else {
                let (name, written) = line.strip_prefix("structure ").unwrap().split_once('(').unwrap();
                models.structures.insert(format!("{service}:{name}"), members(written));
            }
        }
        models
    }
}

fn members(written: &'static str) -> Members {
    let written = written.strip_suffix(')').unwrap();
    let pairs = written.split(", ").filter_map(|pair| pair.split_once(": "));
    let member = |(name, kind): (&'static str, _)| {
        (name.trim_end_matches('!'), Member { kind, is_required: name.ends_with('!') })
    };
    pairs.map(member).collect()
}

/// The comparison of the protos with the models.
struct Comparison {
    pool: DescriptorPool,
    models: Models,
    /// What disagrees.
    faults: Vec<String>,
    /// What is missing, as far as it was met.
    missing: BTreeSet<(String, String)>,
    /// Structures that were compared.
    seen: BTreeSet<String>,
}

#[test]
fn the_protos_have_awss_shape() {
    let pool = DescriptorPool::decode(reeve_proto::DESCRIPTOR).unwrap();
    let mut models = Models::read();
    assert!(models.operations.len() > 180, "the models are not all there");
    let operations = std::mem::take(&mut models.operations);
    let mut comparison =
        Comparison { pool, models, faults: Vec::new(), missing: BTreeSet::new(), seen: BTreeSet::new() };
    let mut compared = 0;
    let is_aws = |spec: &&&reeve_proto::Spec| {
        matches!(spec.prefix, "iam" | "sts") && !EXTENSIONS.contains(&spec.action)
    };
    for spec in OPERATIONS.iter().filter(is_aws) {
        let Some((request, response)) = operations.get(spec.action) else {
            comparison.faults.push(format!("AWS has no {}", spec.action));
            continue;
        };
        comparison.message(spec.prefix, spec.request, request, true);
        comparison.message(spec.prefix, spec.response, response, false);
        compared += 1;
    }
    assert!(compared >= 70, "only {compared} operations were compared");
    assert!(comparison.faults.is_empty(), "{:#?}", comparison.faults);
    let declared: BTreeSet<(String, String)> =
        MISSING.iter().map(|(message, member, _)| ((*message).to_owned(), (*member).to_owned())).collect();
    assert_eq!(comparison.missing, declared, "what is missing has its reason, and what is not has none");
}

impl Comparison {
    fn message(&mut self, service: &str, name: &str, aws: &Members, is_request: bool) {
        let message = self.pool.get_message_by_name(name).unwrap();
        let fields: BTreeMap<String, FieldDescriptor> =
            message.fields().map(|field| (self.wire_name(&field), field)).collect();
        let at = message.name();
        for (name, member) in aws {
            let Some(field) = fields.get(*name) else {
                self.missing.insert((at.to_owned(), (*name).to_owned()));
                continue;
            };
            let kind = kind(field);
            if kind != member.kind {
                self.faults.push(format!("{at}.{name} is {kind}, and AWS's {}", member.kind));
            }
            let is_required = self.is_required(field);
            let otherwise =
                OTHERWISE_REQUIRED.iter().any(|(message, member, _)| (*message, *member) == (at, *name));
            if is_request && (is_required != member.is_required) != otherwise {
                self.faults.push(format!("{at}.{name} is required: {is_required}, and AWS's is not so"));
            }
        }
        for name in fields.keys().filter(|name| !aws.contains_key(name.as_str())) {
            self.faults.push(format!("AWS has no {at}.{name}"));
        }
        for inner in message.fields().filter_map(|field| structure(&field)) {
            self.structure(service, &inner, is_request);
        }
    }

    fn structure(&mut self, service: &str, message: &MessageDescriptor, is_request: bool) {
        let name = format!("{service}:{}", message.name());
        if !self.seen.insert(format!("{name} {is_request}")) {
            return;
        }
        match self.models.structures.remove(&name) {
            Some(aws) => {
                self.message(service, message.full_name(), &aws, is_request);
                self.models.structures.insert(name, aws);
            }
            None => self.faults.push(format!("AWS has no structure {name}")),
        }
    }

    fn wire_name(&self, field: &FieldDescriptor) -> String {
        let given = self.option(field, "wire_name");
        given.map_or_else(|| field.name().to_upper_camel_case(), |name| name.as_str().unwrap().to_owned())
    }

    /// As the build has it: a plain text is required, and what says so.
    fn is_required(&self, field: &FieldDescriptor) -> bool {
        let is_plain_text = field.kind() == Kind::String && !field.supports_presence() && !field.is_list();
        is_plain_text || self.option(field, "required").is_some()
    }

    fn option(&self, field: &FieldDescriptor, name: &str) -> Option<prost_reflect::Value> {
        let extension = self.pool.get_extension_by_name(&format!("reeve.operation.v1.{name}")).unwrap();
        let options = field.options();
        options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
    }
}

/// A field's type in the words of the models.
fn kind(field: &FieldDescriptor) -> String {
    if let (Kind::Message(entry), true) = (field.kind(), field.is_map()) {
        let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
        return format!("{{{}: {}}}", single(&key), single(&value));
    }
    let single = single(field);
    if field.is_list() { format!("[{single}]") } else { single }
}

fn single(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::String => "string".to_owned(),
        Kind::Int32 => "integer".to_owned(),
        Kind::Bool => "boolean".to_owned(),
        Kind::Bytes => "blob".to_owned(),
        Kind::Message(message) if is_timestamp(&message) => "timestamp".to_owned(),
        Kind::Message(message) => message.name().to_owned(),
        other => format!("{other:?}"),
    }
}

/// The message that a field holds, if it is a structure of AWS's.
fn structure(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) if !field.is_map() && !is_timestamp(&message) => Some(message),
        _ => None,
    }
}

fn is_timestamp(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.protobuf.Timestamp"
}
