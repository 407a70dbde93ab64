//! Keys: components written so that the order of the bytes is the order of the components, and that no
//! complete component is the beginning of another. Reading is total: any bytes give a value or an error.

use bytes::Bytes;

use crate::{Error, Result};

/// Ends a component of text or bytes. A zero byte inside one becomes [`ESCAPED_ZERO`], so the end sorts below
/// everything that could follow instead: "a" stands before "ab" and never swallows it.
const END: [u8; 2] = [0, 1];
const ESCAPED_ZERO: [u8; 2] = [0, 0xFF];

/// Writes a key, component by component.
#[derive(Debug, Clone)]
pub struct KeyBuilder(Vec<u8>);

impl KeyBuilder {
    /// Begins a key of the table `tag`.
    #[must_use]
    pub fn new(tag: u16) -> Self {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(&tag.to_be_bytes());
        Self(bytes)
    }

    /// Appends bytes as they are: only for components of a fixed length.
    pub fn fixed(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Appends bytes of any length and content.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes_prefix(bytes).fixed(&END)
    }

    /// Appends text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Appends the beginning of a component: the prefix of a range over all that begin so. The last thing in a
    /// key.
    pub fn bytes_prefix(&mut self, bytes: &[u8]) -> &mut Self {
        for byte in bytes {
            match byte {
                0 => self.0.extend_from_slice(&ESCAPED_ZERO),
                _ => self.0.push(*byte),
            }
        }
        self
    }

    /// Appends a component, or several.
    pub fn part(&mut self, part: &impl KeyPart) -> &mut Self {
        part.write(self);
        self
    }

    /// The key.
    #[must_use]
    pub fn build(self) -> Bytes {
        self.0.into()
    }
}

/// Reads a key in the order in which it was written.
#[derive(Debug, Clone)]
pub struct KeyReader<'a>(&'a [u8]);

impl<'a> KeyReader<'a> {
    /// Begins after the tag, which must be `tag`.
    pub fn new(tag: u16, key: &'a [u8]) -> Result<Self> {
        let mut reader = Self(key);
        if u16::from_be_bytes(reader.fixed()?) == tag { Ok(reader) } else { Err(malformed()) }
    }

    /// A component of a fixed length.
    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (component, rest) = self.0.split_first_chunk().ok_or_else(malformed)?;
        self.0 = rest;
        Ok(*component)
    }

    /// A component of any length.
    pub fn bytes(&mut self) -> Result<Vec<u8>> {
        let mut component = Vec::new();
        loop {
            let zero = self.0.iter().position(|byte| *byte == 0).ok_or_else(malformed)?;
            let (plain, rest) = self.0.split_at_checked(zero).ok_or_else(malformed)?;
            component.extend_from_slice(plain);
            self.0 = rest;
            match self.fixed()? {
                END => return Ok(component),
                ESCAPED_ZERO => component.push(0),
                _ => return Err(malformed()),
            }
        }
    }

    /// A component of text.
    pub fn text(&mut self) -> Result<String> {
        String::from_utf8(self.bytes()?).map_err(|_| malformed())
    }

    /// The key must end here.
    pub fn end(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(malformed()) }
    }
}

/// What can stand in a key. Several parts in a row are a part again, so a shorter row is the prefix of all
/// longer ones that begin with it.
pub trait KeyPart: Sized {
    /// Appends it.
    fn write(&self, key: &mut KeyBuilder);
    /// Reads what [`KeyPart::write`] has appended.
    fn read(key: &mut KeyReader<'_>) -> Result<Self>;
}

impl KeyPart for String {
    fn write(&self, key: &mut KeyBuilder) {
        key.text(self);
    }

    fn read(key: &mut KeyReader<'_>) -> Result<Self> {
        key.text()
    }
}

impl KeyPart for Vec<u8> {
    fn write(&self, key: &mut KeyBuilder) {
        key.bytes(self);
    }

    fn read(key: &mut KeyReader<'_>) -> Result<Self> {
        key.bytes()
    }
}

impl<const N: usize> KeyPart for [u8; N] {
    fn write(&self, key: &mut KeyBuilder) {
        key.fixed(self);
    }

    fn read(key: &mut KeyReader<'_>) -> Result<Self> {
        key.fixed()
    }
}

macro_rules! unsigned_part {
    ($($number:ty),*) => {$(
        impl KeyPart for $number {
            fn write(&self, key: &mut KeyBuilder) {
                key.fixed(&self.to_be_bytes());
            }

            fn read(key: &mut KeyReader<'_>) -> Result<Self> {
                Ok(Self::from_be_bytes(key.fixed()?))
            }
        }
    )*};
}

unsigned_part!(u8, u16, u32, u64, u128);

macro_rules! row_part {
    ($($part:ident)*) => {
        impl<$($part: KeyPart),*> KeyPart for ($($part,)*) {
            #[expect(non_snake_case, reason = "a type parameter and its value share the name in this macro")]
            fn write(&self, key: &mut KeyBuilder) {
                let ($($part,)*) = self;
                $($part.write(key);)*
            }

            fn read(key: &mut KeyReader<'_>) -> Result<Self> {
                Ok(($($part::read(key)?,)*))
            }
        }
    };
}

impl KeyPart for () {
    fn write(&self, _: &mut KeyBuilder) {}

    fn read(_: &mut KeyReader<'_>) -> Result<Self> {
        Ok(())
    }
}

row_part!(A);
row_part!(A B);
row_part!(A B C);
row_part!(A B C D);

fn malformed() -> Error {
    Error::corrupt("a key does not have the form of its table")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Row = (Vec<u8>, u64, String);

    fn key(row: &Row) -> Bytes {
        let mut key = KeyBuilder::new(7);
        key.part(row);
        key.build()
    }

    fn row() -> impl Strategy<Value = Row> {
        // Few letters, zero and the escapes among them, so that rows often begin alike.
        let bytes = prop::collection::vec(prop::sample::select(vec![0, 1, b'a', 0xFF]), 0..4);
        let number = prop_oneof![Just(0), Just(1), Just(255), Just(256), any::<u64>()];
        (bytes, number, "[\u{0}\u{1}ab\u{ff}]{0,3}")
    }

    proptest! {
        #[test]
        fn order_of_bytes_is_order_of_rows(one in row(), other in row()) {
            prop_assert_eq!(key(&one).cmp(&key(&other)), one.cmp(&other));
        }

        #[test]
        fn no_key_begins_another(one in row(), other in row()) {
            prop_assert!(one == other || !key(&one).starts_with(&key(&other)));
        }

        #[test]
        fn reading_returns_what_was_written(row in row()) {
            let bytes = key(&row);
            let mut reader = KeyReader::new(7, &bytes).unwrap();
            prop_assert_eq!(Row::read(&mut reader).unwrap(), row);
            reader.end().unwrap();
        }

        #[test]
        fn reading_is_total(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(mut reader) = KeyReader::new(7, &bytes) {
                let _ = Row::read(&mut reader);
            }
        }

        #[test]
        fn shorter_rows_and_begun_text_are_prefixes(row in row(), cut in 0usize..4) {
            let mut shorter = KeyBuilder::new(7);
            shorter.part(&(row.0.clone(),));
            prop_assert!(key(&row).starts_with(&shorter.build()));
            let mut begun = KeyBuilder::new(7);
            begun.bytes_prefix(&row.0[..cut.min(row.0.len())]);
            prop_assert!(key(&row).starts_with(&begun.build()));
        }
    }

    #[test]
    fn another_table_is_refused() {
        assert!(KeyReader::new(8, &key(&Row::default())).is_err());
    }
}
