//! Patterns with `*` and `?`, matched in bounded time.
//!
//! The quick way tries, and goes back to the last `*` on a mismatch, which is all that ordinary patterns need.
//! Once that has cost more than a few passes over the text, an automaton takes over that carries all
//! possibilities along in the bits of words, so no pattern costs more than the text's length times the
//! pattern's words of 64.

/// Whether `text` matches `pattern`, in which `*` stands for any characters and `?` for any one.
///
/// ```
/// assert!(reeve_evaluator::wildcard_match("arn:aws:s3:::logs-*/20??/*", "arn:aws:s3:::logs-eu/2026/a"));
/// ```
#[must_use]
pub fn wildcard_match(pattern: &str, text: &str) -> bool {
    matches(&Words(pattern.as_bytes()), text.as_bytes())
}

/// One piece of a pattern.
#[derive(Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// These bytes.
    Literal(&'a [u8]),
    /// Any one character.
    One,
    /// Any characters.
    Many,
    /// What no text has: a variable without a value. Every piece is looked at before a pattern matches, except a
    /// `*` at its end, so a pattern with this piece matches nothing.
    Nothing,
}

/// A pattern that can be walked from any of its pieces.
pub(crate) trait Pieces {
    /// Calls `visit` with the piece at position `at` and the position after it; `None` at the end.
    fn with<R>(&self, at: usize, visit: impl FnOnce(Piece<'_>, usize) -> R) -> Option<R>;
}

/// A pattern as written.
struct Words<'a>(&'a [u8]);

impl Pieces for Words<'_> {
    fn with<R>(&self, at: usize, visit: impl FnOnce(Piece<'_>, usize) -> R) -> Option<R> {
        let rest = self.0.get(at..)?;
        Some(match rest.first()? {
            b'*' => visit(Piece::Many, at + 1),
            b'?' => visit(Piece::One, at + 1),
            _ => {
                let length = rest.iter().position(|byte| b"*?".contains(byte)).unwrap_or(rest.len());
                visit(Piece::Literal(rest.get(..length)?), at + length)
            }
        })
    }
}

/// Whether all of `text` matches all of `pattern`.
pub(crate) fn matches(pattern: &impl Pieces, text: &[u8]) -> bool {
    quick(pattern, text).unwrap_or_else(|| automaton(pattern, text))
}

/// The greedy match; `None` when it has gone back too often.
fn quick(pattern: &impl Pieces, text: &[u8]) -> Option<bool> {
    let mut budget = text.len().saturating_mul(4).saturating_add(256);
    let (mut piece, mut at) = (0, 0);
    // Where to go on when what follows the last `*` does not match: one byte further on.
    let mut back: Option<(usize, usize)> = None;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let step = pattern.with(piece, |piece, next| match piece {
            Piece::Many => Step::Many(next),
            Piece::One => one(rest).map_or(Step::Mismatch(1), |width| Step::On(next, width)),
            Piece::Literal(bytes) => {
                if rest.starts_with(bytes) {
                    Step::On(next, bytes.len())
                } else {
                    Step::Mismatch(1 + bytes.len() / 16)
                }
            }
            Piece::Nothing => Step::Never,
        });
        let cost = match step {
            None if rest.is_empty() => return Some(true),
            None => 1,
            Some(Step::Many(next)) => {
                if pattern.with(next, |_, _| ()).is_none() {
                    return Some(true);
                }
                (piece, back) = (next, Some((next, at)));
                continue;
            }
            Some(Step::On(next, width)) => {
                budget = budget.checked_sub(1)?;
                (piece, at) = (next, at + width);
                continue;
            }
            Some(Step::Never) => return Some(false),
            Some(Step::Mismatch(cost)) => cost,
        };
        budget = budget.checked_sub(cost)?;
        let Some((after, from)) = back.filter(|(_, from)| *from < text.len()) else { return Some(false) };
        (piece, at, back) = (after, from + 1, Some((after, from + 1)));
    }
}

enum Step {
    /// The piece matched so many bytes.
    On(usize, usize),
    Many(usize),
    /// Nothing matches the pattern.
    Never,
    /// It did not, and finding out cost so much.
    Mismatch(usize),
}

/// The width of the character `text` begins with; none at the end or inside a character.
pub(crate) fn one(text: &[u8]) -> Option<usize> {
    let first = text.first().filter(|byte| !is_continuation(**byte))?;
    Some(match first {
        0..=0x7F => 1,
        0..=0xDF => 2,
        0..=0xEF => 3,
        _ => 4,
    })
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// Texts up to this many bytes are matched without allocating, whatever the pattern.
const INLINE_BYTES_MAX: usize = 16_384;

/// Matches 64 elements of the pattern at a time against the whole text, remembering between the blocks after
/// how many bytes of the text everything before the block can have matched.
fn automaton(pattern: &impl Pieces, text: &[u8]) -> bool {
    let mut inline = [0; INLINE_BYTES_MAX / 64 + 1];
    let mut large;
    let words = text.len() / 64 + 1;
    let reached = if words <= inline.len() {
        inline.as_mut_slice()
    } else {
        large = vec![0; words];
        large.as_mut_slice()
    };
    let mut reached = Bits(reached);
    reached.set(0, true);
    let mut block = Block::default();
    let mut at = 0;
    while let Some(next) = pattern.with(at, |piece, next| {
        match piece {
            Piece::Many => block.many(&mut reached),
            Piece::Nothing => {
                block.run(text, &mut reached);
                reached.0.fill(0);
            }
            Piece::One => block.push(None, text, &mut reached),
            Piece::Literal(bytes) => {
                for &byte in bytes {
                    if block.dead {
                        break;
                    }
                    block.push(Some(byte), text, &mut reached);
                }
            }
        }
        next
    }) {
        // A pattern of which nothing can match any more may be far longer than the text.
        if block.dead {
            return false;
        }
        at = next;
    }
    block.run(text, &mut reached);
    reached.get(text.len())
}

struct Bits<'a>(&'a mut [u64]);

impl Bits<'_> {
    fn get(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    fn set(&mut self, at: usize, value: bool) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word = *word & !(1 << (at % 64)) | u64::from(value) << (at % 64);
        }
    }

    /// Sets every bit after the first one set.
    fn fill(&mut self) {
        let mut seen = false;
        for word in self.0.iter_mut() {
            *word = if seen { u64::MAX } else { *word | word.wrapping_neg() };
            seen |= *word != 0;
        }
    }
}

/// Up to 64 elements of a pattern, one bit each.
struct Block {
    /// For each byte, the elements it satisfies.
    literal: [u64; 256],
    /// The elements that are `?`.
    one: u64,
    /// The elements followed by `*`.
    many: u64,
    count: u32,
    /// Nothing that was run so far can match any part of the text.
    dead: bool,
}

impl Default for Block {
    fn default() -> Self {
        Self { literal: [0; 256], one: 0, many: 0, count: 0, dead: false }
    }
}

impl Block {
    fn push(&mut self, element: Option<u8>, text: &[u8], reached: &mut Bits<'_>) {
        if self.count == 64 {
            self.run(text, reached);
        }
        let bit = 1 << self.count;
        match element.map(|byte| self.literal.get_mut(usize::from(byte))) {
            Some(Some(satisfied)) => *satisfied |= bit,
            _ => self.one |= bit,
        }
        self.count += 1;
    }

    fn many(&mut self, reached: &mut Bits<'_>) {
        match self.count.checked_sub(1) {
            Some(last) => self.many |= 1 << last,
            None => reached.fill(),
        }
    }

    /// Runs the block over the text and empties it.
    fn run(&mut self, text: &[u8], reached: &mut Bits<'_>) {
        let Some(last) = self.count.checked_sub(1) else { return };
        let mut states = 0_u64;
        let mut before = reached.get(0);
        reached.set(0, false);
        for (at, &byte) in text.iter().enumerate() {
            let literal = self.literal.get(usize::from(byte)).copied().unwrap_or(0);
            // A `?` takes the first byte of a character, and stays for the others.
            let (enter, stay) = if is_continuation(byte) { (0, self.one) } else { (self.one, 0) };
            states = (states << 1 | u64::from(before)) & (literal | enter) | states & (self.many | stay);
            before = reached.get(at + 1);
            reached.set(at + 1, states >> last & 1 == 1);
        }
        *self = Self::default();
        self.dead = reached.0.iter().all(|word| *word == 0);
    }
}

#[cfg(test)]
mod tests;
