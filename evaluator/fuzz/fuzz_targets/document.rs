//! Any text is compiled, or refused with a place in it; and what changes a document's text keeps its meaning.

#![no_main]

use libfuzzer_sys::fuzz_target;
use reeve_evaluator::{Kind, Policy, bind_principals, minify};

const KINDS: [Kind; 7] = [
    Kind::Identity,
    Kind::Resource,
    Kind::Trust,
    Kind::Boundary,
    Kind::Session,
    Kind::ServiceControl,
    Kind::ResourceControl,
];

fuzz_target!(|text: &str| {
    let small = minify(text);
    for kind in KINDS {
        let compiled = Policy::compile(text, kind);
        if let Err(error) = &compiled {
            assert!(!error.message.is_empty() && error.line >= 1 && error.column >= 1);
            assert!(error.line as usize <= text.matches('\n').count() + 1, "{error:?}");
        }
        // A document without its whitespace is the same document.
        if let Ok(small) = &small {
            assert_eq!(compiled.is_ok(), Policy::compile(small, kind).is_ok(), "{text} {small}");
        }
    }
    if let Ok(small) = small {
        assert_eq!(minify(&small).as_deref(), Ok(small.as_str()));
        assert_eq!(bind_principals(text, |_| Ok::<_, ()>(None)).ok(), Some(small));
    }
});
