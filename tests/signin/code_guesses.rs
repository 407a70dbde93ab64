//! Guessing at codes, and codes that are none, by every call that takes one.

use reeve_proto::iam::v1::{EnableMfaDeviceRequest, ResyncMfaDeviceRequest};
use reeve_proto::sts::v1::{AssumeRoleRequest, GetSessionTokenRequest};
use serde_json::json;

use super::second_factor::{WRONG, equipped, next_code};
use super::{People, alice, code};
use crate::sts::{request, trust_with};
use crate::world::{Authenticator, User, allow, code as code_of, refused};

#[tokio::test]
async fn codes_cannot_be_guessed_whichever_call_they_come_with() {
    let people = People::start().await;
    let (device, key) = equipped(&people).await;
    people.world.allow(&key, &allow(json!(["iam:EnableMFADevice", "iam:ResyncMFADevice"]), "*")).await;
    let role = people.world.role("r", &trust_with(&key.record.arn, "sts:AssumeRole", json!({}))).await;
    let other = Authenticator::created(&people.world, "other").await;
    let ways = Ways { device: &device, other: &other, key: &key, role_arn: &role.arn };
    let before = people.world.commits();
    for by in 0..ways.count() {
        for guess in 0..21 {
            ways.refused(by, &format!("{guess:06}"), &format!("{:06}", guess + 1)).await;
        }
        // Not even the right ones are heard now, by any of them.
        let (one, two) = (people.now() + 30, people.now() + 60);
        for by in 0..ways.count() {
            let shows = if by == ways.count() - 1 { &other } else { &device };
            ways.refused(by, &shows.code(one), &shows.code(two)).await;
        }
        assert_eq!(people.world.commits(), before, "a refusal wrote");
        people.clock.advance(86_400);
    }
    people.refused(&code(&alice(), "000000")).await;
    assert!(people.can(&code(&alice(), &next_code(&people, &device))).await);
}

/// Every call that takes codes of alice's, but for the sign-in itself.
struct Ways<'a> {
    device: &'a Authenticator,
    /// A device that is nobody's.
    other: &'a Authenticator,
    key: &'a User,
    role_arn: &'a str,
}

impl Ways<'_> {
    fn count(&self) -> usize {
        4
    }

    async fn refused(&self, by: usize, one: &str, two: &str) {
        let not_valid = ("InvalidAuthenticationCode", "Authentication code for device is not valid.");
        let (answer, told) = match by {
            0 => (self.key.call(&self.device.shown(one)).await.err(), ("AccessDenied", WRONG)),
            1 => {
                let request = AssumeRoleRequest {
                    role_arn: self.role_arn.to_owned(),
                    role_session_name: "session".to_owned(),
                    serial_number: Some(self.device.serial_number.clone()),
                    token_code: Some(one.to_owned()),
                    ..Default::default()
                };
                (self.key.call(&request).await.err(), ("AccessDenied", WRONG))
            }
            2 => {
                let request = ResyncMfaDeviceRequest {
                    user_name: Some("alice".to_owned()),
                    serial_number: self.device.serial_number.clone(),
                    authentication_code1: one.to_owned(),
                    authentication_code2: two.to_owned(),
                };
                (self.key.call(&request).await.err(), not_valid)
            }
            _ => {
                let request = EnableMfaDeviceRequest {
                    authentication_code1: one.to_owned(),
                    authentication_code2: two.to_owned(),
                    ..self.other.enable(Some("alice"), 60)
                };
                (self.key.call(&request).await.err(), not_valid)
            }
        };
        let error = answer.unwrap();
        assert_eq!((error.code.as_str(), error.message.as_str()), told, "{by}");
    }
}

#[tokio::test]
async fn enabling_another_device_makes_no_wrong_code_right() {
    let people = People::start().await;
    let (device, key) = equipped(&people).await;
    for _ in 0..19 {
        assert_eq!(refused(key.call(&device.shown("000000")).await).message, WRONG);
    }
    Authenticator::enabled(&people.world, "alice", "other", people.now()).await;
    assert_eq!(refused(key.call(&device.shown("000000")).await).message, WRONG);
    let good = device.code(people.now() + 30);
    assert_eq!(
        refused(key.call(&device.shown(&good)).await).message,
        WRONG,
        "the twentieth was one too many"
    );
}

#[tokio::test]
async fn what_is_no_code_is_no_guess_and_each_call_says_so() {
    let people = People::start().await;
    let (device, key) = equipped(&people).await;
    people.world.allow(&key, &allow(json!(["iam:EnableMFADevice", "iam:ResyncMFADevice"]), "*")).await;
    let role = people.world.role("r", &trust_with(&key.record.arn, "sts:AssumeRole", json!({}))).await;
    let other = Authenticator::created(&people.world, "other").await;
    let before = people.world.commits();
    for wrong in
        ["", "12345", "1234567", "12345a", "abcdef", " 12345", "+12345", "\u{0661}\u{0662}\u{0663}456"]
    {
        let assume = AssumeRoleRequest {
            serial_number: Some(device.serial_number.clone()),
            token_code: Some(wrong.to_owned()),
            ..request(&role)
        };
        assert_eq!(code_of(key.call(&device.shown(wrong)).await), "ValidationError", "{wrong}");
        assert_eq!(code_of(key.call(&assume).await), "ValidationError", "{wrong}");
        for second in [false, true] {
            let enable = other.enable(Some("alice"), people.now());
            let mut resync = ResyncMfaDeviceRequest {
                user_name: Some("alice".to_owned()),
                serial_number: device.serial_number.clone(),
                authentication_code1: enable.authentication_code1.clone(),
                authentication_code2: enable.authentication_code2.clone(),
            };
            let mut enable = enable;
            if second {
                wrong.clone_into(&mut enable.authentication_code2);
                wrong.clone_into(&mut resync.authentication_code2);
            } else {
                wrong.clone_into(&mut enable.authentication_code1);
                wrong.clone_into(&mut resync.authentication_code1);
            }
            assert_eq!(code_of(key.call(&enable).await), "ValidationError", "{wrong}");
            assert_eq!(code_of(key.call(&resync).await), "ValidationError", "{wrong}");
        }
    }
    assert_eq!(people.world.commits(), before, "a refusal wrote");
    key.call(&device.shown(&next_code(&people, &device))).await.unwrap();
}

#[tokio::test]
async fn a_code_of_another_day_or_another_s_device_is_wrong_with_every_call() {
    let people = People::start().await;
    let (device, key) = equipped(&people).await;
    people.hire("bob", false).await;
    let bobs = Authenticator::enabled(&people.world, "bob", "bob", people.now()).await;
    let role = people.world.role("r", &trust_with(&key.record.arn, "sts:AssumeRole", json!({}))).await;
    people.clock.advance(30);
    let now = people.now();
    let elsewhere = device.serial_number.replace(crate::world::ACCOUNT, crate::world::OTHER_ACCOUNT);
    let own = device.serial_number.clone();
    let before = people.world.commits();
    for (serial_number, token_code) in [
        (own.clone(), device.code(now - 86_400)),
        (own.clone(), device.code(now + 86_400)),
        (own.clone(), device.code(now - 30)),
        (own, bobs.code(now)),
        (bobs.serial_number.clone(), bobs.code(now)),
        (elsewhere, device.code(now)),
    ] {
        let assume = AssumeRoleRequest {
            serial_number: Some(serial_number.clone()),
            token_code: Some(token_code.clone()),
            ..request(&role)
        };
        let session = GetSessionTokenRequest {
            serial_number: Some(serial_number.clone()),
            token_code: Some(token_code),
            ..Default::default()
        };
        for error in [key.call(&assume).await.err(), key.call(&session).await.err()] {
            let error = error.unwrap();
            let told = (error.code.as_str(), error.message.as_str());
            assert_eq!(told, ("AccessDenied", WRONG), "{serial_number}");
        }
    }
    people.refused(&code(&alice(), &bobs.code(now))).await;
    assert_eq!(people.world.commits(), before, "a refusal wrote");
    key.call(&device.shown(&device.code(now))).await.unwrap();
}
