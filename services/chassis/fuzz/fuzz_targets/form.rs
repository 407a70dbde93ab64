//! Any query and form becomes its operation's message or is refused, alike each time, and neither answer outgrows what was
//! sent.
//!
//! The input is the query on a line of its own, and then the body.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use reeve_chassis::query::Query;

/// Each pair of a form is at least three bytes, and puts into a message what it holds behind a few tags and lengths.
const GROWTH_MAX: usize = 16;

static QUERY: LazyLock<Query> =
    LazyLock::new(|| Query::new(&reeve_server::serve::routes()).expect("every operation has a form"));

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (query, rest) = input.split_at(end);
    let Ok(query) = str::from_utf8(query) else { return };
    let body = rest.get(1..).unwrap_or_default();
    let read = QUERY.message(query, body);
    match (&read, QUERY.message(query, body)) {
        (Ok(message), Ok(again)) => {
            assert_eq!(*message, again);
            assert!(message.len() <= GROWTH_MAX * input.len());
        }
        (Err(error), Err(again)) => {
            assert_eq!(error.message, again.message);
            assert!(error.message.len() <= 1024, "{}", error.message);
        }
        (read, again) => panic!("{read:?} and {again:?}"),
    }
});
