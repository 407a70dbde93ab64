//! Patterns read, matched and shown.

use super::*;

const ALL: Syntax = Syntax { wildcards: true, variables: true };

fn check(pattern: &str, text: &str, context: &Context<'_>) -> bool {
    let pattern = Pattern::parse(pattern, ALL).unwrap();
    pattern.matches(text.as_bytes(), context)
}

#[test]
fn a_substituted_value_is_literal() {
    let mut context = Context::new();
    context
        .insert("a:star", "*")
        .insert("a:mark", "?")
        .insert("a:nested", "${a:star}")
        .insert("a:up", "/../");
    assert!(check("home/${a:star}/x", "home/*/x", &context));
    assert!(!check("home/${a:star}/x", "home/bob/x", &context));
    assert!(!check("home/${a:mark}", "home/b", &context));
    assert!(check("${a:nested}", "${a:star}", &context));
    assert!(!check("${a:nested}", "*", &context));
    assert!(check("home/${a:up}*", "home//../etc", &context));
}

#[test]
fn a_variable_without_a_value_matches_nothing() {
    let context = Context::new();
    for text in ["", "home/", "home/x", "home/${a:b}", "*"] {
        assert!(!check("home/${a:b}*", text, &context));
        assert!(!check("${a:b}", text, &context));
    }
}

#[test]
fn a_text_has_the_simplest_form_there_is() {
    let form = |text: &str, syntax| match Pattern::parse(text, syntax).unwrap() {
        Pattern::Exact(text) => format!("exactly {text}"),
        Pattern::Prefix(text) => format!("begins with {text}"),
        Pattern::Parts(parts) => format!("{} parts", parts.len()),
    };
    let plain = Syntax { wildcards: false, variables: false };
    for (text, expected) in [
        ("", "exactly "),
        ("a", "exactly a"),
        ("a$", "exactly a$"),
        ("a${*}", "exactly a*"),
        ("*", "begins with "),
        ("**", "begins with "),
        ("a*", "begins with a"),
        ("a**", "begins with a"),
        ("a$*", "begins with a$"),
        ("a${$}*", "begins with a$"),
        ("?", "1 parts"),
        ("a?", "2 parts"),
        ("*a", "2 parts"),
        ("*a*", "3 parts"),
        ("a*b", "3 parts"),
        ("a**b", "3 parts"),
        ("?*?", "3 parts"),
        ("${a:b}", "1 parts"),
        ("x${a:b}y${a:c}*", "5 parts"),
    ] {
        assert_eq!(form(text, ALL), expected, "{text}");
        assert_eq!(form(text, plain), format!("exactly {text}"));
        let (once, owned) = (Pattern::parse(text, ALL), Pattern::parse_owned(text.to_owned(), ALL));
        assert_eq!(format!("{once:?}"), format!("{owned:?}"));
    }
    assert_eq!(form("${a:b}?", Syntax { wildcards: false, variables: true }), "2 parts");
    assert_eq!(form("${a:b}?", Syntax { wildcards: true, variables: false }), "2 parts");
    for broken in ["${", "${}", "a${b", "${a'}", "${a, b}", "x${"] {
        assert!(Pattern::parse(broken, ALL).is_none(), "{broken}");
        assert!(Pattern::parse_owned(broken.to_owned(), ALL).is_none(), "{broken}");
        assert!(Pattern::parse(broken, plain).is_some(), "{broken}");
    }
}

#[test]
fn a_pattern_is_shown_as_it_was_written() {
    for text in ["", "a", "*", "a*", "?a*b", "x${a:b}y", "${a:b, 'c d'}*"] {
        let mut out = String::new();
        Pattern::parse(text, ALL).unwrap().write(&mut out);
        assert_eq!(out, text);
    }
}

#[test]
fn what_a_pattern_begins_with() {
    for (text, expected) in [
        ("", ""),
        ("ab", "ab"),
        ("ab*", "ab"),
        ("ab?", "ab"),
        ("*ab", ""),
        ("?", ""),
        ("a${b:c}d", "a"),
        ("${b:c}d", ""),
    ] {
        assert_eq!(Pattern::parse(text, ALL).unwrap().literal_prefix(), expected, "{text}");
    }
}

#[test]
fn case_is_ignored_in_what_is_written_and_in_what_is_put_in() {
    let mut context = Context::new();
    context.insert("a:b", "Été");
    let no_wildcards = Syntax { wildcards: false, variables: true };
    let same = |pattern: &str, text: &str| {
        Pattern::parse(pattern, no_wildcards).unwrap().equals_without_case(text, &context)
    };
    for (pattern, text) in
        [("", ""), ("aB", "Ab"), ("x${a:b}Y", "XÉTÉy"), ("${a:b}${a:b}", "étéÉTÉ"), ("a*", "A*"), ("?", "?")]
    {
        assert!(same(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [
        ("", "a"),
        ("a", ""),
        ("ab", "a"),
        ("a", "ab"),
        ("x${a:b}", "xété!"),
        ("${a:c}", ""),
        ("a*", "ab"),
        ("?", "a"),
    ] {
        assert!(!same(pattern, text), "{pattern} {text}");
    }
    let prefix = Pattern::parse("a*", ALL).unwrap();
    assert!(!prefix.equals_without_case("a", &context) && !prefix.equals_without_case("ab", &context));
    assert!(!Pattern::parse("a?", ALL).unwrap().equals_without_case("ab", &context));
}

#[test]
fn only_a_variable_can_be_null() {
    let mut context = Context::new();
    context.insert("a:there", "").insert("a:many", &["a"]);
    let null = |text: &str| Pattern::parse(text, ALL).unwrap().is_null(&context);
    assert!(null("${a:none}") && null("x${a:there}${a:none}*") && null("${a:many}"));
    assert!(!null("") && !null("a*") && !null("a?b") && !null("${a:there}") && !null("${a:none, ''}"));
}

#[test]
fn an_empty_value_stands_anywhere() {
    let mut context = Context::new();
    context.insert("a:empty", "");
    for pattern in
        ["a*${a:empty}", "${a:empty}a*", "a${a:empty}?", "*${a:empty}b", "a?${a:empty}", "*${a:empty}*"]
    {
        assert!(check(pattern, "ab", &context), "{pattern}");
    }
    assert!(check("${a:empty}", "", &context) && !check("${a:empty}", "a", &context));
}

#[test]
fn escapes_are_literal() {
    let context = Context::new();
    assert!(check("a${*}b${?}c${$}", "a*b?c$", &context));
    assert!(!check("a${*}b${?}c${$}", "axbxc$", &context));
}

#[test]
fn a_dollar_alone_is_a_dollar_and_a_broken_variable_is_refused() {
    assert!(check("cost$5", "cost$5", &Context::new()));
    assert!(Pattern::parse("${a", ALL).is_none());
    assert!(Pattern::parse("${}", ALL).is_none());
    let plain = Syntax { wildcards: true, variables: false };
    let old = Pattern::parse("${a:b}*", plain).unwrap();
    assert!(old.matches(b"${a:b}c", &Context::new()), "in 2008-10-17 it is just text");
}
