//! What a request gives to the conditions of policies: what its members say, and what the caller's session passes on.

use reeve_directory::record::StoredTag;
use reeve_directory::tag::is_same_key;
use reeve_evaluator::Context;
use reeve_proto::{Fields, Value};

use super::Question;

/// What the request gives to conditions: the members that supply keys, its tags, and what the caller's session passes
/// on to the sessions that it makes.
pub(super) struct Given<'a> {
    keys: Vec<(&'static str, Value<'a>)>,
    tags: Vec<(&'a str, &'a str)>,
    tag_keys: Vec<&'a str>,
    passed_on: Vec<&'a StoredTag>,
    passed_on_keys: Vec<&'a str>,
    source_identity: &'a str,
}

impl<'a> Given<'a> {
    pub(super) fn of(question: &Question<'a>) -> Self {
        let mut given = Self {
            keys: Vec::new(),
            tags: Vec::new(),
            tag_keys: Vec::new(),
            passed_on: Vec::new(),
            passed_on_keys: Vec::new(),
            source_identity: "",
        };
        for (index, member) in question.request.members().iter().enumerate() {
            let value = question.request.get(index);
            if !member.context_key.is_empty() && value.is_present() {
                given.keys.push((member.context_key, value));
            } else if let Some(number) = member.context_default {
                given.keys.push((member.context_key, Value::Integer(number)));
            }
            if let (true, Value::Messages(tags)) = (member.request_tags, value) {
                given.add_tags(tags);
            }
        }
        if question.spec.inherits_session {
            given.passed_on = question.caller.transitive_tags().collect();
            given.source_identity =
                question.caller.session_record().map_or("", |record| record.source_identity.as_str());
            given.merge_passed_on();
        }
        given
    }

    fn add_tags(&mut self, tags: &'a dyn reeve_proto::FieldList) {
        for tag in (0..tags.count()).filter_map(|index| tags.at(index)) {
            if let Value::Text(key) = tag.get(0) {
                let value = if let Value::Text(value) = tag.get(1) { value } else { "" };
                self.tags.push((key, value));
                self.tag_keys.push(key);
            }
        }
    }

    fn merge_passed_on(&mut self) {
        for tag in &self.passed_on {
            if !self.tag_keys.iter().any(|key| is_same_key(key, &tag.key)) {
                self.tags.push((&tag.key, &tag.value));
                self.tag_keys.push(&tag.key);
            }
            self.passed_on_keys.push(&tag.key);
        }
        let given = self.keys.iter().position(|(key, _)| *key == "sts:TransitiveTagKeys");
        if let Some((_, Value::Texts(keys))) = given.map(|index| self.keys.swap_remove(index)) {
            self.passed_on_keys.extend(keys.iter().map(String::as_str));
        }
        if !self.source_identity.is_empty() && !self.keys.iter().any(|(key, _)| *key == "sts:SourceIdentity")
        {
            self.keys.push(("sts:SourceIdentity", Value::Text(self.source_identity)));
        }
    }

    pub(super) fn describe<'c>(&'c self, context: &mut Context<'c>) {
        for (key, value) in &self.keys {
            match *value {
                Value::Text(text) => context.insert(key, text),
                Value::Integer(number) => context.insert(key, number),
                Value::Boolean(is) => context.insert(key, is),
                Value::Texts(texts) => context.insert(key, texts),
                Value::Absent | Value::Message(_) | Value::Messages(_) => continue,
            };
        }
        for (key, value) in &self.tags {
            context.insert_tag("aws:RequestTag/", key, *value);
        }
        if !self.tag_keys.is_empty() {
            context.insert("aws:TagKeys", self.tag_keys.as_slice());
        }
        if !self.passed_on_keys.is_empty() {
            context.insert("sts:TransitiveTagKeys", self.passed_on_keys.as_slice());
        }
    }

    /// Whether the caller's session passes on what the member at `when` would give.
    pub(super) fn inherits(&self, request: &dyn Fields, when: &[usize]) -> bool {
        let member = when.first().and_then(|index| request.members().get(*index));
        member.is_some_and(|member| {
            (member.request_tags && !self.passed_on.is_empty())
                || (member.context_key == "sts:SourceIdentity" && !self.source_identity.is_empty())
        })
    }
}
