//! What guessing costs whoever guesses, and nobody else.

use reeve_proto::error::v1::ErrorReason;

use super::*;

const HERE: &str = "192.0.2.1";

fn at(user: &str) -> Guessed {
    Guessed::password("111122223333", Some(user))
}

fn codes_of(id: &str) -> Guessed {
    Guessed::codes("111122223333", id)
}

/// Whether a guess at `user` is looked at; it is wrong then.
fn wrong(guesses: &Guesses, user: &str, source: &str, now: i64) -> &'static str {
    match guesses.at_password(at(user), None, source, now) {
        Ok(Some(attempt)) => {
            attempt.failed();
            "wrong"
        }
        Ok(None) => "locked",
        Err(error) => {
            let wait = error.retry_after.unwrap();
            assert!(wait >= Duration::from_secs(1) && wait <= Duration::from_secs(60), "{wait:?}");
            assert_eq!((error.reason, error.detail), (ErrorReason::ServiceUnavailable, None));
            "shed"
        }
    }
}

fn right(guesses: &Guesses, user: &str, source: &str, now: i64) -> bool {
    let Ok(Some(attempt)) = guesses.at_password(at(user), Some(user), source, now) else {
        return false;
    };
    attempt.succeeded();
    true
}

#[test]
fn waits_double_to_a_quarter_of_an_hour() {
    let guesses = Guesses::default();
    let mut now = 0;
    for _ in 0..4 {
        assert_eq!(wrong(&guesses, "alice", HERE, now), "wrong");
    }
    for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] {
        assert_eq!(wrong(&guesses, "alice", HERE, now), "wrong");
        assert_eq!(wrong(&guesses, "alice", HERE, now), "locked", "{wait}");
        assert!(!right(&guesses, "alice", HERE, now + wait - 1), "{wait}");
        now += wait;
    }
    assert_eq!(wrong(&guesses, "alice", HERE, now), "wrong");
    assert!(!right(&guesses, "alice", HERE, now + 899));
    assert!(right(&guesses, "alice", HERE, now + 900));
}

#[test]
fn the_owner_is_not_locked_out_elsewhere() {
    let guesses = Guesses::default();
    for _ in 0..5 {
        wrong(&guesses, "alice", HERE, 0);
    }
    assert!(!right(&guesses, "alice", HERE, 0));
    assert!(right(&guesses, "alice", "192.0.2.2", 0));
    assert!(right(&guesses, "bob", HERE, 0));
    // Addresses of one subscriber are one place.
    for last in 1..=5 {
        wrong(&guesses, "carol", &format!("2001:db8::{last}"), 0);
    }
    assert!(!right(&guesses, "carol", "2001:db8::ffff", 0));
    assert!(right(&guesses, "carol", "2001:db8:0:1::1", 0));
}

#[test]
fn a_right_guess_forgets_the_wrong_ones_and_so_does_time() {
    let guesses = Guesses::default();
    for _ in 0..3 {
        for _ in 0..4 {
            assert_eq!(wrong(&guesses, "alice", HERE, 0), "wrong");
        }
        assert!(right(&guesses, "alice", HERE, 0));
    }
    for day in 1..20 {
        for _ in 0..4 {
            assert_eq!(wrong(&guesses, "bob", HERE, day * 86_400), "wrong");
        }
    }
}

#[test]
fn a_burst_does_not_get_past_the_wait() {
    let guesses = Guesses::default();
    let begin = || guesses.at_password(at("alice"), None, HERE, 0);
    let burst: Vec<_> = (0..1000).map(|_| begin()).collect();
    let going: Vec<Attempt> = burst.into_iter().filter_map(|heard| heard.ok().flatten()).collect();
    assert_eq!(going.len(), 64);
    going.into_iter().for_each(Attempt::failed);
    assert!(!right(&guesses, "alice", HERE, 0));
}

#[test]
fn after_a_wrong_code_they_are_looked_at_one_by_one() {
    let guesses = Guesses::default();
    let at_code = || guesses.at_code(codes_of("AIDA"), None, HERE, 0);
    at_code().unwrap().failed();
    let first = at_code().unwrap();
    for _ in 0..3 {
        assert!(at_code().is_none(), "one that was not looked at ends nothing");
    }
    drop(first);
    assert!(at_code().is_some());
}

#[test]
fn what_is_dropped_undecided_was_no_guess() {
    let guesses = Guesses::default();
    for _ in 0..1000 {
        assert!(matches!(guesses.at_password(at("alice"), None, HERE, 0), Ok(Some(_))));
    }
    assert!(right(&guesses, "alice", HERE, 0));
}

#[test]
fn a_place_that_guesses_at_many_is_shed() {
    let guesses = Guesses::default();
    let outcomes: Vec<&str> =
        (0..1000).map(|number| wrong(&guesses, &format!("user-{number}"), HERE, 0)).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "wrong").count(), 100);
    assert!(outcomes.iter().skip(100).all(|outcome| *outcome == "shed"));
    assert!(right(&guesses, "user-1", "192.0.2.2", 0));
    let mut looked_at = 0;
    for now in 1..=3600 {
        looked_at += usize::from(wrong(&guesses, &format!("next-{now}"), HERE, now) == "wrong");
    }
    assert!(looked_at <= 700, "{looked_at} in an hour");
}

#[test]
fn what_is_counted_is_bounded() {
    let guesses = Guesses::default();
    for number in 0..200_000_u32 {
        let source = Ipv6Addr::from(u128::from(number) << 64);
        wrong(&guesses, &format!("user-{number}"), &source.to_string(), 0);
    }
    assert!(guesses.pairs.len() <= PAIRS_MAX && guesses.places.len() <= PLACES_MAX);
}

#[test]
fn codes_are_counted_wherever_they_are_guessed_from() {
    let guesses = Guesses::default();
    let mut looked_at = 0;
    for now in 0..86_400 {
        let source = format!("192.0.2.{}", now % 256);
        if let Some(attempt) = guesses.at_code(codes_of("AIDA"), Some("alice"), &source, now) {
            attempt.failed();
            looked_at += 1;
        }
    }
    // Of a million, three are right at a time.
    assert!(looked_at < 200, "{looked_at} in a day");
}

#[test]
fn the_owner_is_not_locked_out_where_its_codes_were_right_before() {
    let guesses = Guesses::default();
    let at_code = |source: &str, now| guesses.at_code(codes_of("AIDA"), Some("alice"), source, now);
    at_code("192.0.2.2", 0).unwrap().succeeded();
    for _ in 0..20 {
        at_code(HERE, 0).unwrap().failed();
    }
    assert!(at_code(HERE, 0).is_none() && at_code("192.0.2.3", 0).is_none());
    at_code("192.0.2.2", 0).unwrap().succeeded();
    // Which forgives nobody else, and has its own limit.
    assert!(at_code(HERE, 0).is_none());
    for _ in 0..5 {
        at_code("192.0.2.2", 0).unwrap().failed();
    }
    assert!(at_code("192.0.2.2", 0).is_none());
    assert!(guesses.at_code(codes_of("AIDB"), Some("bob"), "192.0.2.2", 0).is_some());
}

#[test]
fn an_administrator_sees_who_waits_and_can_end_it() {
    let guesses = Guesses::default();
    for _ in 0..5 {
        drop(guesses.at_password(at("alice"), Some("Alice"), HERE, 7));
        wrong(&guesses, "alice", HERE, 7);
    }
    wrong(&guesses, "hunter2", "2001:db8::1", 7);
    guesses.at_code(codes_of("AIDA"), Some("Alice"), HERE, 7).unwrap().failed();
    guesses.at_code(codes_of("111122223333"), None, HERE, 7).unwrap().failed();
    let locks = guesses.of_account("111122223333", 7);
    let told: Vec<_> =
        locks.iter().map(|lock| (lock.user_name.as_deref(), lock.exists, lock.source.as_deref())).collect();
    assert_eq!(
        told,
        [
            (None, true, None),
            (None, false, Some("2001:db8::/64")),
            (Some("Alice"), true, None),
            (Some("Alice"), true, Some(HERE)),
        ]
    );
    assert_eq!(locks.iter().map(|lock| lock.of_codes).collect::<Vec<_>>(), [true, false, true, false]);
    assert_eq!((locks[3].failures, locks[3].locked_until), (5, Some(8)));
    assert_eq!((locks[2].failures, locks[2].locked_until), (1, None));
    assert_eq!(guesses.of_account("999988887777", 7), []);
    guesses.forget(&at("alice"));
    guesses.forget(&codes_of("AIDA"));
    assert!(right(&guesses, "alice", HERE, 7));
    assert_eq!(guesses.of_account("111122223333", 7).len(), 2);
}

#[test]
fn what_is_guessed_has_no_case_and_a_root_has_no_name() {
    assert_eq!(Guessed::password("1", Some("ALICE")), Guessed::password("1", Some("alice")));
    assert_eq!(Guessed::password("1", None).user, "");
}
