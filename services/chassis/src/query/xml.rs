//! The XML of AWS's answers: elements, text, and what stands around a result or an error.

/// Opens an element.
pub(super) fn open(text: &mut String, name: &str) {
    text.push('<');
    text.push_str(name);
    text.push('>');
}

/// Closes an element.
pub(super) fn close(text: &mut String, name: &str) {
    text.push_str("</");
    text.push_str(name);
    text.push('>');
}

/// Opens what stands around the result of `method`.
pub(super) fn open_response(text: &mut String, method: &str, namespace: &str) {
    for part in ["<", method, "Response xmlns=\"", namespace, "\"><", method, "Result>"] {
        text.push_str(part);
    }
}

/// Closes it, and names the request.
pub(super) fn close_response(text: &mut String, method: &str, request_id: &str) {
    for part in [
        "</",
        method,
        "Result><ResponseMetadata><RequestId>",
        request_id,
        "</RequestId></ResponseMetadata></",
        method,
        "Response>",
    ] {
        text.push_str(part);
    }
}

/// A refusal, whole.
pub(super) fn error(namespace: &str, kind: &str, code: &str, message: &str, request_id: &str) -> String {
    let mut text = String::with_capacity(256 + message.len());
    for part in [
        "<ErrorResponse xmlns=\"",
        namespace,
        "\"><Error><Type>",
        kind,
        "</Type><Code>",
        code,
        "</Code><Message>",
    ] {
        text.push_str(part);
    }
    escape(&mut text, message);
    for part in ["</Message></Error><RequestId>", request_id, "</RequestId></ErrorResponse>"] {
        text.push_str(part);
    }
    text
}

/// Appends text as XML has it. A carriage return stays one only when it is written as a reference, and a character that
/// XML does not have at all is replaced: one in a value must not cost the caller the whole answer.
pub(super) fn escape(text: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\r' => text.push_str("&#xD;"),
            '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'.. => text.push(c),
            _ => text.push(char::REPLACEMENT_CHARACTER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let mut text = String::new();
        escape(&mut text, "a<b>&\"c'\r\n\t\u{1}\u{7f}\u{1234}\u{1f600}\u{ffff}");
        assert_eq!(text, "a&lt;b&gt;&amp;&quot;c'&#xD;\n\t\u{fffd}\u{7f}\u{1234}\u{1f600}\u{fffd}");
    }
}
