//! Every principal, every way to name it, and every layer there or not there: who is allowed by AWS's tables
//! ("Resource-based policies and implicit denies in other policy types", "Cross-account policy evaluation logic" and
//! "AWS JSON policy elements: Principal" of the IAM User Guide), which are written down here and not computed.

#![cfg(test)]

use reeve_evaluator::{
    Context, Effect, Kind, Policies, Policy, PolicySet, Principal, Request, Standing, decide, explain,
};
use serde_json::{Value as Json, json};

const ACCOUNT: &str = "111122223333";
const OTHER: &str = "444455556666";
const USER: &str = "arn:aws:iam::111122223333:user/u";
const ROLE: &str = "arn:aws:iam::111122223333:role/r";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/r/s";
const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/f";
const SERVICE: &str = "logs.amazonaws.com";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    User,
    Session,
    Federated,
    Root,
    Service,
    Anonymous,
}

/// How the resource's policy names the principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    /// There is no policy.
    NoPolicy,
    /// It names somebody else.
    Not,
    Account,
    /// The role of a session, the user behind a federated session.
    Behind,
    Itself,
    Everyone,
    EveryoneOfAws,
}

/// What a layer that may be absent says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Absent,
    Allows,
    Silent,
}

/// Which resource is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Object,
    /// An object whose policy must allow, as a key's must.
    Key,
    /// A role that is to be assumed.
    Role,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    who: Who,
    named: Named,
    what: What,
    same_account: bool,
    identity: bool,
    boundary: Layer,
    session: Layer,
}

/// What the principal's own policies come to, for those who have some.
fn own(row: &Row) -> bool {
    let session = match row.session {
        Layer::Allows => true,
        Layer::Silent => false,
        // "If the principal is a role session, then the request is Allowed. Otherwise, the request is implicitly denied."
        Layer::Absent => row.who != Who::Federated,
    };
    row.identity && row.boundary != Layer::Silent && session
}

/// Within the boundary and the session policies, whatever the identity policies say.
fn bounded(row: &Row) -> bool {
    own(&Row { identity: true, ..*row })
}

fn allowed(row: &Row) -> bool {
    let names = |all: &[Named]| all.contains(&row.named);
    match row.who {
        Who::Service => names(&[Named::Itself, Named::Everyone]),
        Who::Anonymous => names(&[Named::Everyone, Named::EveryoneOfAws]),
        // "all requests are implicitly denied with the exception of the AWS account root user, which has full access":
        // like a user who may do everything, has no boundary, and is named as its account.
        Who::Root => {
            let named = if names(&[Named::Itself, Named::Behind]) { Named::Not } else { row.named };
            allowed(&Row { who: Who::User, named, identity: true, boundary: Layer::Absent, ..*row })
        }
        Who::User | Who::Session | Who::Federated => {
            let behind = row.who != Who::User && row.named == Named::Behind;
            let itself = names(&[Named::Itself, Named::Everyone, Named::EveryoneOfAws]);
            let granted = behind || itself || row.named == Named::Account;
            match (row.same_account, row.what) {
                (false, _) => granted && own(row),
                (true, What::Role) => granted && own(row) || (behind || itself) && bounded(row),
                (true, What::Key) => granted && own(row) || itself || behind && bounded(row),
                (true, What::Object) => own(row) || itself || behind && bounded(row),
            }
        }
    }
}

fn set(kind: Kind, statement: Json) -> PolicySet {
    let text = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    PolicySet::new([Policy::compile(&text, kind).unwrap()])
}

fn layer(kind: Kind, allows: bool) -> PolicySet {
    let action = if allows { "*" } else { "other:*" };
    set(kind, json!({"Effect": "Allow", "Action": action, "Resource": "*"}))
}

fn optional(kind: Kind, says: Layer) -> Option<PolicySet> {
    (says != Layer::Absent).then(|| layer(kind, says == Layer::Allows))
}

fn principal_element(row: &Row) -> Json {
    let aws = |name: &str| json!({"AWS": name});
    match (row.named, row.who) {
        (Named::Everyone, _) => json!("*"),
        (Named::EveryoneOfAws, _) => aws("*"),
        (Named::Account, _) => aws(ACCOUNT),
        (Named::Behind, Who::Session) => aws(ROLE),
        (Named::Behind, Who::Federated) | (Named::Itself, Who::User) => aws(USER),
        (Named::Itself, Who::Session) => aws(SESSION),
        (Named::Itself, Who::Federated) => aws(FEDERATED),
        (Named::Itself, Who::Service) => json!({"Service": SERVICE}),
        _ => json!({"AWS": "arn:aws:iam::111122223333:user/nobody", "Service": "sns.amazonaws.com"}),
    }
}

fn policies(row: &Row) -> Policies {
    let grant = json!({"Effect": "Allow", "Principal": principal_element(row), "Action": "sts:*"});
    let resource = match (row.named, row.what) {
        (Named::NoPolicy, _) => None,
        (_, What::Role) => Some(set(Kind::Trust, grant)),
        _ => {
            let mut grant = grant;
            grant["Action"] = json!("s3:*");
            Some(set(Kind::Resource, grant))
        }
    };
    Policies {
        identity: layer(Kind::Identity, row.identity),
        boundary: optional(Kind::Boundary, row.boundary),
        session: optional(Kind::Session, row.session),
        resource,
        ..Policies::default()
    }
}

fn principal(who: Who) -> Principal<'static> {
    match who {
        Who::User => Principal::User { arn: USER, id: "" },
        Who::Session => Principal::RoleSession { role_arn: ROLE, role_id: "", session_arn: SESSION },
        Who::Federated => Principal::FederatedUser { arn: FEDERATED, user_arn: USER, user_id: "" },
        Who::Root => Principal::Root { account: ACCOUNT },
        Who::Service => Principal::Service(SERVICE),
        Who::Anonymous => Principal::Anonymous,
    }
}

fn rows() -> Vec<Row> {
    use Layer::{Absent, Allows, Silent};
    let mut rows = Vec::new();
    for who in [Who::User, Who::Session, Who::Federated, Who::Root, Who::Service, Who::Anonymous] {
        for named in [
            Named::NoPolicy,
            Named::Not,
            Named::Account,
            Named::Behind,
            Named::Itself,
            Named::Everyone,
            Named::EveryoneOfAws,
        ] {
            for (what, same_account) in [
                (What::Object, true),
                (What::Object, false),
                (What::Key, true),
                (What::Key, false),
                (What::Role, true),
                (What::Role, false),
            ] {
                for (identity, boundary) in [true, false]
                    .into_iter()
                    .flat_map(|identity| [Absent, Allows, Silent].map(|it| (identity, it)))
                {
                    for session in [Absent, Allows, Silent] {
                        rows.push(Row { who, named, what, same_account, identity, boundary, session });
                    }
                }
            }
        }
    }
    rows
}

fn ask<'a>(row: &Row, context: &'a Context<'a>) -> Request<'a> {
    let owner = if row.same_account { ACCOUNT } else { OTHER };
    let (action, resource) = match (row.what, row.same_account) {
        (What::Role, true) => ("sts:AssumeRole", "arn:aws:iam::111122223333:role/target"),
        (What::Role, false) => ("sts:AssumeRole", "arn:aws:iam::444455556666:role/target"),
        _ => ("s3:GetObject", "arn:aws:s3:::b/k"),
    };
    let standing = Standing { resource_policy_required: row.what == What::Key, ..Standing::default() };
    Request { standing, ..Request::new(principal(row.who), action, resource, context).owned_by(owner) }
}

#[test]
fn every_row_of_the_table() {
    let context = Context::new();
    let rows = rows();
    for row in &rows {
        let (policies, request) = (policies(row), ask(row, &context));
        let found = decide(&policies, &request);
        let expected = if allowed(row) { Effect::Allowed } else { Effect::ImplicitDeny };
        assert_eq!(
            found.effect,
            expected,
            "{row:?} {found:?} {:#?}",
            explain(&policies, &request).statements
        );
    }
    assert_eq!(rows.len(), 4_536);
}

#[test]
fn a_deny_in_any_layer_that_applies_outweighs_every_row() {
    let context = Context::new();
    let deny = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
    let everyone = json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"});
    for row in rows().iter().filter(|row| row.what != What::Role && row.identity) {
        let request = ask(row, &context);
        let base = policies(row);
        let has_account = !matches!(row.who, Who::Service | Who::Anonymous);
        let check = |changed: Policies, applies: bool, layer: &str| {
            let found = decide(&changed, &request).effect;
            let expected = if applies {
                Effect::ExplicitDeny
            } else if allowed(row) {
                Effect::Allowed
            } else {
                Effect::ImplicitDeny
            };
            assert_eq!(found, expected, "{layer} {row:?}");
        };
        let one = |kind| set(kind, deny.clone());
        check(
            Policies { resource: Some(set(Kind::Resource, everyone.clone())), ..base.clone() },
            true,
            "resource",
        );
        let identity = Policies { identity: one(Kind::Identity), ..base.clone() };
        // Root has no identity policies and no boundary.
        if row.who != Who::Root {
            check(identity, has_account, "identity");
            check(Policies { boundary: Some(one(Kind::Boundary)), ..base.clone() }, has_account, "boundary");
        }
        check(Policies { session: Some(one(Kind::Session)), ..base.clone() }, has_account, "session");
        let control = [one(Kind::ServiceControl)].into();
        check(Policies { service_control: control, ..base.clone() }, has_account, "service control");
        let control = [set(Kind::ResourceControl, everyone.clone())].into();
        check(Policies { resource_control: control, ..base.clone() }, true, "resource control");
    }
}

#[test]
fn control_policies_bind_by_account_and_standing() {
    let context = Context::new();
    let full = || layer(Kind::ServiceControl, true);
    let silent = || layer(Kind::ServiceControl, false);
    let nothing = PolicySet::default;
    let levels: [(&[PolicySet], bool); 7] = [
        (&[], true),
        (&[full()], true),
        (&[full(), full(), full()], true),
        (&[silent()], false),
        (&[full(), silent()], false),
        (&[nothing(), full()], false),
        (&[full(), nothing()], false),
    ];
    for row in rows().iter().filter(|row| row.what == What::Object && row.boundary == Layer::Absent) {
        for (levels, open) in &levels {
            for (management, linked) in [(false, false), (true, false), (false, true)] {
                let policies = Policies { service_control: (*levels).into(), ..policies(row) };
                let mut request = ask(row, &context);
                request.standing.principal_in_management_account = management;
                request.standing.service_linked_role = linked;
                let exempt = management || linked || matches!(row.who, Who::Service | Who::Anonymous);
                let expected = allowed(row) && (*open || exempt);
                assert_eq!(decide(&policies, &request).is_allowed(), expected, "{row:?} {levels:?} {exempt}");
            }
        }
    }
}
