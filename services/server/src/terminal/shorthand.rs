//! AWS's shorthand for structures: `Key=team,Value=blue`, `Names=a,b,Nested={X=1},List=[a,b]`, with quotes where a value
//! holds what would end it.

use serde_json::{Map, Value};

/// How deep structures may nest.
const DEPTH_MAX: usize = 32;

/// Reads a structure. Every leaf is a text; what it stands for is for the member's type to say.
///
/// # Errors
/// Says what was expected, and at which character.
pub(crate) fn parse(text: &str) -> Result<Map<String, Value>, String> {
    let mut parser = Parser { rest: text, text, depth: 0 };
    let members = parser.members(None)?;
    if parser.rest.is_empty() { Ok(members) } else { Err(parser.expected("',' or the end")) }
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    /// `name=value,...` up to `end`, or to the end of the text.
    fn members(&mut self, end: Option<char>) -> Result<Map<String, Value>, String> {
        let mut members = Map::new();
        loop {
            let name = self.name().ok_or_else(|| self.expected("a name followed by '='"))?;
            let value = self.value(end)?;
            if members.insert(name.to_owned(), value).is_some() {
                return Err(format!("{name} is given twice"));
            }
            self.skip_blanks();
            if !self.take(',') {
                return Ok(members);
            }
            self.skip_blanks();
        }
    }

    /// Takes `name=`, if that is what follows.
    fn name(&mut self) -> Option<&'t str> {
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_-.#/:".contains(c)))?;
        let (name, rest) = self.rest.split_at_checked(end)?;
        let rest = rest.trim_start_matches(' ').strip_prefix('=').filter(|_| !name.is_empty())?;
        self.rest = rest.trim_start_matches(' ');
        Some(name)
    }

    fn value(&mut self, end: Option<char>) -> Result<Value, String> {
        if let Some(value) = self.nested()? {
            return Ok(value);
        }
        let first = self.word(end)?;
        let mut values = vec![Value::String(first)];
        // `Names=a,b,Other=c`: what follows a comma is a further value unless it is a name.
        while self.rest.starts_with(',') {
            let before = self.rest;
            self.take(',');
            self.skip_blanks();
            if self.name().is_some() {
                self.rest = before;
                break;
            }
            self.rest = before;
            self.take(',');
            self.skip_blanks();
            if self.rest.is_empty() {
                break;
            }
            values.push(Value::String(self.word(end)?));
        }
        Ok(if values.len() == 1 { values.swap_remove(0) } else { Value::Array(values) })
    }

    /// `{...}` or `[...]`, if one follows.
    fn nested(&mut self) -> Result<Option<Value>, String> {
        if !self.rest.starts_with(['{', '[']) {
            return Ok(None);
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("structures nest deeper than {DEPTH_MAX}"));
        }
        let value = if self.take('{') { self.structure()? } else { self.list()? };
        self.depth -= 1;
        Ok(Some(value))
    }

    fn structure(&mut self) -> Result<Value, String> {
        self.skip_blanks();
        let members = if self.rest.starts_with('}') { Map::new() } else { self.members(Some('}'))? };
        self.skip_blanks();
        if self.take('}') { Ok(Value::Object(members)) } else { Err(self.expected("'}'")) }
    }

    fn list(&mut self) -> Result<Value, String> {
        self.take('[');
        let mut values = Vec::new();
        self.skip_blanks();
        while !self.rest.starts_with(']') {
            let value = match self.nested()? {
                Some(value) => value,
                None => Value::String(self.word(Some(']'))?),
            };
            values.push(value);
            self.skip_blanks();
            if !self.take(',') {
                break;
            }
            self.skip_blanks();
        }
        if self.take(']') { Ok(Value::Array(values)) } else { Err(self.expected("']'")) }
    }

    /// A text up to a comma or `end`; either can be quoted or escaped.
    fn word(&mut self, end: Option<char>) -> Result<String, String> {
        if let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            return self.quoted(quote);
        }
        let mut word = String::new();
        let mut characters = self.rest.chars();
        loop {
            let before = characters.as_str();
            match characters.next() {
                Some('\\') if characters.as_str().starts_with(',') => {
                    characters.next();
                    word.push(',');
                }
                Some(c) if c != ',' && Some(c) != end => word.push(c),
                _ => {
                    self.rest = before;
                    // Blanks before what ends a nested value are layout.
                    return Ok(if end.is_some() { word.trim_end().to_owned() } else { word });
                }
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, String> {
        self.take(quote);
        let mut word = String::new();
        let mut characters = self.rest.chars();
        while let Some(c) = characters.next() {
            if c == quote {
                self.rest = characters.as_str();
                return Ok(word);
            }
            let next = characters.as_str().chars().next();
            match next.filter(|next| c == '\\' && (*next == quote || *next == '\\')) {
                Some(escaped) => {
                    characters.next();
                    word.push(escaped);
                }
                None => word.push(c),
            }
        }
        self.rest = "";
        Err(self.expected(if quote == '"' { "'\"'" } else { "\"'\"" }))
    }

    fn take(&mut self, character: char) -> bool {
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn expected(&self, what: &str) -> String {
        let before = self.text.chars().count() - self.rest.chars().count();
        format!("expected {what} at character {}", before + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn check(text: &str, expect: Value) {
        assert_eq!(parse(text).map(Value::Object), Ok(expect), "{text}");
    }

    #[test]
    fn members_and_values() {
        check("Key=team,Value=blue", json!({"Key": "team", "Value": "blue"}));
        check("Key=team,Value=", json!({"Key": "team", "Value": ""}));
        check("Key=a=b,Value=c d", json!({"Key": "a=b", "Value": "c d"}));
        check("Key=arn:aws:iam::1:role/a", json!({"Key": "arn:aws:iam::1:role/a"}));
        check("Key = team, Value = blue", json!({"Key": "team", "Value": "blue"}));
    }

    #[test]
    fn lists_with_and_without_brackets() {
        check("Names=a,b,Other=c", json!({"Names": ["a", "b"], "Other": "c"}));
        check("Names=[a, b],Other=c", json!({"Names": ["a", "b"], "Other": "c"}));
        check("Names=[]", json!({"Names": []}));
        check("Names=a,b,", json!({"Names": ["a", "b"]}));
        check(
            "Tags=[{Key=a,Value=1},{Key=b,Value=2}]",
            json!({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}),
        );
    }

    #[test]
    fn structures_nest() {
        check("A={B={C=1},D=[x]},E=y", json!({"A": {"B": {"C": "1"}, "D": ["x"]}, "E": "y"}));
        check("A={}", json!({"A": {}}));
    }

    #[test]
    fn quotes_and_escapes_keep_what_would_end_a_value() {
        check(r#"A="x,y",B='it\'s'"#, json!({"A": "x,y", "B": "it's"}));
        check(r"A=x\,y,B=c\d", json!({"A": "x,y", "B": r"c\d"}));
        check(r#"A="q\"\\""#, json!({"A": r#"q"\"#}));
    }

    #[test]
    fn what_is_no_shorthand_is_refused() {
        for text in ["", "team", "=x", "A=1,A=2", "A={B=1", "A=[b", "A=\"x", "A=[b]c", "A={B=1}}", "é=1"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&format!("A={}", "[".repeat(100_000))).is_err());
        assert_eq!(parse("team"), Err("expected a name followed by '=' at character 1".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"[ab=,\[\]{}"'\\ é]{0,40}"#) {
            let _ = parse(&text);
        }
    }
}
