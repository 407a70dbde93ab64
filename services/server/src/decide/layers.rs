//! The layers of policies of a line, compiled once by content: a file of a million lines holds a handful of documents,
//! and a line whose documents were seen before costs their lookup.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use quick_cache::unsync::Cache;
use quick_cache::{Equivalent, Weighter};
use reeve_evaluator::{Kind, Policies, Policy, PolicySet};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::line::Line;

/// About how many layers are kept compiled.
const LAYERS_EXPECTED: usize = 1024;
/// How much text the layers that are kept compiled may have been compiled from.
const TEXT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The layers that were compiled so far.
pub(crate) struct Layers(Cache<Key, Arc<[PolicySet]>, ByText>);

impl Default for Layers {
    fn default() -> Self {
        Self(Cache::with_weighter(LAYERS_EXPECTED, TEXT_BYTES_MAX, ByText))
    }
}

impl Layers {
    /// The policies of `line`; `trust` says that the resource's is a role's trust policy.
    pub(crate) fn policies(&mut self, line: &Line<'_>, trust: bool) -> Result<Policies, String> {
        let resource = if trust { Kind::Trust } else { Kind::Resource };
        let identity = Texts {
            kind: Kind::Identity,
            first: text(line.identity_policies),
            second: text(line.group_policies),
        };
        Ok(Policies {
            identity: self
                .only(identity, |texts| {
                    let own = list(texts.first, "identity_policies", Kind::Identity)?;
                    let of_groups = list(texts.second, "group_policies", Kind::Identity)?;
                    Ok(own.into_iter().chain(of_groups).collect())
                })?
                .unwrap_or_default(),
            boundary: self.only(Texts::one(Kind::Boundary, line.permissions_boundary), |texts| {
                Ok(vec![document(texts.first, "permissions_boundary".to_owned(), Kind::Boundary)?])
            })?,
            session: self
                .only(Texts::one(Kind::Session, line.session_policies), |texts| {
                    list(texts.first, "session_policies", Kind::Session)
                })?
                // No session policy was passed, rather than one that allows nothing.
                .filter(|set| !set.is_empty()),
            resource: self.only(Texts::one(resource, line.resource_policy), |texts| {
                Ok(vec![document(texts.first, "resource_policy".to_owned(), resource)?])
            })?,
            service_control: self.levels(
                Texts::one(Kind::ServiceControl, line.service_control_policies),
                "service_control_policies",
            )?,
            resource_control: self.levels(
                Texts::one(Kind::ResourceControl, line.resource_control_policies),
                "resource_control_policies",
            )?,
        })
    }

    /// A layer of one set; none when the line does not give it.
    fn only(
        &mut self,
        texts: Texts<'_>,
        compile: impl FnOnce(&Texts<'_>) -> Result<Vec<Policy>, String>,
    ) -> Result<Option<PolicySet>, String> {
        let sets = self.sets(texts, |texts| Ok(vec![PolicySet::new(compile(texts)?)]))?;
        Ok(sets.and_then(|sets| sets.first().cloned()))
    }

    fn levels(&mut self, texts: Texts<'_>, place: &str) -> Result<Arc<[PolicySet]>, String> {
        let kind = texts.kind;
        let sets = self.sets(texts, |texts| {
            let levels: Vec<&RawValue> = items(texts.first, place)?;
            let level = |(at, level): (usize, &&RawValue)| {
                list(level.get(), &format!("{place}[{at}]"), kind).map(PolicySet::new)
            };
            levels.iter().enumerate().map(level).collect()
        })?;
        Ok(sets.unwrap_or_default())
    }

    fn sets(
        &mut self,
        texts: Texts<'_>,
        compile: impl FnOnce(&Texts<'_>) -> Result<Vec<PolicySet>, String>,
    ) -> Result<Option<Arc<[PolicySet]>>, String> {
        if texts.first.is_empty() && texts.second.is_empty() {
            return Ok(None);
        }
        if let Some(sets) = self.0.get(&texts) {
            return Ok(Some(Arc::clone(sets)));
        }
        let sets: Arc<[PolicySet]> = compile(&texts)?.into();
        let key = Key { kind: texts.kind, first: texts.first.into(), second: texts.second.into() };
        self.0.insert(key, Arc::clone(&sets));
        Ok(Some(sets))
    }
}

fn text(raw: Option<&RawValue>) -> &str {
    raw.map_or("", RawValue::get)
}

fn list(text: &str, place: &str, kind: Kind) -> Result<Vec<Policy>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let documents: Vec<&RawValue> = items(text, place)?;
    let compiled = documents.iter().enumerate();
    compiled.map(|(at, raw)| document(raw.get(), format!("{place}[{at}]"), kind)).collect()
}

fn items<'t>(text: &'t str, place: &str) -> Result<Vec<&'t RawValue>, String> {
    serde_json::from_str(text).map_err(|_| format!("{place}: a list is wanted"))
}

/// A document under a name of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named<'t> {
    #[serde(borrow)]
    name: Option<Cow<'t, str>>,
    #[serde(borrow)]
    document: &'t RawValue,
}

/// Compiles the document at `place`, which is its name unless it brings one.
fn document(text: &str, place: String, kind: Kind) -> Result<Policy, String> {
    let (name, text) = match serde_json::from_str::<Named<'_>>(text) {
        Ok(named) => (named.name, named.document.get()),
        Err(_) => (None, text),
    };
    match Policy::compile(text, kind) {
        Ok(policy) => Ok(policy.named(name.map_or(place, Cow::into_owned))),
        Err(error) => Err(format!("{place}: {}: {}", error.code(), error.located())),
    }
}

/// What a layer was compiled from.
#[derive(PartialEq, Eq)]
struct Key {
    kind: Kind,
    first: Box<str>,
    second: Box<str>,
}

/// What a layer is to be compiled from: one text, or those of a principal and of its groups.
#[derive(Hash)]
struct Texts<'t> {
    kind: Kind,
    first: &'t str,
    second: &'t str,
}

impl<'t> Texts<'t> {
    fn one(kind: Kind, raw: Option<&'t RawValue>) -> Self {
        Self { kind, first: text(raw), second: "" }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Texts { kind: self.kind, first: &self.first, second: &self.second }.hash(state);
    }
}

impl Equivalent<Key> for Texts<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.kind == key.kind && *self.first == *key.first && *self.second == *key.second
    }
}

/// A layer weighs what its text does.
#[derive(Clone)]
struct ByText;

impl Weighter<Key, Arc<[PolicySet]>> for ByText {
    fn weight(&self, key: &Key, _: &Arc<[PolicySet]>) -> u64 {
        (key.first.len() + key.second.len()) as u64
    }
}
