//! Finds the statements of a layer that may apply to a request without looking at the others.
//!
//! Statements are filed under the literal beginnings of their action patterns and, within those, of the names in
//! their resource patterns (the last field; regions and accounts are often wildcards). A request is looked up by all the beginnings of its own action and resource: a binary
//! search finds the longest one that is filed, and each knows the next shorter. So the cost depends on how many
//! statements are about something like the request, not on how many there are.

use crate::document::Policy;
use crate::pattern::Pattern;
use crate::segments::ArnPattern;
use crate::statement::Statement;

/// A statement that is filed under more pairs than this is filed by its actions alone.
const PAIRS_MAX: usize = 64;

/// Ends the keys of actions without wildcards, and the action looked up, so that only the whole action matches.
pub(crate) const END: u8 = 0;

const NO_PARENT: u32 = u32::MAX;

/// The index of one layer.
#[derive(Debug, Default)]
pub(crate) struct Index {
    actions: Box<[Node]>,
    resources: Box<[Node]>,
    postings: Box<[Posting]>,
}

/// One key: what is filed under it is `first..last` of the next table.
#[derive(Debug)]
struct Node {
    /// The first eight bytes of the key, which settle most comparisons.
    head: u64,
    key: Box<[u8]>,
    /// The longest other key that this one begins with.
    parent: u32,
    first: u32,
    last: u32,
}

/// A statement that may apply, and which of its elements need no second look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Posting {
    pub(crate) entry: u32,
    pub(crate) action_known: bool,
    pub(crate) resource_known: bool,
}

impl Index {
    /// Files the statements of `policies`, numbered in order.
    pub(crate) fn new(policies: &[Policy]) -> Self {
        let mut filed = Vec::new();
        let statements = policies.iter().flat_map(Policy::statements);
        for (entry, statement) in (0_u32..).zip(statements) {
            file(statement, entry, &mut filed);
        }
        filed.sort_unstable();
        filed.dedup();
        let mut tables = Tables::default();
        for run in filed.chunk_by(|a, b| a.action == b.action) {
            tables.push_action(run);
        }
        tables.finish()
    }

    /// Calls `visit` with every statement that may apply; `action` is in lower case and ends with [`END`],
    /// `name` is the last field of the resource.
    pub(crate) fn find(&self, action: &[u8], name: &[u8], mut visit: impl FnMut(Posting)) {
        for node in beginnings(&self.actions, action) {
            let resources = self.resources.get(node.first as usize..node.last as usize).unwrap_or_default();
            for node in beginnings(resources, name) {
                let postings = self.postings.get(node.first as usize..node.last as usize).unwrap_or_default();
                postings.iter().for_each(|posting| visit(*posting));
            }
        }
    }
}

/// The nodes of a sorted table whose keys `text` begins with, the longest first.
fn beginnings<'n>(nodes: &'n [Node], text: &[u8]) -> impl Iterator<Item = &'n Node> {
    let text_head = head(text);
    let after = nodes.partition_point(|node| node.is_up_to(text, text_head));
    let mut next = after.checked_sub(1).and_then(|at| nodes.get(at));
    // Whatever lies between a beginning of the text and the text itself begins likewise, so the beginnings are
    // all among the parents of the last key that is not greater.
    while let Some(node) = next
        && !node.begins(text, text_head)
    {
        next = nodes.get(node.parent as usize);
    }
    std::iter::successors(next, |node| nodes.get(node.parent as usize))
}

/// One line of the files before they are made tables.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Filed<'s> {
    action: Key<'s>,
    resource: &'s str,
    posting: Posting,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Key<'s> {
    text: &'s str,
    whole: bool,
}

impl Key<'_> {
    fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.text.bytes().chain(self.whole.then_some(END))
    }
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // As texts, with the end mark (which no pattern holds) before every other byte.
        self.text.cmp(other.text).then(self.whole.cmp(&other.whole))
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

fn file<'s>(statement: &'s Statement, entry: u32, filed: &mut Vec<Filed<'s>>) {
    let actions = &statement.actions;
    let patterns = if actions.negated { 1 } else { actions.patterns.len() };
    for at in 0..patterns {
        let pattern = actions.patterns.get(at).filter(|_| !actions.negated);
        let text = pattern.map_or("", Pattern::literal_prefix);
        let whole = matches!(pattern, Some(Pattern::Exact(_)));
        let action_known = whole || matches!(pattern, Some(Pattern::Prefix(_)));
        file_resources(statement, patterns, |resource, resource_known| {
            let posting = Posting { entry, action_known, resource_known };
            filed.push(Filed { action: Key { text, whole }, resource, posting });
        });
    }
}

fn file_resources<'s>(statement: &'s Statement, actions: usize, mut push: impl FnMut(&'s str, bool)) {
    let Some(resources) = &statement.resources else { return push("", true) };
    if !resources.negated && resources.patterns.iter().any(|pattern| matches!(pattern, ArnPattern::Any)) {
        return push("", true);
    }
    if resources.negated || actions.saturating_mul(resources.patterns.len()) > PAIRS_MAX {
        return push("", false);
    }
    for pattern in &resources.patterns {
        push(pattern.literal_name(), false);
    }
}

#[derive(Default)]
struct Tables {
    actions: Vec<Node>,
    resources: Vec<Node>,
    postings: Vec<Posting>,
}

impl Tables {
    /// Adds the lines of one action.
    fn push_action(&mut self, run: &[Filed<'_>]) {
        let first = self.resources.len();
        for run in run.chunk_by(|a, b| a.resource == b.resource) {
            let first_posting = self.postings.len();
            self.postings.extend(run.iter().map(|filed| filed.posting));
            let key = run.first().map_or("", |filed| filed.resource).as_bytes().into();
            self.resources.push(Node::new(key, first_posting, self.postings.len()));
        }
        link(self.resources.get_mut(first..).unwrap_or_default());
        let key = run.first().map(|filed| filed.action.bytes().collect()).unwrap_or_default();
        self.actions.push(Node::new(key, first, self.resources.len()));
    }

    fn finish(mut self) -> Index {
        link(&mut self.actions);
        Index {
            actions: self.actions.into(),
            resources: self.resources.into(),
            postings: self.postings.into(),
        }
    }
}

/// The first eight bytes as a number that compares as they do; a shorter text is filled up with zeros.
fn head(text: &[u8]) -> u64 {
    if let Some(first) = text.first_chunk::<8>() {
        return u64::from_be_bytes(*first);
    }
    text.iter()
        .zip([56, 48, 40, 32, 24, 16, 8])
        .fold(0, |head, (byte, shift)| head | u64::from(*byte) << shift)
}

impl Node {
    /// Whether the key comes before `text`, or is it.
    fn is_up_to(&self, text: &[u8], text_head: u64) -> bool {
        if self.head == text_head { *self.key <= *text } else { self.head < text_head }
    }

    /// Whether `text` begins with the key.
    fn begins(&self, text: &[u8], text_head: u64) -> bool {
        let length = self.key.len();
        if length >= 8 {
            return self.head == text_head && text.starts_with(&self.key);
        }
        let rest = u64::MAX >> (8 * length);
        length <= text.len() && (self.head ^ text_head) & !rest == 0
    }

    fn new(key: Box<[u8]>, first: usize, last: usize) -> Self {
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { head: head(&key), key, parent: NO_PARENT, first: narrow(first), last: narrow(last) }
    }
}

/// Sets the parents of a sorted table.
fn link(nodes: &mut [Node]) {
    let mut open: Vec<u32> = Vec::new();
    for at in 0..nodes.len() {
        let parent = loop {
            let Some(&last) = open.last() else { break NO_PARENT };
            let begins = match (nodes.get(at), nodes.get(last as usize)) {
                (Some(node), Some(parent)) => node.key.starts_with(&parent.key),
                _ => false,
            };
            if begins {
                break last;
            }
            open.pop();
        };
        if let Some(node) = nodes.get_mut(at) {
            node.parent = parent;
        }
        open.push(u32::try_from(at).unwrap_or(NO_PARENT));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(keys: &[&str]) -> Vec<Node> {
        let mut nodes: Vec<Node> = keys.iter().map(|key| Node::new(key.as_bytes().into(), 0, 0)).collect();
        nodes.sort_by(|a, b| a.key.cmp(&b.key));
        link(&mut nodes);
        nodes
    }

    /// Keys and texts of all lengths around eight bytes, which are compared at a glance.
    #[test]
    fn beginnings_are_what_a_text_begins_with() {
        let long = "abcdefghijkl";
        let mut texts: Vec<String> = Vec::new();
        for (at, _) in long.char_indices().chain([(long.len(), ' ')]) {
            let (before, after) = long.split_at(at);
            texts.push(before.to_owned());
            for (other, after) in [("!", ""), ("~", ""), ("\0", ""), ("!", after)] {
                texts.push(format!("{before}{other}{after}"));
            }
        }
        texts.extend([
            "\0".repeat(3),
            "\0".repeat(9),
            "abcdefgh\0".to_owned(),
            "é".to_owned(),
            "ab\u{ff}".to_owned(),
        ]);
        texts.sort();
        texts.dedup();
        for skipped in 0..3 {
            let keys: Vec<&str> =
                texts.iter().map(String::as_str).skip(skipped).step_by(skipped + 1).collect();
            let nodes = table(&keys);
            for text in &texts {
                let mut expected: Vec<&str> =
                    keys.iter().copied().filter(|key| text.starts_with(key)).collect();
                expected.sort_by_key(|key| std::cmp::Reverse(key.len()));
                let found: Vec<&[u8]> = beginnings(&nodes, text.as_bytes()).map(|node| &*node.key).collect();
                assert_eq!(found, expected.iter().map(|key| key.as_bytes()).collect::<Vec<_>>(), "{text:?}");
            }
        }
    }

    fn found(statements: &serde_json::Value, action: &str, name: &str) -> Vec<(u32, bool, bool)> {
        let text = serde_json::json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let policy = Policy::compile_builtin(&text, crate::Kind::Identity).unwrap();
        let mut found = Vec::new();
        Index::new(&[policy]).find(format!("{action}\0").as_bytes(), name.as_bytes(), |posting| {
            found.push((posting.entry, posting.action_known, posting.resource_known));
        });
        found.sort_unstable();
        found
    }

    #[test]
    fn a_statement_is_found_by_its_action_and_its_resource_alone() {
        let statements = serde_json::json!([
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/home/*"},
            {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"},
            {"Effect": "Allow", "Action": ["s3:*Object", "sqs:*"], "Resource": ["arn:aws:s3:::b/*/x", "arn:aws:s3:::c"]},
            {"Effect": "Allow", "NotAction": "s3:PutObject", "Resource": "arn:aws:s3:::b"},
            {"Effect": "Allow", "Action": "s3:PutObject", "NotResource": "arn:aws:s3:::b/*"},
        ]);
        for (action, name, expected) in [
            (
                "s3:getobject",
                "b/home/x",
                vec![(0, true, false), (1, true, true), (2, false, false), (3, false, false)],
            ),
            ("s3:getobject", "c", vec![(1, true, true), (2, false, false)]),
            ("s3:getobjects", "b/home/x", vec![(1, true, true), (2, false, false), (3, false, false)]),
            ("s3:putobject", "x", vec![(4, true, false)]),
            ("sqs:send", "c", vec![(2, true, false)]),
            ("ec2:run", "b", vec![(3, false, false)]),
            ("ec2:run", "a", vec![]),
        ] {
            assert_eq!(found(&statements, action, name), expected, "{action} {name}");
        }
    }

    #[test]
    fn a_statement_of_too_many_pairs_is_found_by_its_actions() {
        for (actions, resources) in [(8, 8), (1, 64), (64, 1), (13, 5), (1, 65), (65, 1)] {
            let actions: Vec<String> = (0..actions).map(|at| format!("s3:A{at}")).collect();
            let named: Vec<String> = (0..resources).map(|at| format!("arn:aws:s3:::b{at}")).collect();
            let filed_by_both = actions.len() * named.len() <= PAIRS_MAX;
            let statements = serde_json::json!([{"Effect": "Allow", "Action": actions, "Resource": named}]);
            let elsewhere = if filed_by_both { vec![] } else { vec![(0, true, false)] };
            assert_eq!(found(&statements, "s3:a0", "other"), elsewhere, "{} {resources}", actions.len());
            assert_eq!(found(&statements, "s3:a0", "b0").len(), 1);
            assert_eq!(found(&statements, "s3:b", "b0"), []);
        }
    }

    #[test]
    fn all_beginnings_are_found_and_nothing_else() {
        let nodes = table(&["", "a", "ab", "abc", "abd", "b", "abcde", "ac"]);
        let found = |text: &str| -> Vec<String> {
            beginnings(&nodes, text.as_bytes())
                .map(|node| String::from_utf8_lossy(&node.key).into_owned())
                .collect()
        };
        assert_eq!(found("abcd"), ["abc", "ab", "a", ""]);
        assert_eq!(found("abe"), ["ab", "a", ""]);
        assert_eq!(found("zz"), [""]);
        assert_eq!(found(""), [""]);
        assert_eq!(found("abcdef"), ["abcde", "abc", "ab", "a", ""]);
        assert!(beginnings(&table(&["b"]), b"a").next().is_none());
        assert!(beginnings(&[], b"a").next().is_none());
    }
}
