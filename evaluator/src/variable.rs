//! Policy variables: `${aws:username}` and their defaults.
//!
//! A variable is replaced by the value of its key, literally: what a caller puts into a tag or a name is never
//! read as a wildcard or as another variable. A key that is missing or multivalued gives no value at all, and
//! then the text that holds the variable matches nothing; it never becomes the empty text.

use crate::context::{Context, Mark};
use crate::text::Text;

/// A variable inside a pattern.
#[derive(Debug)]
pub(crate) struct Variable {
    mark: Mark,
    key: Box<str>,
    default: Option<Box<str>>,
}

impl Variable {
    /// Reads what stands between `${` and `}`: a key, or a key and a quoted default. Spaces are part of the key, as they
    /// may be of a tag's.
    pub(crate) fn parse(inside: &str) -> Option<Self> {
        let (key, default) = match inside.split_once(',') {
            None => (inside, None),
            Some((key, default)) => {
                let default = default.trim().strip_prefix('\'')?.strip_suffix('\'')?;
                (key, Some(default.into()))
            }
        };
        let valid = !key.trim().is_empty() && !key.contains(['$', '{', '\'']);
        valid.then(|| Self { mark: Mark::of("", key), key: key.into(), default })
    }

    /// The variable's text for this request; none when it has no value.
    pub(crate) fn text<'v>(&'v self, context: &Context<'v>) -> Option<Text<'v>> {
        let found = context.lookup(self.mark, &self.key).and_then(Text::of);
        found.or_else(|| self.default.as_deref().map(Text::Borrowed))
    }

    pub(crate) fn write(&self, out: &mut String) {
        out.push_str("${");
        out.push_str(&self.key);
        if let Some(default) = &self.default {
            out.push_str(", '");
            out.push_str(default);
            out.push('\'');
        }
        out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_defaults() {
        let mut context = Context::new();
        context.insert("aws:username", "alice").insert("aws:TagKeys", &["a", "b"]);
        let text = |inside: &str| {
            let variable = Variable::parse(inside).unwrap();
            variable.text(&context).map(|text| text.as_str().to_owned())
        };
        assert_eq!(text("AWS:UserName"), Some("alice".to_owned()));
        assert_eq!(text("aws:PrincipalTag/team"), None);
        assert_eq!(text("aws:PrincipalTag/team, 'none'"), Some("none".to_owned()));
        assert_eq!(text("aws:username, 'none'"), Some("alice".to_owned()));
        assert_eq!(text(" aws:username"), None, "the key of a tag may begin or end with a space");
        assert_eq!(text("aws:username ,'none'"), Some("none".to_owned()));
        assert_eq!(text("aws:TagKeys"), None, "several values are no one text");
        assert_eq!(text("aws:TagKeys, ''"), Some(String::new()), "an empty default was asked for");
    }

    #[test]
    fn what_is_no_variable() {
        for inside in ["", " ", "a, b", "a, 'b", "${a", "a'"] {
            assert!(Variable::parse(inside).is_none(), "{inside}");
        }
    }
}
