//! What hashing promises: the right answers, bounded work, and nothing shown.

use std::sync::mpsc;

use reeve_proto::error::v1::ErrorReason;

use super::*;
use crate::seal::tests::Seeded;

/// As cheap as it gets: tests are not about the cost.
fn cheap() -> PasswordSettings {
    PasswordSettings { memory_kibibytes: 8, iterations: 1, threads: 1, queue_max: 4 }
}

#[tokio::test]
async fn a_password_matches_its_hash_and_no_other() {
    let pool = PasswordPool::new(cheap());
    let mut random = Seeded(1);
    for password in ["correct horse", "", " ", "pässwörd\u{ff}", "\t\r\n", &"x".repeat(128)] {
        let phc = pool.hash(password, &mut random).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", phc.as_str());
        assert_eq!(pool.verify(password, &phc).await.unwrap(), Verified::Matches { rehash: false });
        assert_eq!(pool.verify(&format!("{password} "), &phc).await.unwrap(), Verified::No);
        assert_ne!(pool.hash(password, &mut random).await.unwrap(), phc, "salts differ");
    }
    pool.verify_nothing("anything").await.unwrap();
}

#[tokio::test]
async fn hashes_of_the_reference_implementation_are_understood() {
    // (Source: src/test.c of the Argon2 reference implementation, github.com/P-H-C/phc-winner-argon2.)
    let pool = PasswordPool::new(cheap());
    for phc in [
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ] {
        assert_eq!(pool.verify("password", phc).await.unwrap(), Verified::Matches { rehash: true });
        assert_eq!(pool.verify("differentpassword", phc).await.unwrap(), Verified::No);
    }
}

#[tokio::test]
async fn a_hash_of_another_cost_asks_to_be_made_anew() {
    let phc = PasswordPool::new(cheap()).hash("p", &mut Seeded(1)).await.unwrap();
    for (memory_kibibytes, iterations, rehash) in [(8, 1, false), (16, 1, true), (8, 2, true), (16, 2, true)]
    {
        let pool = PasswordPool::new(PasswordSettings { memory_kibibytes, iterations, ..cheap() });
        assert_eq!(pool.verify("p", &phc).await.unwrap(), Verified::Matches { rehash });
        assert_eq!(pool.verify("q", &phc).await.unwrap(), Verified::No);
        let costly = pool.hash("p", &mut Seeded(1)).await.unwrap();
        let cheaper = PasswordPool::new(cheap());
        assert_eq!(cheaper.verify("p", &costly).await.unwrap(), Verified::Matches { rehash });
    }
}

#[tokio::test]
async fn whatever_is_compared_costs_what_a_hash_costs_today() {
    let old = PasswordPool::new(cheap());
    let phc = old.hash("p", &mut Seeded(1)).await.unwrap();
    assert_eq!(old.work().kibibytes(), 8);
    for (memory_kibibytes, iterations) in [(8, 1), (16, 1), (256, 1), (264, 3), (64, 8)] {
        let pool = PasswordPool::new(PasswordSettings { memory_kibibytes, iterations, ..cheap() });
        let work = pool.work();
        let mut costs = Vec::new();
        for password in ["p", "q"] {
            let before = work.kibibytes();
            pool.verify(password, &phc).await.unwrap();
            costs.push(work.kibibytes() - before);
        }
        let before = work.kibibytes();
        pool.verify_nothing("q").await.unwrap();
        let today = work.kibibytes() - before;
        assert_eq!(today, u64::from(memory_kibibytes) * u64::from(iterations));
        // It comes in whole blocks for each pass.
        for cost in costs {
            assert!(today - cost < u64::from(iterations), "{cost} of {today}");
        }
    }
}

#[tokio::test]
async fn what_is_no_hash_is_a_fault_and_never_a_match() {
    let pool = PasswordPool::new(cheap());
    for phc in [
        "",
        "password",
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
        "$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
    ] {
        let error = pool.verify("password", phc).await.unwrap_err();
        assert_eq!(error.reason, ErrorReason::InternalFailure, "{phc}");
        assert!(!format!("{error:?}").contains("c29tZXNhbHQ"), "{error:?}");
    }
}

/// Keeps the pool's one thread busy until the sender is dropped.
fn occupied(pool: &Arc<PasswordPool>) -> (mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
    let (release, released) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    let pool = Arc::clone(pool);
    let running = tokio::spawn(async move {
        let wait = move |_: &mut Memory| {
            begun.send(()).unwrap();
            let _ = released.recv();
            Ok(())
        };
        pool.run(wait).await.unwrap();
    });
    tokio::task::block_in_place(|| has_begun.recv().unwrap());
    (release, running)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_into_the_queue_is_told_to_come_again() {
    let pool = Arc::new(PasswordPool::new(PasswordSettings { queue_max: 2, ..cheap() }));
    let (release, running) = occupied(&pool);
    let mut waiting: Vec<_> = (0..2).map(|_| Box::pin(pool.verify_nothing("p"))).collect();
    for future in &mut waiting {
        assert!(futures::poll!(future).is_pending());
    }
    for _ in 0..10_000 {
        let error = pool.verify_nothing("p").await.unwrap_err();
        assert_eq!(error.reason, ErrorReason::ServiceUnavailable);
        assert_eq!((error.retry_after, error.detail), (Some(RETRY_AFTER), None));
    }
    assert_eq!(pool.queue.waiting(), 2, "a flood takes no more room than the queue has");
    drop(release);
    running.await.unwrap();
    for future in waiting {
        future.await.unwrap();
    }
    pool.verify_nothing("p").await.unwrap();
}

/// Notes bystanders until it is aborted.
fn crowded(pool: &Arc<PasswordPool>) -> tokio::task::JoinHandle<()> {
    let pool = Arc::clone(pool);
    tokio::spawn(async move {
        loop {
            (0..1_000).for_each(|_| pool.note_bystander());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_of_the_threads_leave_the_processors_to_bystanders() {
    let pool = Arc::new(PasswordPool::new(PasswordSettings { threads: 2, ..cheap() }));
    let crowd = crowded(&pool);
    pool.verify_nothing("p").await.unwrap();
    tokio::time::sleep(2 * bystanders::LOOK_INTERVAL).await;
    let (release, running) = occupied(&pool);
    let mut second = Box::pin(pool.verify_nothing("p"));
    assert!(tokio::time::timeout(PATIENCE / 4, &mut second).await.is_err(), "the other thread stands back");
    crowd.abort();
    second.await.unwrap();
    drop(release);
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_worked_for_who_has_gone_away() {
    let pool = Arc::new(PasswordPool::new(cheap()));
    let (release, running) = occupied(&pool);
    let (worked, was_worked) = mpsc::channel();
    let mut left = Box::pin(pool.run(move |_| worked.send(()).map_err(|_| busy())));
    assert!(futures::poll!(&mut left).is_pending());
    drop(left);
    drop(release);
    running.await.unwrap();
    pool.verify_nothing("p").await.unwrap();
    assert!(was_worked.try_recv().is_err());
}

#[tokio::test]
async fn a_thread_outlives_a_panic() {
    let pool = PasswordPool::new(cheap());
    let error = pool.run::<()>(|_| panic!("on purpose")).await.unwrap_err();
    assert_eq!(error.reason, ErrorReason::InternalFailure);
    pool.verify_nothing("p").await.unwrap();
}

#[tokio::test]
async fn no_password_is_hashed_twice_for_one_call() {
    let (pool, done) = (PasswordPool::new(cheap()), Done::default());
    let first = Passwords::new(&pool, &done);
    let phc = first.hash("old", &mut Seeded(1)).await.unwrap();
    assert!(first.verify("old", &phc).await.unwrap().is_match());
    assert!(!first.verify("new", &phc).await.unwrap().is_match());
    first.verify_nothing("old").await.unwrap();
    // A closed queue hashes nothing any more; what is known is answered all the same.
    pool.queue.close();
    let again = Passwords::new(&pool, &done);
    assert_eq!(again.hash("old", &mut Seeded(2)).await.unwrap(), phc);
    assert!(again.verify("old", &phc).await.unwrap().is_match());
    assert!(!again.verify("new", &phc).await.unwrap().is_match());
    again.verify_nothing("old").await.unwrap();
    assert!(!format!("{again:?} {pool:?}").contains("old"));
}

#[test]
fn the_minimum_is_owasp_s() {
    let settings = |memory_kibibytes, iterations| PasswordSettings {
        memory_kibibytes,
        iterations,
        ..PasswordSettings::default()
    };
    assert!(PasswordSettings::default().is_sound());
    for (memory, iterations, expected) in [
        (47_104, 1, true),
        (47_103, 1, false),
        (19_456, 2, true),
        (19_455, 2, false),
        (12_288, 3, true),
        (7_168, 5, true),
        (7_167, 64, false),
        (65_536, 3, true),
        (1_048_577, 3, false),
        (65_536, 65, false),
        (65_536, 0, false),
    ] {
        assert_eq!(settings(memory, iterations).is_sound(), expected, "{memory} {iterations}");
    }
    assert!(!PasswordSettings { queue_max: 0, ..PasswordSettings::default() }.is_sound());
}
