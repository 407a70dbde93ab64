//! Texts compared without case: condition keys, whose last part may be a tag's key in any script, and the values of
//! `StringEqualsIgnoreCase`.
//!
//! Character by character, as AWS's own comparison goes: `ß` is not `SS`. Nothing is allocated.

/// Whether two condition keys, or two keys of tags, are one: their case does not count.
///
/// ```
/// assert!(reeve_evaluator::is_same_key("aws:PrincipalTag/Größe", "AWS:principaltag/GRÖßE"));
/// ```
#[must_use]
pub fn is_same_key(ours: &str, theirs: &str) -> bool {
    // Most are spelled alike, which is the quicker thing to find out.
    ours == theirs
        || ours.eq_ignore_ascii_case(theirs)
        || !(ours.is_ascii() && theirs.is_ascii()) && Folded::of(ours).eq(Folded::of(theirs))
}

/// The characters of a text without their case.
#[derive(Clone)]
pub(crate) struct Folded<'t> {
    rest: std::str::Chars<'t>,
    lower: Option<std::char::ToLowercase>,
}

impl<'t> Folded<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        Self { rest: text.chars(), lower: None }
    }

    /// Takes `text` off the front; whether it stood there. If not, part of it may have been taken.
    pub(crate) fn consume(&mut self, text: &str) -> bool {
        Folded::of(text).all(|character| self.next() == Some(character))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.clone().next().is_none()
    }
}

impl Iterator for Folded<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if let Some(next) = self.lower.as_mut().and_then(Iterator::next) {
            return Some(next);
        }
        match self.rest.next()? {
            // The form of sigma at the end of a word.
            'ς' => Some('σ'),
            ascii if ascii.is_ascii() => Some(ascii.to_ascii_lowercase()),
            other => {
                let mut lower = other.to_lowercase();
                let first = lower.next();
                self.lower = Some(lower);
                first
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_count_in_any_script() {
        for (ours, theirs) in
            [("", ""), ("Team", "tEAM"), ("ÉTÉ", "été"), ("Σας", "σΑΣ"), ("İx", "i̇X"), ("\u{212a}", "k")]
        {
            assert!(is_same_key(ours, theirs) && is_same_key(theirs, ours), "{ours} {theirs}");
        }
        for (ours, theirs) in [("a", ""), ("e", "é"), ("ß", "ss"), ("été", "ét"), ("aé", "éa")] {
            assert!(!is_same_key(ours, theirs) && !is_same_key(theirs, ours), "{ours} {theirs}");
        }
    }

    #[test]
    fn what_is_taken_stood_in_front() {
        let mut rest = Folded::of("ÉtÉ-X");
        assert!(rest.consume("été") && !rest.is_empty() && rest.consume("-x") && rest.is_empty());
        assert!(rest.consume("") && !rest.consume("x"));
    }
}
