//! A slow, obvious evaluator, written from the documentation: no index, no compiled patterns, no early exits.

use serde_json::{Value as Json, json};

#[derive(Clone, Debug)]
pub struct Statement {
    pub deny: bool,
    pub not_action: bool,
    pub actions: Vec<String>,
    pub not_resource: bool,
    pub resources: Vec<String>,
    pub conditions: Vec<Condition>,
    /// In resource policies, the `AWS` principals.
    pub principals: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Condition {
    pub operator: String,
    pub key: String,
    pub values: Vec<String>,
}

pub type Keys = Vec<(String, Vec<String>, bool)>;

/// Who asks: a user, or a session of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    User,
    Session,
}

pub const ACCOUNT: &str = "111122223333";
pub const OTHER: &str = "444455556666";
pub const USER: &str = "arn:aws:iam::111122223333:user/u";
pub const ROLE: &str = "arn:aws:iam::111122223333:role/r";
pub const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/r/s";

#[derive(Clone, Debug)]
pub struct World {
    pub identity: Vec<Statement>,
    pub boundary: Option<Vec<Statement>>,
    pub session: Option<Vec<Statement>>,
    pub resource: Option<Vec<Statement>>,
    pub control: Vec<Vec<Statement>>,
    pub caller: Caller,
    pub action: String,
    pub name: String,
    pub same_account: bool,
    pub keys: Keys,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Allowed,
    ExplicitDeny,
    ImplicitDeny,
}

impl Statement {
    pub fn json(&self) -> Json {
        let mut statement = json!({"Effect": if self.deny { "Deny" } else { "Allow" }});
        statement[if self.not_action { "NotAction" } else { "Action" }] = json!(self.actions);
        statement[if self.not_resource { "NotResource" } else { "Resource" }] = json!(self.resources);
        for condition in &self.conditions {
            statement["Condition"][&condition.operator][&condition.key] = json!(condition.values);
        }
        if !self.principals.is_empty() {
            statement["Principal"] = json!({"AWS": self.principals});
        }
        statement
    }

    fn applies(&self, world: &World) -> bool {
        let action = world.action.to_lowercase();
        let action = self.actions.iter().any(|pattern| glob(&pattern.to_lowercase(), &action));
        let resource = format!("arn:aws:s3:::{}", world.name);
        let filled: Vec<Option<String>> = self.resources.iter().map(|text| fill(text, &world.keys)).collect();
        let found = filled.iter().flatten().any(|pattern| glob(pattern, &resource));
        let null = filled.iter().any(Option::is_none);
        let resource = if self.not_resource { !found && (self.deny || !null) } else { found };
        let conditions = self.conditions.iter().all(|condition| condition.holds(&world.keys, self.deny));
        action != self.not_action && resource && conditions
    }
}

impl Condition {
    fn holds(&self, keys: &Keys, deny: bool) -> bool {
        let name = self.operator.trim_start_matches("ForAllValues:").trim_start_matches("ForAnyValue:");
        let all = self.operator.starts_with("ForAllValues:");
        let any = self.operator.starts_with("ForAnyValue:");
        let base = name.trim_end_matches("IfExists");
        let found =
            keys.iter().find(|(key, values, _)| key.eq_ignore_ascii_case(&self.key) && !values.is_empty());
        if base == "Null" {
            return self.values.iter().any(|value| (value == "true") == found.is_none());
        }
        let negated = base.contains("Not");
        let Some((_, values, multivalued)) = found else {
            return name.ends_with("IfExists") || all || (negated && !any);
        };
        let matches = |value: &String| {
            let one = self.values.iter().any(|expected| match fill(expected, keys) {
                None => false,
                Some(pattern) if base.ends_with("Like") => glob(&pattern, value),
                Some(text) if base.ends_with("IgnoreCase") => unescape(&text).eq_ignore_ascii_case(value),
                Some(text) => unescape(&text) == *value,
            });
            one != negated
        };
        let blank = values.iter().all(String::is_empty);
        match (all, any, multivalued) {
            (true, _, _) => values.iter().all(matches) || blank && deny,
            (_, true, _) => values.iter().any(matches) && (!blank || deny),
            (_, _, false) => matches(&values[0]),
            (_, _, true) => deny && values.iter().any(matches),
        }
    }
}

/// Replaces the variable `${k}`; wildcards in its value are escaped by a backslash.
fn fill(text: &str, keys: &Keys) -> Option<String> {
    let Some((before, after)) = text.split_once("${k}") else { return Some(text.to_owned()) };
    let (_, values, multivalued) = keys.iter().find(|(key, _, _)| key == "k")?;
    if *multivalued {
        return None;
    }
    let value: String = values[0].chars().flat_map(|c| ['\\', c]).collect();
    Some(format!("{before}{value}{after}"))
}

fn unescape(text: &str) -> String {
    text.replace('\\', "")
}

/// By the definition: a star is nothing, or one character and a star.
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len()).filter_map(|at| text.get(at..)).any(|text| glob(rest.as_str(), text)),
        Some(expected) => {
            let literal = if expected == '\\' { rest.next() } else { Some(expected).filter(|c| *c != '?') };
            let mut text = text.chars();
            text.next().is_some_and(|c| {
                literal.is_none_or(|literal| literal == c) && glob(rest.as_str(), text.as_str())
            })
        }
    }
}

pub fn decide(world: &World) -> Answer {
    let denies = |statements: &[Statement]| statements.iter().any(|s| s.deny && s.applies(world));
    let allows = |statements: &[Statement]| statements.iter().any(|s| !s.deny && s.applies(world));
    let us = [ACCOUNT, USER, ROLE, SESSION];
    let named = |statement: &Statement| match world.caller {
        Caller::User => statement.principals.iter().any(|p| p == "*" || p == ACCOUNT || p == USER),
        Caller::Session => {
            statement.principals.iter().any(|p| p == "*" || (us.contains(&p.as_str()) && p != USER))
        }
    };
    let resource: Vec<Statement> = world.resource.iter().flatten().filter(|s| named(s)).cloned().collect();
    let empty = Vec::new();
    let layers = [
        &world.identity,
        world.boundary.as_ref().unwrap_or(&empty),
        world.session.as_ref().unwrap_or(&empty),
    ];
    if denies(&resource) || layers.iter().any(|l| denies(l)) || world.control.iter().any(|l| denies(l)) {
        return Answer::ExplicitDeny;
    }
    let control = world.control.iter().all(|level| allows(level));
    let identity = allows(&world.identity);
    let boundary = world.boundary.as_ref().is_none_or(|layer| allows(layer));
    let session = world.session.as_ref().is_none_or(|layer| allows(layer));
    let granted = |principals: &[&str]| {
        resource.iter().any(|s| {
            !s.deny && s.applies(world) && s.principals.iter().any(|p| principals.contains(&p.as_str()))
        })
    };
    let own = identity && boundary && session;
    let direct = match world.caller {
        Caller::User => granted(&["*", USER]),
        Caller::Session => granted(&["*", SESSION]) || (granted(&[ROLE]) && boundary && session),
    };
    let open = if world.same_account { own || direct } else { own && allows(&resource) };
    if control && open { Answer::Allowed } else { Answer::ImplicitDeny }
}
