//! Changes to the text of a document that keep its meaning: minified for storage, principals bound to unique ids.

use std::borrow::Cow;

use crate::document::json::{self, Json, Member, Node};
use crate::document::{Defect, DocumentError, write};

/// Why [`bind_principals`] gave no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindError<E> {
    /// The text is not JSON.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The caller's function failed.
    #[error("a principal could not be resolved")]
    Resolve(E),
}

/// The document without insignificant whitespace; keys keep their order.
///
/// # Errors
/// The text is not JSON, or holds a key twice.
pub fn minify(text: &str) -> Result<String, DocumentError> {
    Ok(written(&read(text)?, text.len()))
}

/// The document, minified, with the texts under `Principal` and `NotPrincipal`, `AWS`, replaced by what `resolve`
/// gives for them; `None` keeps one as it is.
///
/// # Errors
/// The text is not JSON or holds a key twice, or `resolve` failed.
pub fn bind_principals<E>(
    text: &str,
    mut resolve: impl FnMut(&str) -> Result<Option<String>, E>,
) -> Result<String, BindError<E>> {
    let mut root = read(text)?;
    for statement in members(&mut root)
        .filter(|member| member.key == "Statement")
        .flat_map(|member| items(&mut member.value))
    {
        let principals =
            members(statement).filter(|member| member.key == "Principal" || member.key == "NotPrincipal");
        for types in principals.map(|member| &mut member.value) {
            for name in members(types)
                .filter(|member| member.key == "AWS")
                .flat_map(|member| items(&mut member.value))
            {
                if let Json::Text(name) = &mut name.value
                    && let Some(bound) = resolve(name).map_err(BindError::Resolve)?
                {
                    *name = Cow::Owned(bound);
                }
            }
        }
    }
    Ok(written(&root, text.len()))
}

fn read(text: &str) -> Result<Node<'_>, DocumentError> {
    json::read(text).map_err(|defect: Defect| defect.locate(text))
}

fn written(node: &Node<'_>, capacity: usize) -> String {
    let mut out = String::with_capacity(capacity);
    write::write(node, &mut out);
    out
}

fn members<'n, 'a>(node: &'n mut Node<'a>) -> impl Iterator<Item = &'n mut Member<'a>> {
    match &mut node.value {
        Json::Object(members) => members.as_mut_slice(),
        _ => &mut [],
    }
    .iter_mut()
}

fn items<'n, 'a>(node: &'n mut Node<'a>) -> impl Iterator<Item = &'n mut Node<'a>> {
    let single = !matches!(node.value, Json::Array(_));
    let items = if single {
        std::slice::from_mut(node)
    } else {
        match &mut node.value {
            Json::Array(items) => items.as_mut_slice(),
            _ => &mut [],
        }
    };
    items.iter_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_aws_principals_are_bound() {
        let text = r#"{ "Statement": [{"NotPrincipal": {"AWS": ["arn:a", "*"], "Service": "arn:a"}, "Sid": "arn:a"},
            {"Principal": {"AWS": "arn:a"}}, {"Principal": "*"}], "Id": "x" }"#;
        let bound =
            bind_principals(text, |name| Ok::<_, ()>((name == "arn:a").then(|| "AIDA".to_owned()))).unwrap();
        let expected = r#"{"Statement":[{"NotPrincipal":{"AWS":["AIDA","*"],"Service":"arn:a"},"Sid":"arn:a"},{"Principal":{"AWS":"AIDA"}},{"Principal":"*"}],"Id":"x"}"#;
        assert_eq!(bound, expected);
    }

    #[test]
    fn a_single_statement_is_bound_too() {
        let text = r#"{"Statement":{"Principal":{"AWS":"a"}}}"#;
        let bound = bind_principals(text, |_| Ok::<_, ()>(Some("b\"c".to_owned()))).unwrap();
        assert_eq!(bound, r#"{"Statement":{"Principal":{"AWS":"b\"c"}}}"#);
        assert_eq!(bind_principals(text, |_| Err("no")), Err(BindError::Resolve("no")));
        assert!(matches!(bind_principals("{", |_| Ok::<_, ()>(None)), Err(BindError::Document(_))));
    }
}
