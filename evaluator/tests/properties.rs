//! The evaluator beside the model, on small random worlds, and beside nothing on hostile input.

#![cfg(test)]

mod model;

use model::{ACCOUNT, Answer, Caller, Condition, OTHER, ROLE, SESSION, Statement, USER, World};
use proptest::prelude::*;
use proptest::sample::select;
use reeve_evaluator::{
    Arn, Context, Effect, Kind, Policies, Policy, PolicySet, Principal, Request, Value, bind_principals,
    decide, explain, minify, wildcard_match,
};
use serde_json::json;

fn texts(from: &'static [&'static str], count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(select(from).prop_map(str::to_owned), count)
}

fn condition() -> impl Strategy<Value = Condition> {
    let bases = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"];
    let prefixed =
        (select(&["", "ForAllValues:", "ForAnyValue:"][..]), select(bases.to_vec()), any::<bool>()).prop_map(
            |(set, base, if_exists)| format!("{set}{base}{}", if if_exists { "IfExists" } else { "" }),
        );
    let compare = (prefixed, texts(&["a", "A", "ab", "a*", "?", "${k}", "x${k}", "*", ""], 0..3));
    let null = (Just("Null".to_owned()), texts(&["true", "false"], 1..2));
    (prop_oneof![4 => compare, 1 => null], select(&["k", "K", "m", "n"][..]))
        .prop_map(|((operator, values), key)| Condition { operator, key: key.to_owned(), values })
}

fn statement(principals: bool) -> impl Strategy<Value = Statement> {
    const ACTIONS: &[&str] =
        &["*", "s3:*", "s3:Get", "s3:get*", "S3:G?t", "s3:*t", "s3:GetMore", "ec2:*", "s3:Put"];
    const RESOURCES: &[&str] = &[
        "*",
        "arn:aws:s3:::*",
        "arn:aws:s3:::b/a",
        "arn:aws:s3:::b/*",
        "arn:aws:s3:::b/${k}",
        "arn:aws:s3:::b/${k}*",
        "arn:aws:s3:::?/a",
        "arn:aws:s3:::*a",
        "arn:aws:s3:::b",
    ];
    const PRINCIPALS: &[&str] = &["*", ACCOUNT, USER, ROLE, SESSION, OTHER];
    let names = if principals { texts(PRINCIPALS, 1..3).boxed() } else { Just(Vec::new()).boxed() };
    let nots = (prop::bool::weighted(0.2), prop::bool::weighted(0.2), prop::bool::weighted(0.25));
    let conditions = prop::collection::vec(condition(), 0..3).prop_map(|mut conditions| {
        // A document holds each operator and key once.
        conditions.sort_by(|a, b| (&a.operator, &a.key).cmp(&(&b.operator, &b.key)));
        conditions.dedup_by(|a, b| a.operator == b.operator && a.key == b.key);
        conditions
    });
    (nots, texts(ACTIONS, 1..4), texts(RESOURCES, 1..4), conditions, names).prop_map(
        |((not_action, not_resource, deny), actions, resources, conditions, principals)| Statement {
            deny,
            not_action,
            actions,
            not_resource,
            resources,
            conditions,
            principals,
        },
    )
}

fn layer(principals: bool) -> impl Strategy<Value = Vec<Statement>> {
    prop::collection::vec(statement(principals), 0..4)
}

fn world() -> impl Strategy<Value = World> {
    let one = select(&["a", "A", "ab", "*", "", "${k}"][..]).prop_map(|text| (vec![text.to_owned()], false));
    let many = texts(&["a", "ab", "b", ""], 0..3).prop_map(|values| (values, true));
    let value = prop::option::of(prop_oneof![one, many]);
    let keys = (value.clone(), value.clone(), value).prop_map(|(k, m, n)| {
        let named = [("k", k), ("m", m), ("n", n)];
        named
            .into_iter()
            .filter_map(|(key, value)| value.map(|(all, many)| (key.to_owned(), all, many)))
            .collect()
    });
    let layers = (
        layer(false),
        prop::option::weighted(0.3, layer(false)),
        prop::option::weighted(0.3, layer(false)),
        prop::option::weighted(0.6, layer(true)),
        prop::collection::vec(layer(false), 0..2),
    );
    let asked = (
        select(&[Caller::User, Caller::Session][..]),
        select(&["s3:Get", "s3:get", "s3:GetMore", "s3:Put", "ec2:Run"][..]),
        select(&["b/a", "b/ab", "b", "b/*", "c/a", "b/", "b/A"][..]),
        any::<bool>(),
    );
    (layers, asked, keys).prop_map(
        |((identity, boundary, session, resource, control), (caller, action, name, same_account), keys)| {
            World {
                identity,
                boundary,
                session,
                resource,
                control,
                caller,
                action: action.to_owned(),
                name: name.to_owned(),
                same_account,
                keys,
            }
        },
    )
}

fn set(statements: &[Statement], kind: Kind) -> PolicySet {
    // Every statement in its own document, so that the index spans documents.
    let compile = |statement: &Statement| {
        let text = json!({"Version": "2012-10-17", "Statement": statement.json()}).to_string();
        Policy::compile(&text, kind).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    statements.iter().map(compile).collect()
}

fn policies(world: &World) -> Policies {
    Policies {
        identity: set(&world.identity, Kind::Identity),
        boundary: world.boundary.as_ref().map(|layer| set(layer, Kind::Boundary)),
        session: world.session.as_ref().map(|layer| set(layer, Kind::Session)),
        resource: world.resource.as_ref().map(|layer| set(layer, Kind::Resource)),
        service_control: world.control.iter().map(|level| set(level, Kind::ServiceControl)).collect(),
        resource_control: [].into(),
    }
}

/// More than the default, unless PROPTEST_CASES says how many.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_500)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn the_evaluator_decides_like_the_model(world in world()) {
        let policies = policies(&world);
        let mut context = Context::new();
        for (key, values, many) in &world.keys {
            context.insert(key, if *many { Value::from(values) } else { Value::from(&values[0]) });
        }
        let resource = format!("arn:aws:s3:::{}", world.name);
        let principal = match world.caller {
            Caller::User => Principal::User { arn: USER, id: "" },
            Caller::Session => Principal::RoleSession { role_arn: ROLE, role_id: "", session_arn: SESSION },
        };
        let owner = if world.same_account { ACCOUNT } else { OTHER };
        let request = Request::new(principal, &world.action, &resource, &context).owned_by(owner);
        let decision = decide(&policies, &request);
        let found = match decision.effect {
            Effect::Allowed => Answer::Allowed,
            Effect::ExplicitDeny => Answer::ExplicitDeny,
            Effect::ImplicitDeny => Answer::ImplicitDeny,
        };
        prop_assert_eq!(found, model::decide(&world), "{:?}", explain(&policies, &request));
    }

    #[test]
    fn wildcards_match_like_their_definition(pattern in "[ab*?é]{0,8}", text in "[abé]{0,10}") {
        prop_assert_eq!(wildcard_match(&pattern, &text), model::glob(&pattern, &text));
    }

    #[test]
    fn no_text_makes_a_parser_fall_over(text in ".{0,80}", json in "[\\[\\]{}\":,a-z\\\\u0-9 ]{0,80}") {
        for text in [&text, &json] {
            let _ = Arn::parse(text);
            let _ = Policy::compile(text, Kind::Resource);
            let _ = wildcard_match(text, &json);
            if let Ok(small) = minify(text) {
                prop_assert_eq!(minify(&small).unwrap(), small);
            }
            let _ = bind_principals(text, |name| Ok::<_, ()>(Some(name.to_owned())));
        }
    }

    #[test]
    fn no_mutation_of_a_document_makes_the_compiler_fall_over(
        statement in statement(true), at in any::<prop::sample::Index>(), with in ".{0,3}", cut in 0_usize..4,
    ) {
        let text = json!({"Version": "2012-10-17", "Statement": [statement.json()]}).to_string();
        let mut characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len());
        characters.splice(at..(at + cut).min(characters.len()), with.chars());
        let mutated: String = characters.into_iter().collect();
        for kind in [Kind::Resource, Kind::Identity, Kind::Trust] {
            if let Err(error) = Policy::compile(&mutated, kind) {
                prop_assert!(!error.message.is_empty() && error.line >= 1 && error.column >= 1);
            }
        }
    }
}
