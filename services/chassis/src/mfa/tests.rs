//! Codes against the published vectors, and what a device accepts: each code once, and only around its time.

use std::sync::Arc;

use reeve_directory::record::ClusterRecord;
use reeve_directory::user::NewUser;
use reeve_directory::{Owner, Settings};
use reeve_storage::{Memory, Transaction};

use super::*;
use crate::SystemRandom;
use crate::clock::ManualClock;
use crate::seal::Keyring;

const ACCOUNT: &str = "111122223333";
/// The middle of a step.
const NOW: i64 = 1_700_000_010 / STEP_SECONDS * STEP_SECONDS + 15;

/// The seed and the codes of a line of the fixture.
fn vectors() -> Vec<(&'static str, i64, Vec<u8>, &'static str)> {
    let lines = include_str!("../../tests/fixtures/otp.txt").lines().filter(|line| !line.starts_with('#'));
    let parsed = lines.map(|line| {
        let [algorithm, step, seed, code] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        (algorithm, step.parse().unwrap(), seed.as_bytes().chunks(2).map(byte).collect(), code)
    });
    parsed.collect()
}

#[test]
fn codes_are_those_of_the_published_vectors() {
    let mut tried = 0;
    for (algorithm, step, seed, code) in vectors() {
        // The vectors of RFC 6238 have two digits more.
        let six = code.get(code.len() - 6..).unwrap();
        let expected = (algorithm == "SHA1").then_some(step);
        assert_eq!(Generator::new(&seed).unwrap().step_of(six, step, 0), expected, "{algorithm} {step}");
        tried += usize::from(expected.is_some());
    }
    assert_eq!(tried, 16);
}

#[test]
fn what_is_not_six_digits_is_no_code() {
    let generator = Generator::new(b"12345678901234567890").unwrap();
    assert_eq!(generator.step_of("755224", 0, 0), Some(0));
    for wrong in ["", "75522", "7552240", " 75522", "+75522", "75522a", "７５５２２４", "-75522"] {
        assert_eq!(generator.step_of(wrong, 0, 0), None, "{wrong}");
    }
    for step in [i64::MIN, -1, i64::MAX] {
        assert_eq!(generator.step_of("755224", step, 0), None);
    }
}

/// A server with a user, and the code generators that its people carry.
struct Place {
    environment: Environment,
    now: i64,
}

impl Place {
    async fn new() -> Self {
        let keyring = Keyring::generate(b"a cluster", &mut SystemRandom::new()).unwrap();
        let cluster = ClusterRecord { management_account_id: ACCOUNT.to_owned(), ..Default::default() };
        let engine = Arc::new(Memory::new());
        let clock = Arc::new(ManualClock::at(NOW));
        let environment = Environment::new(engine, clock, keyring, cluster, Settings::default()).unwrap();
        let place = Self { environment, now: NOW };
        let mut transaction = place.begin();
        let mut random = SystemRandom::new();
        let mut directory = place.directory(&mut transaction, &mut random);
        directory.accounts().create(ACCOUNT).await.unwrap();
        for name in ["alice", "bob"] {
            directory.users().create(NewUser { name: name.to_owned(), ..NewUser::default() }).await.unwrap();
        }
        transaction.finish().await.unwrap();
        place
    }

    fn begin(&self) -> Transaction {
        Transaction::begin(Arc::clone(&self.environment.engine))
    }

    fn directory<'a>(
        &'a self,
        transaction: &'a mut Transaction,
        random: &'a mut SystemRandom,
    ) -> Directory<'a> {
        Directory {
            transaction,
            account: ACCOUNT,
            settings: &self.environment.settings,
            now: self.now,
            random,
        }
    }

    /// Enables a new device of a user's by the codes of the two steps that end `ahead` of now.
    async fn enable(&self, user: &str, name: &str, ahead: i64) -> (String, Codes) {
        let (mut transaction, mut random) = (self.begin(), SystemRandom::new());
        let mut directory = self.directory(&mut transaction, &mut random);
        let owner = directory.owner(Owner::User(user)).await.unwrap();
        let mut devices = Devices::new(directory, &self.environment, "192.0.2.1");
        let new = NewMfaDevice { name: name.to_owned(), ..NewMfaDevice::default() };
        let (device, seed) = devices.create(new).await.unwrap();
        assert_eq!(seed.to_base32().len(), 64);
        let codes = Codes(Totp::from(&seed));
        let at = NOW + ahead * STEP_SECONDS;
        let pair = [&*codes.at(at - STEP_SECONDS), &*codes.at(at)];
        devices.enable(&owner, &device.serial_number, pair).await.unwrap();
        transaction.finish().await.unwrap();
        (device.serial_number, codes)
    }

    /// Accepts a code of the user's in a transaction that is not ended.
    async fn accept_in(
        &self,
        transaction: &mut Transaction,
        user: &str,
        serial_number: Option<&str>,
        code: &str,
    ) -> Option<String> {
        let mut random = SystemRandom::new();
        let mut directory = self.directory(transaction, &mut random);
        let owner = directory.owner(Owner::User(user)).await.unwrap();
        Devices::new(directory, &self.environment, "192.0.2.1")
            .accept(&owner, serial_number, code)
            .await
            .unwrap()
    }

    async fn accept(&self, user: &str, serial_number: Option<&str>, code: &str) -> Option<String> {
        let mut transaction = self.begin();
        let accepted = self.accept_in(&mut transaction, user, serial_number, code).await;
        transaction.finish().await.unwrap();
        accepted
    }
}

/// A device in somebody's hand.
struct Codes(Totp);

impl Codes {
    fn at(&self, seconds: i64) -> String {
        self.0.generate(seconds.unsigned_abs()).to_string()
    }
}

impl From<&Seed> for Totp {
    fn from(seed: &Seed) -> Self {
        Builder::new().with_algorithm(Algorithm::SHA1).with_secret(seed.0.to_vec()).build().unwrap()
    }
}

#[tokio::test]
async fn a_code_is_accepted_once_and_takes_all_before_with_it() {
    let mut place = Place::new().await;
    let (serial, codes) = place.enable("alice", "phone", 0).await;
    assert_eq!(place.accept("alice", Some(&serial), &codes.at(NOW)).await, None, "it enabled the device");
    place.now += 2 * STEP_SECONDS;
    let (earlier, code) = (codes.at(place.now - STEP_SECONDS), codes.at(place.now));
    assert_eq!(place.accept("alice", Some(&serial), &code).await, Some(serial.clone()));
    assert_eq!(place.accept("alice", Some(&serial), &code).await, None);
    assert_eq!(place.accept("alice", None, &code).await, None);
    assert_eq!(place.accept("alice", Some(&serial), &earlier).await, None);
    let next = codes.at(place.now + STEP_SECONDS);
    assert_eq!(place.accept("alice", None, &next).await, Some(serial));
}

#[tokio::test]
async fn of_two_calls_with_the_same_code_one_is_run_again_and_refused() {
    let mut place = Place::new().await;
    let (serial, codes) = place.enable("alice", "phone", 0).await;
    place.now += STEP_SECONDS;
    let code = codes.at(place.now);
    let (mut one, mut other) = (place.begin(), place.begin());
    assert!(place.accept_in(&mut one, "alice", None, &code).await.is_some());
    assert!(place.accept_in(&mut other, "alice", Some(&serial), &code).await.is_some());
    one.finish().await.unwrap();
    assert!(Error::from(other.finish().await.unwrap_err()).is_conflict());
    assert_eq!(place.accept("alice", None, &code).await, None);
}

#[tokio::test]
async fn a_code_is_good_one_step_around_its_time() {
    for (off_by, expected) in
        [(-2, false), (-1, true), (0, true), (1, true), (2, false), (2880, false), (-2880, false)]
    {
        let mut place = Place::new().await;
        // Of a device whose clock was 19 steps behind when it was enabled, and still is.
        let (serial, codes) = place.enable("alice", "phone", -19).await;
        place.now += 30 * STEP_SECONDS;
        let shown = codes.at(place.now + (off_by - 19) * STEP_SECONDS);
        let accepted = place.accept("alice", Some(&serial), &shown).await;
        assert_eq!(accepted.is_some(), expected, "{off_by}");
    }
}

#[tokio::test]
async fn what_it_takes_to_type_is_no_drift() {
    let mut place = Place::new().await;
    // Two codes of which the second was a step old when it came.
    let (serial, codes) = place.enable("alice", "phone", -1).await;
    place.now += 10 * STEP_SECONDS;
    let ahead = codes.at(place.now + STEP_SECONDS);
    assert_eq!(place.accept("alice", None, &ahead).await, Some(serial));
}

#[tokio::test]
async fn a_code_is_its_users_and_its_devices() {
    let mut place = Place::new().await;
    let (phone, of_phone) = place.enable("alice", "phone", 0).await;
    let (tablet, of_tablet) = place.enable("alice", "tablet", 0).await;
    let (bobs, of_bobs) = place.enable("bob", "bob", 0).await;
    place.now += STEP_SECONDS;
    let now = place.now;
    assert_eq!(place.accept("bob", Some(&phone), &of_phone.at(now)).await, None);
    assert_eq!(place.accept("alice", Some(&phone), &of_bobs.at(now)).await, None);
    assert_eq!(place.accept("alice", None, &of_bobs.at(now)).await, None);
    assert_eq!(place.accept("alice", Some(&tablet), &of_phone.at(now)).await, None);
    let elsewhere = bobs.replace(ACCOUNT, "444455556666");
    for serial in [elsewhere.as_str(), "GAHT12345678", "", "arn:aws:iam::111122223333:mfa/"] {
        assert_eq!(place.accept("bob", Some(serial), &of_bobs.at(now)).await, None, "{serial}");
    }
    for wrong in ["", "12345", "1234567", "abcdef"] {
        assert_eq!(place.accept("alice", None, wrong).await, None);
    }
    assert_eq!(place.accept("alice", None, &of_tablet.at(now)).await, Some(tablet));
    assert_eq!(place.accept("alice", None, &of_phone.at(now)).await, Some(phone));
    assert_eq!(place.accept("bob", Some(&bobs), &of_bobs.at(now)).await, Some(bobs));
}
