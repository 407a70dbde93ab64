//! What a relying service asked and was told. Its call is audited like every other; the decision is the service's to act
//! on, so whoever asks later why something was let through finds it in that event.

use super::push_member;

/// One question with its answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The ARN of whom was asked about; empty when a token told of nobody.
    pub principal: &'a str,
    /// The action asked about.
    pub action: &'a str,
    /// The resource asked about.
    pub resource: &'a str,
    /// `allowed`, `explicitDeny`, `implicitDeny`; empty when there was no answer.
    pub decision: &'a str,
    /// The layer that decided.
    pub layer: &'a str,
    /// AWS's error code, where there was nobody to decide about or no answer.
    pub error_code: &'a str,
}

impl Asked<'_> {
    /// Adds the question to `list`, which is what stands between the brackets of an array of JSON. Encoded at once: an
    /// allocation for each question would be felt.
    pub(crate) fn encode(&self, list: &mut Vec<u8>) {
        list.extend_from_slice(if list.is_empty() { b"{" } else { b",{" });
        let mut is_first = true;
        for (name, value) in [
            ("principal", self.principal),
            ("action", self.action),
            ("resource", self.resource),
            ("decision", self.decision),
            ("layer", self.layer),
            ("error", self.error_code),
        ] {
            if !value.is_empty() {
                if !std::mem::take(&mut is_first) {
                    list.push(b',');
                }
                push_member(list, name, value);
            }
        }
        list.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Event;

    #[test]
    fn questions_are_an_array_whatever_is_in_them() {
        let mut list = Vec::new();
        let hostile = "a\"},{\"decision\":\"allowed\\";
        Asked { principal: hostile, action: "s3:GetObject", ..Asked::default() }.encode(&mut list);
        Asked::default().encode(&mut list);
        Asked { error_code: "ExpiredToken", ..Asked::default() }.encode(&mut list);
        let mut line = Vec::new();
        Event { asked: &list, revision: 7, ..Event::default() }.encode(&mut line);
        let json: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(
            json["asked"],
            serde_json::json!([
                { "principal": hostile, "action": "s3:GetObject" }, {}, { "error": "ExpiredToken" }
            ])
        );
        assert_eq!(json["revision"], 7);
    }
}
