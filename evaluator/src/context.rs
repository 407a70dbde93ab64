//! The condition context of one request: what the policy language may look at.
//!
//! Keys and values are borrowed from the caller's strings, so building a context costs one allocation and
//! looking a key up costs none.

use std::fmt;

use crate::without_case::{Folded, is_same_key};

/// The value of one condition key. Whether a key holds one value or several is part of its value: a list is
/// multivalued even when it has one element, because operators treat the two differently.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// One text.
    Text(&'a str),
    /// Several texts.
    Texts(&'a [&'a str]),
    /// Several texts, owned by the caller.
    Strings(&'a [String]),
    /// A boolean; `true` and `false` where a text is needed.
    Bool(bool),
    /// An integer; decimal digits where a text is needed.
    Integer(i64),
    /// A moment, in seconds since 1970-01-01 UTC; ISO 8601 where a text is needed.
    Time(i64),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [&'a str]> for Value<'a> {
    fn from(texts: &'a [&'a str]) -> Self {
        Self::Texts(texts)
    }
}

impl<'a, const N: usize> From<&'a [&'a str; N]> for Value<'a> {
    fn from(texts: &'a [&'a str; N]) -> Self {
        Self::Texts(texts)
    }
}

impl<'a> From<&'a [String]> for Value<'a> {
    fn from(texts: &'a [String]) -> Self {
        Self::Strings(texts)
    }
}

impl<'a> From<&'a Vec<String>> for Value<'a> {
    fn from(texts: &'a Vec<String>) -> Self {
        Self::Strings(texts)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

/// The condition keys of one request.
///
/// Keys are compared without case, in whatever script a tag's key is written. Inserting a key again replaces its value, so the keys that describe the
/// caller are inserted last, from the authenticated session, over whatever a request said.
#[derive(Clone, Default)]
pub struct Context<'a> {
    entries: Vec<Entry<'a>>,
}

#[derive(Clone, Copy)]
struct Entry<'a> {
    mark: Mark,
    prefix: &'a str,
    name: &'a str,
    value: Value<'a>,
}

impl<'a> Context<'a> {
    /// An empty context.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty context with room for `keys` keys.
    #[must_use]
    pub fn with_capacity(keys: usize) -> Self {
        Self { entries: Vec::with_capacity(keys) }
    }

    /// Sets `key`, replacing an earlier value of it.
    pub fn insert(&mut self, key: &'a str, value: impl Into<Value<'a>>) -> &mut Self {
        self.insert_tag("", key, value)
    }

    /// Sets the key `prefix` followed by `name`, without joining them: `("aws:PrincipalTag/", "team", "blue")`.
    pub fn insert_tag(&mut self, prefix: &'a str, name: &'a str, value: impl Into<Value<'a>>) -> &mut Self {
        let entry = Entry { mark: Mark::of(prefix, name), prefix, name, value: value.into() };
        match self.entries.iter_mut().find(|known| known.mark == entry.mark && known.is(prefix, name)) {
            Some(known) => *known = entry,
            None => self.entries.push(entry),
        }
        self
    }

    /// The value of `key`, compared without case.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        self.lookup(Mark::of("", key), key)
    }

    /// How many keys are set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no key is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Every key, as prefix and name, with its value, in the order of insertion.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str, Value<'a>)> + '_ {
        self.entries.iter().map(|entry| (entry.prefix, entry.name, entry.value))
    }

    /// `get` for a compiled key, whose mark is known already.
    pub(crate) fn lookup(&self, mark: Mark, key: &str) -> Option<Value<'a>> {
        let found = |entry: &&Entry<'_>| entry.mark == mark && (entry.is_spelled(key) || entry.is("", key));
        self.entries.iter().find(found).map(|entry| entry.value)
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(prefix, name, value)| (format!("{prefix}{name}"), value)))
            .finish()
    }
}

impl Entry<'_> {
    /// Whether the key is `key` to the letter, which is the quicker thing to find out.
    fn is_spelled(&self, key: &str) -> bool {
        key.strip_prefix(self.prefix) == Some(self.name)
    }

    fn is(&self, prefix: &str, name: &str) -> bool {
        if self.prefix.len() == prefix.len() {
            return is_same_key(self.prefix, prefix) && is_same_key(self.name, name);
        }
        // A compiled key is whole; what was inserted may be in two parts.
        if prefix.is_empty()
            && let Some((head, tail)) = name.split_at_checked(self.prefix.len())
            && is_same_key(tail, self.name)
            && is_same_key(head, self.prefix)
        {
            return true;
        }
        let whole = |prefix, name| Folded::of(prefix).chain(Folded::of(name));
        whole(self.prefix, self.name).eq(whole(prefix, name))
    }
}

/// What tells most keys apart at a glance: the length and the last eight bytes, without case. Two keys with
/// one mark are still compared in full, so a contrived collision costs time and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(u64);

impl Mark {
    pub(crate) fn of(prefix: &str, name: &str) -> Self {
        if !(prefix.is_ascii() && name.is_ascii()) {
            return Self::of_any(prefix, name);
        }
        let length = prefix.len() + name.len();
        if let Some(tail) = name.as_bytes().last_chunk::<8>() {
            return Self::new(*tail, length);
        }
        let mut tail = [0; 8];
        let bytes = name.bytes().rev().chain(prefix.bytes().rev());
        for (slot, byte) in tail.iter_mut().rev().zip(bytes) {
            *slot = byte;
        }
        Self::new(tail, length)
    }

    /// The same of keys beyond ASCII, whose length may depend on the case.
    fn of_any(prefix: &str, name: &str) -> Self {
        let (mut tail, mut length) = ([0; 8], 0);
        for character in Folded::of(prefix).chain(Folded::of(name)) {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                tail.rotate_left(1);
                if let Some(last) = tail.last_mut() {
                    *last = byte;
                }
                length += 1;
            }
        }
        Self::new(tail, length)
    }

    /// Bit five of every byte is set: both cases of a letter meet, and so do some other bytes, which is harmless.
    fn new(tail: [u8; 8], length: usize) -> Self {
        let tail = u64::from_le_bytes(tail) | 0x2020_2020_2020_2020;
        Self(tail ^ u64::try_from(length).unwrap_or(u64::MAX).rotate_right(8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_no_case_and_tags_need_no_joining() {
        let mut context = Context::new();
        context.insert("aws:UserName", "alice").insert_tag("aws:PrincipalTag/", "team", "blue");
        assert_eq!(context.get("AWS:username"), Some(Value::Text("alice")));
        assert_eq!(context.get("aws:principaltag/TEAM"), Some(Value::Text("blue")));
        assert_eq!(context.get("aws:PrincipalTag/teams"), None);
    }

    #[test]
    fn the_last_insertion_of_a_key_stands() {
        let mut context = Context::new();
        context.insert("aws:PrincipalTag/a", "request").insert_tag("aws:PrincipalTag/", "A", "session");
        assert_eq!(context.len(), 1);
        assert_eq!(context.get("aws:PrincipalTag/a"), Some(Value::Text("session")));
    }

    #[test]
    fn short_and_empty_keys_are_keys_too() {
        let mut context = Context::new();
        context.insert("", "nothing").insert("a", "one").insert_tag("a", "b", "two");
        assert_eq!(context.get(""), Some(Value::Text("nothing")));
        assert_eq!(context.get("A"), Some(Value::Text("one")));
        assert_eq!(context.get("ab"), Some(Value::Text("two")));
    }

    #[test]
    fn keys_that_end_alike_are_not_alike() {
        let mut context = Context::new();
        context.insert("x:a/12345678", "1").insert("x:b/12345678", "2");
        context.insert_tag("t/", "a12345678", "3").insert_tag("t/", "b12345678", "4");
        context.insert_tag("u/", "a12345678", "5").insert("Ü/a12345678", "6").insert("Ö/a12345678", "7");
        assert_eq!((context.len(), context.is_empty(), Context::new().is_empty()), (7, false, true));
        for (key, value) in [
            ("x:a/12345678", "1"),
            ("X:B/12345678", "2"),
            ("t/a12345678", "3"),
            ("T/B12345678", "4"),
            ("u/a12345678", "5"),
            ("ü/a12345678", "6"),
            ("ö/A12345678", "7"),
        ] {
            assert_eq!(context.get(key), Some(Value::Text(value)), "{key}");
        }
        for missing in ["x:c/12345678", "v/a12345678", "u/b12345678", "ä/a12345678", "12345678"] {
            assert_eq!(context.get(missing), None, "{missing}");
        }
    }

    #[test]
    fn a_letter_of_ascii_may_be_the_other_case_of_one_that_is_not() {
        let mut context = Context::new();
        context.insert("\u{212a}", "kelvin").insert_tag("aws:PrincipalTag/", "\u{212a}elvin", "tag");
        assert_eq!(context.get("k"), Some(Value::Text("kelvin")));
        assert_eq!(context.get("aws:PrincipalTag/Kelvin"), Some(Value::Text("tag")));
    }

    #[test]
    fn what_was_put_in_is_told_in_its_order() {
        let mut context = Context::with_capacity(2);
        context.insert("b", "1").insert_tag("a/", "c", true);
        let told: Vec<_> = context.iter().collect();
        assert_eq!(told, [("", "b", Value::Text("1")), ("a/", "c", Value::Bool(true))]);
        assert_eq!(format!("{context:?}"), r#"{"b": Text("1"), "a/c": Bool(true)}"#);
    }

    #[test]
    fn keys_beyond_ascii_have_no_case_either() {
        let mut context = Context::new();
        context.insert_tag("aws:PrincipalTag/", "GRÖSSE", "one").insert("aws:PrincipalTag/größe", "two");
        context.insert_tag("aws:RequestTag/", "größsE", "three").insert("Ǆ\u{212a}", "four");
        assert_eq!(context.get("aws:principaltag/grösse"), Some(Value::Text("one")));
        assert_eq!(context.get("AWS:PRINCIPALTAG/GRÖßE"), Some(Value::Text("two")), "ß is no SS");
        assert_eq!(context.get("aws:RequestTag/grÖßSe"), Some(Value::Text("three")));
        assert_eq!(context.get("ǆk"), Some(Value::Text("four")), "the cases of a letter differ in length");
        assert_eq!(context.get("aws:RequestTag/grosse"), None);
        context.insert("aws:requesttag/GRÖßSE", "again").insert_tag("aws:", "requesttag/größse", "last");
        assert_eq!((context.len(), context.get("aws:RequestTag/größse")), (4, Some(Value::Text("last"))));
    }
}
