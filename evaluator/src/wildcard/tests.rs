//! Both ways of matching beside the definition, and what they cost.

use super::*;

fn both(pattern: &str, text: &str) -> bool {
    let expected = automaton(&Words(pattern.as_bytes()), text.as_bytes());
    assert_eq!(wildcard_match(pattern, text), expected, "{pattern} {text}");
    expected
}

#[test]
fn stars_and_marks() {
    for (pattern, text) in [
        ("", ""),
        ("*", ""),
        ("*", "anything"),
        ("a*", "a"),
        ("a*c", "abc"),
        ("a*c", "abcabc"),
        ("*b*", "abc"),
        ("a?c", "abc"),
        ("a**c", "ac"),
        ("?*?", "ab"),
        ("*?", "é"),
        ("a?b", "aéb"),
        ("*é", "aé"),
        ("*?é", "aé"),
    ] {
        assert!(both(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in
        [("", "a"), ("a", ""), ("?", ""), ("a*c", "ab"), ("a?c", "ac"), ("?*?", "a"), ("??", "é"), ("A", "a")]
    {
        assert!(!both(pattern, text), "{pattern} {text}");
    }
}

/// By the definition: a star is nothing, or one character and a star.
fn defined(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, _) => text.is_empty(),
        (Some(('*', rest)), None) => defined(rest, text),
        (Some(('*', rest)), Some((_, less))) => defined(rest, text) || defined(pattern, less),
        (Some((expected, rest)), Some((found, less))) => {
            (expected == found || *expected == '?') && defined(rest, less)
        }
        (Some(_), None) => false,
    }
}

fn all_of(letters: &[char], length: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = 0;
    for _ in 0..length {
        let longer: Vec<String> = all[last..]
            .iter()
            .flat_map(|text| letters.iter().map(move |letter| format!("{text}{letter}")))
            .collect();
        last = all.len();
        all.extend(longer);
    }
    all
}

#[test]
fn both_ways_do_what_the_definition_says() {
    let texts = all_of(&['a', 'é', '€'], 4);
    for pattern in all_of(&['a', 'é', '*', '?'], 5) {
        let characters: Vec<char> = pattern.chars().collect();
        for text in &texts {
            let expected = defined(&characters, &text.chars().collect::<Vec<char>>());
            let words = Words(pattern.as_bytes());
            assert_eq!(quick(&words, text.as_bytes()), Some(expected), "{pattern} {text}");
            assert_eq!(automaton(&words, text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}

#[test]
fn a_mark_takes_a_whole_character() {
    for character in ["a", "\u{7f}", "\u{80}", "é", "\u{7ff}", "\u{800}", "€", "\u{ffff}", "\u{10000}", "🎈"]
    {
        for (pattern, expected) in [("?", true), ("??", false), ("x?", false), ("?*", true), ("*?*?*", false)]
        {
            assert_eq!(both(pattern, character), expected, "{pattern} {character}");
        }
        assert!(both("x?y", &format!("x{character}y")) && !both("x?y", &format!("x{character}{character}y")));
    }
}

/// A pattern in which a `0` stands for what no text has.
struct WithNothing<'a>(&'a [u8]);

impl Pieces for WithNothing<'_> {
    fn with<R>(&self, at: usize, visit: impl FnOnce(Piece<'_>, usize) -> R) -> Option<R> {
        if self.0.get(at) == Some(&b'0') {
            return Some(visit(Piece::Nothing, at + 1));
        }
        let end = self.0.iter().skip(at).position(|byte| *byte == b'0').map_or(self.0.len(), |to| at + to);
        Words(&self.0[..end]).with(at, visit)
    }
}

#[test]
fn a_pattern_with_nothing_matches_nothing() {
    for pattern in all_of(&['a', '*', '?', '0'], 4).iter().filter(|pattern| pattern.contains('0')) {
        for text in all_of(&['a', '0'], 4) {
            let pieces = WithNothing(pattern.as_bytes());
            assert_eq!(quick(&pieces, text.as_bytes()), Some(false), "{pattern} {text}");
            assert!(!automaton(&pieces, text.as_bytes()), "{pattern} {text}");
        }
    }
    for pattern in ["a", "a*", "*a"] {
        assert!(automaton(&WithNothing(pattern.as_bytes()), b"a"), "{pattern}");
    }
}

#[test]
fn what_goes_back_too_often_is_left_to_the_automaton() {
    let text = "a".repeat(2_000);
    for unit in ["a?", "?a", "??a"] {
        let pattern = format!("*{}b", unit.repeat(200));
        assert_eq!(quick(&Words(pattern.as_bytes()), text.as_bytes()), None, "{unit}");
    }
    for (pattern, matches) in [("a*", true), ("*a", true), ("*b", false), ("a*?*a", true), ("*a*b*", false)] {
        assert_eq!(quick(&Words(pattern.as_bytes()), text.as_bytes()), Some(matches), "{pattern}");
    }
    // Long literals are dear to compare again and again.
    let pattern = format!("*{}b", "a".repeat(1_000));
    assert_eq!(quick(&Words(pattern.as_bytes()), text.as_bytes()), None);
    // A short text under a long pattern needs no going back.
    let pattern = format!("{}*", "?".repeat(250));
    assert_eq!(quick(&Words(pattern.as_bytes()), "a".repeat(250).as_bytes()), Some(true));
}

#[test]
fn texts_of_every_length_fit() {
    for length in [INLINE_BYTES_MAX - 1, INLINE_BYTES_MAX, INLINE_BYTES_MAX + 1, INLINE_BYTES_MAX + 64] {
        let text = format!("{}b", "a".repeat(length - 1));
        for (pattern, matches) in [("*b", true), ("a*b", true), ("*?b", true), ("*c", false), ("*b?", false)]
        {
            assert_eq!(automaton(&Words(pattern.as_bytes()), text.as_bytes()), matches, "{pattern} {length}");
        }
    }
}

#[test]
fn a_leading_star_reaches_every_place() {
    for length in 0..260 {
        let text = "a".repeat(length);
        assert!(both("*b", &format!("{text}b")) && both("*b*", &format!("{text}ba")), "{length}");
        assert!(!both("*b", &text) && !both("*bb", &format!("{text}b")), "{length}");
    }
}

#[test]
fn stars_between_blocks_let_anything_stand_between() {
    for before in 60..70 {
        for after in 60..70 {
            let pattern = format!("{}*{}", "a".repeat(before), "b".repeat(after));
            let text = |between: &str| format!("{}{between}{}", "a".repeat(before), "b".repeat(after));
            assert!(both(&pattern, &text("")) && both(&pattern, &text("x")) && both(&pattern, &text("ab")));
            assert!(
                !both(&pattern, text("").trim_start_matches('a'))
                    && !both(&pattern, &format!("{}x", text("")))
            );
        }
    }
}

#[test]
fn blocks_join_where_they_meet() {
    for length in [63, 64, 65, 128, 129] {
        let text = "a".repeat(length);
        assert!(both(&text, &text));
        assert!(both(&format!("{text}*"), &text));
        assert!(both(&format!("{text}*b"), &format!("{text}cb")));
        assert!(!both(&format!("{text}b"), &text));
        assert!(both(&"?".repeat(length), &text));
        assert!(!both(&"?".repeat(length + 1), &text));
    }
}

/// A pattern that counts how often its pieces are looked at.
struct Counted<'a>(Words<'a>, std::cell::Cell<usize>);

impl Pieces for Counted<'_> {
    fn with<R>(&self, at: usize, visit: impl FnOnce(Piece<'_>, usize) -> R) -> Option<R> {
        self.1.set(self.1.get() + 1);
        self.0.with(at, visit)
    }
}

#[test]
fn the_work_of_a_match_is_bounded() {
    for length in [10, 100, 1_000, 4_000] {
        let text = "a".repeat(length);
        for unit in ["*a", "a*", "*?", "*a?", "*aa", "*ab", "?*", "*"] {
            let pattern = format!("{}b", unit.repeat(6_000 / unit.len()));
            let counted = Counted(Words(pattern.as_bytes()), std::cell::Cell::new(0));
            assert!(!matches(&counted, text.as_bytes()), "{unit}");
            // The quick way may look at two pieces a step, and has as many steps as four passes over the text; the
            // automaton looks at each piece once, and passes over the text once for 64 of them.
            let bound = 2 * (4 * text.len() + 256) + 2 * pattern.len() + 2;
            assert!(counted.1.get() <= bound, "{unit} {length}: {} of {bound}", counted.1.get());
        }
    }
}

#[test]
fn contrived_patterns_cost_no_more_than_the_bound() {
    let text = "a".repeat(16_000);
    assert!(!wildcard_match(&format!("{}b", "a*".repeat(5_000)), &text));
    assert!(!wildcard_match(&format!("{}b", "*a?".repeat(3_000)), &text));
    assert!(!wildcard_match(&format!("*{}b", "a".repeat(8_000)), &text));
}
