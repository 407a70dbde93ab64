//! A small JSON reader that remembers where everything stood.
//!
//! Policy documents need what a general reader does not give: the place of every element for error messages,
//! duplicate keys refused, order kept, nesting and size bounded.

use std::borrow::Cow;
use std::collections::HashSet;

use super::error::{Defect, Fault};

/// The deepest nesting of arrays and objects; a policy needs six.
pub(crate) const DEPTH_MAX: usize = 32;

/// The largest text that is looked at, in bytes, whitespace included.
pub(crate) const TEXT_BYTES_MAX: usize = 262_144;

/// AWS's words for everything that is not of a policy's shape.
pub(crate) const SYNTAX: &str = "Syntax errors in policy.";

/// Objects with more keys than this look for duplicates by hash.
const SCANNED_KEYS_MAX: usize = 16;

/// A value and the byte it begins at.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) offset: usize,
    pub(crate) value: Json<'a>,
}

#[derive(Debug)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// As written.
    Number(&'a str),
    Text(Cow<'a, str>),
    Array(Vec<Node<'a>>),
    Object(Vec<Member<'a>>),
}

#[derive(Debug)]
pub(crate) struct Member<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) offset: usize,
    pub(crate) value: Node<'a>,
}

impl<'a> Node<'a> {
    /// The members of an object; none of anything else.
    pub(crate) fn object(&self) -> &[Member<'a>] {
        match &self.value {
            Json::Object(members) => members,
            _ => &[],
        }
    }
}

/// Reads one JSON value and nothing after it.
pub(crate) fn read(text: &str) -> Result<Node<'_>, Defect> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("Cannot exceed quota for PolicySize: {TEXT_BYTES_MAX}");
        return Err(Defect { fault: Fault::Size, ..Defect::new(message, 0, "") });
    }
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, depth: 0 };
    reader.space();
    let node = reader.node()?;
    reader.space();
    if reader.at == text.len() { Ok(node) } else { Err(reader.defect()) }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn defect(&self) -> Defect {
        Defect::new(SYNTAX, self.at, "")
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Result<(), Defect> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.defect())
    }

    fn node(&mut self) -> Result<Node<'a>, Defect> {
        let offset = self.at;
        let value = match self.peek().ok_or_else(|| self.defect())? {
            b'{' => self.nested(Self::object)?,
            b'[' => self.nested(Self::array)?,
            b'"' => Json::Text(self.string()?),
            b't' => self.word("true", Json::Bool(true))?,
            b'f' => self.word("false", Json::Bool(false))?,
            b'n' => self.word("null", Json::Null)?,
            b'-' | b'0'..=b'9' => self.number()?,
            _ => return Err(self.defect()),
        };
        Ok(Node { offset, value })
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Result<Json<'a>, Defect>) -> Result<Json<'a>, Defect> {
        if self.depth == DEPTH_MAX {
            return Err(self.defect());
        }
        self.depth += 1;
        self.at += 1;
        let value = inner(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, Defect> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(value);
        }
        Err(self.defect())
    }

    fn array(&mut self) -> Result<Json<'a>, Defect> {
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            self.space();
            let item = self.node().map_err(|defect| defect.under(&format!("[{}]", items.len())))?;
            items.push(item);
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.take(b']')?;
            return Ok(Json::Array(items));
        }
    }

    fn object(&mut self) -> Result<Json<'a>, Defect> {
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(Vec::new()));
        }
        // A statement has five or six.
        let mut members: Vec<Member<'a>> = Vec::with_capacity(6);
        let mut seen = None;
        loop {
            self.space();
            let offset = self.at;
            let key = self.string()?;
            if is_duplicate(&members, &mut seen, &key) {
                return Err(Defect::new(SYNTAX, offset, key));
            }
            self.space();
            self.take(b':')?;
            self.space();
            let value = self.node().map_err(|defect| defect.under(&key))?;
            if let Some(seen) = &mut seen {
                seen.insert(key.clone());
            }
            members.push(Member { key, offset, value });
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.take(b'}')?;
            return Ok(Json::Object(members));
        }
    }

    fn number(&mut self) -> Result<Json<'a>, Defect> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading = self.at;
        let whole = self.digits()?;
        if whole > 1 && self.bytes.get(leading) == Some(&b'0') {
            return Err(self.defect());
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.text.get(start..self.at).map(Json::Number).ok_or_else(|| self.defect())
    }

    /// At least one digit; how many.
    fn digits(&mut self) -> Result<usize, Defect> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.defect()) } else { Ok(self.at - start) }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Defect> {
        self.take(b'"')?;
        let plain = self.plain();
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        let mut owned = plain.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(owned));
                }
                Some(b'\\') => owned.push(self.escape()?),
                _ => return Err(self.defect()),
            }
            owned.push_str(self.plain());
        }
    }

    /// The characters up to a quote, a backslash, a control character or the end.
    fn plain(&mut self) -> &'a str {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = plain_length(rest);
        let plain = self.text.get(self.at..self.at + length).unwrap_or_default();
        self.at += length;
        plain
    }

    fn escape(&mut self) -> Result<char, Defect> {
        let byte = self.bytes.get(self.at + 1).copied().ok_or_else(|| self.defect())?;
        self.at += 2;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(self.defect()),
        })
    }

    fn unicode(&mut self) -> Result<char, Defect> {
        let high = self.hex()?;
        let code = match high {
            0xD800..=0xDBFF => {
                self.take(b'\\')?;
                self.take(b'u')?;
                let low = self.hex()?;
                if !(0xDC00..=0xDFFF).contains(&low) {
                    return Err(self.defect());
                }
                0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(|| self.defect())
    }

    fn hex(&mut self) -> Result<u32, Defect> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let code =
            digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or_else(|| self.defect())?;
        self.at += 4;
        Ok(code)
    }
}

/// How many bytes stand before the first quote, backslash or control character: eight at a time.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The highest bit of each byte that is zero; a byte after one may be taken for zero too, which does not matter here.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let (words, _) = bytes.as_chunks::<8>();
    for (at, word) in (0..).step_by(8).zip(words) {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let ends = zeros(word ^ (ONES * 0x22)) | zeros(word ^ (ONES * 0x5C)) | control;
        if ends != 0 {
            return at + ends.trailing_zeros() as usize / 8;
        }
    }
    let at = bytes.len() - bytes.len() % 8;
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20).unwrap_or(rest.len())
}

/// Whether `key` is among `members`. Small objects are scanned; from some size on, `seen` is the set of their keys.
fn is_duplicate<'a>(members: &[Member<'a>], seen: &mut Option<HashSet<Cow<'a, str>>>, key: &str) -> bool {
    if members.len() < SCANNED_KEYS_MAX {
        return members.iter().any(|member| member.key == key);
    }
    seen.get_or_insert_with(|| members.iter().map(|member| member.key.clone()).collect()).contains(key)
}

#[cfg(test)]
mod tests {
    use super::super::write::write;
    use super::*;

    fn round(text: &str) -> Option<String> {
        let mut out = String::new();
        write(&read(text).ok()?, &mut out);
        Some(out)
    }

    #[test]
    fn whitespace_goes_and_order_stays() {
        let text = " { \"b\" : [ 1 , -2.50e3 , true ] ,\n\"a\" : { } , \"c\":null } ";
        assert_eq!(round(text).unwrap(), r#"{"b":[1,-2.50e3,true],"a":{},"c":null}"#);
    }

    #[test]
    fn escapes_are_decoded_and_written_back() {
        assert_eq!(round(r#""\u00e9\ud83d\ude00\/\"\\\u0001\n""#).unwrap(), "\"é😀/\\\"\\\\\\u0001\\n\"");
        for bad in [r#""\ud800""#, r#""\ud800\u0041""#, r#""\x""#, "\"a\nb\"", "\"abc", r#""\u12g4""#] {
            assert_eq!(round(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for bad in
            ["", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "1.", "1e", "tru", "1 2", "{a:1}", "'a'", "-"]
        {
            assert_eq!(round(bad), None, "{bad}");
        }
    }

    #[test]
    fn duplicate_keys_are_found_in_small_and_large_objects() {
        let defect = read(r#"{"a":{"b":1,"b":2}}"#).unwrap_err();
        assert_eq!((defect.offset, defect.path.as_str()), (12, "a.b"));
        let mut keys: Vec<String> = (0..100).map(|n| format!("\"k{n}\":0")).collect();
        assert!(read(&format!("{{{}}}", keys.join(","))).is_ok());
        keys.push("\"k50\":1".to_owned());
        assert!(read(&format!("{{{}}}", keys.join(","))).is_err());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(DEPTH_MAX)).is_ok());
        assert!(read(&nested(DEPTH_MAX + 1)).is_err());
        assert!(read(&"[".repeat(TEXT_BYTES_MAX)).is_err());
    }
}
