//! What is wrong with a document, in AWS's words, and where.

use std::fmt;

/// Why a document was refused.
///
/// Prints as AWS's message alone; the place is in the fields, because AWS's message has none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DocumentError {
    /// AWS's message.
    pub message: String,
    /// What kind of fault it is, which decides the error code it is answered with.
    pub fault: Fault,
    /// The line the fault stands in, from 1.
    pub line: u32,
    /// The character of that line, from 1.
    pub column: u32,
    /// The element it stands in, such as `Statement[0].Action`; empty for the document as a whole.
    pub path: String,
}

/// The kinds of fault AWS tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// `MalformedPolicyDocument`.
    Malformed,
    /// `LimitExceeded`: the document is larger than its kind may be.
    Size,
}

impl DocumentError {
    /// The AWS error code: `MalformedPolicyDocument` or `LimitExceeded`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.fault {
            Fault::Malformed => "MalformedPolicyDocument",
            Fault::Size => "LimitExceeded",
        }
    }

    /// The message with its place, for people: `... at line 3, column 14 (Statement[0].Action)`.
    #[must_use]
    pub fn located(&self) -> impl fmt::Display + '_ {
        Located(self)
    }
}

struct Located<'e>(&'e DocumentError);

impl fmt::Display for Located<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DocumentError { message, line, column, path, .. } = self.0;
        write!(f, "{message} at line {line}, column {column}")?;
        if path.is_empty() { Ok(()) } else { write!(f, " ({path})") }
    }
}

/// A fault found at a byte of the text; the place is worked out only when it is reported.
#[derive(Clone, Debug)]
pub(crate) struct Defect {
    pub(crate) message: String,
    pub(crate) fault: Fault,
    pub(crate) offset: usize,
    pub(crate) path: String,
}

impl Defect {
    pub(crate) fn new(message: impl Into<String>, offset: usize, path: impl Into<String>) -> Self {
        Self { message: message.into(), fault: Fault::Malformed, offset, path: path.into() }
    }

    /// The same defect, seen from one element further out.
    pub(crate) fn under(mut self, segment: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{segment}{joint}{}", self.path);
        self
    }

    pub(crate) fn locate(self, text: &str) -> DocumentError {
        let before = text.get(..self.offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        DocumentError {
            message: self.message,
            fault: self.fault,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            path: self.path,
        }
    }
}
