//! Codes: at sign-in, for a session of a user's own, and for one call.

use reeve_proto::iam::v1::{CreateAccessKeyRequest, DeactivateMfaDeviceRequest, ListUsersRequest};
use reeve_proto::sts::v1::{AssumeRoleRequest, GetSessionTokenRequest};
use serde_json::{Value, json};

use super::{People, alice, code, with};
use crate::sts::{allowed, assume, request, trust_with};
use crate::world::{Authenticator, User, allow, code as code_of, credentials, refused};

const WRONG: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code.";

/// Alice's device, and her key.
async fn equipped(people: &People) -> (Authenticator, User) {
    let device = Authenticator::enabled(&people.world, "alice", "phone", people.now()).await;
    let key = CreateAccessKeyRequest { user_name: Some("alice".to_owned()) };
    let key = people.world.root().call(&key).await.unwrap().access_key.unwrap();
    let get = reeve_proto::iam::v1::GetUserRequest { user_name: Some("alice".to_owned()) };
    let record = people.world.root().call(&get).await.unwrap().user.unwrap();
    let client = people.world.client(credentials(&key));
    (device, User::known(record, key, client))
}

fn shown(device: &Authenticator, code: &str) -> GetSessionTokenRequest {
    GetSessionTokenRequest {
        serial_number: Some(device.serial_number.clone()),
        token_code: Some(code.to_owned()),
        ..Default::default()
    }
}

/// The next step, whose code nobody has used.
fn next_code(people: &People, device: &Authenticator) -> String {
    people.clock.advance(30);
    device.code(people.now())
}

#[tokio::test]
async fn whoever_has_a_device_shows_a_code() {
    let people = People::start().await;
    let (device, _) = equipped(&people).await;
    people.refused(&alice()).await;
    people.refused(&code(&alice(), "000000")).await;
    people.refused(&code(&alice(), &device.code(people.now()))).await;
    let good = next_code(&people, &device);
    // The right code with a wrong password is not used up.
    people.refused(&code(&with(&alice(), "Wrong-horse-7"), &good)).await;
    assert!(people.can(&code(&alice(), &good)).await);
    people.refused(&code(&alice(), &good)).await;
    for far in [-86_400, -60, 60, 86_400] {
        people.refused(&code(&alice(), &device.code(people.now() + far))).await;
        people.clock.advance(3600);
    }
    let deactivate = DeactivateMfaDeviceRequest {
        user_name: Some("alice".to_owned()),
        serial_number: device.serial_number.clone(),
    };
    people.world.root().call(&deactivate).await.unwrap_or_else(|error| panic!("{error}"));
    people.refused(&code(&alice(), &next_code(&people, &device))).await;
    assert!(people.can(&alice()).await);
}

#[tokio::test]
async fn a_code_is_good_for_one_of_two_that_come_at_once() {
    let people = People::start().await;
    let (device, _) = equipped(&people).await;
    for _ in 0..4 {
        let request = code(&alice(), &next_code(&people, &device));
        let answers = futures::future::join_all((0..4).map(|_| people.sign_in(&request))).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        people.clock.advance(3600);
    }
}

#[tokio::test]
async fn each_kind_of_credentials_says_of_mfa_what_aws_says() {
    let people = People::start().await;
    let without = people.sign_in(&alice()).await.unwrap();
    let (device, key) = equipped(&people).await;
    let with_code = people.sign_in(&code(&alice(), &next_code(&people, &device))).await.unwrap();
    let shown = key.call(&shown(&device, &next_code(&people, &device))).await.unwrap();
    let of_key = session(&people, shown.credentials.unwrap());
    let given = key.call(&GetSessionTokenRequest::default()).await.unwrap().credentials.unwrap();
    let bare = session(&people, given);
    let check = async |condition: Value, expected: [bool; 5]| {
        let mut statement = allow("sts:AssumeRole", "*");
        statement["Condition"] = condition.clone();
        people.world.allow(&key, &statement).await;
        let trust = trust_with(&key.record.arn, "sts:AssumeRole", condition.clone());
        let role = people.world.role(&format!("r{}", people.world.commits()), &trust).await;
        let callers = [&*key, &bare, &of_key, &*without, &*with_code];
        for (index, (client, expected)) in callers.into_iter().zip(expected).enumerate() {
            let found = allowed(assume(client, &request(&role)).await);
            assert_eq!(found, expected, "caller {index}, {condition}");
        }
    };
    check(json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } }), [false, false, true, false, true])
        .await;
    check(json!({ "Bool": { "aws:MultiFactorAuthPresent": "false" } }), [false, true, false, true, false])
        .await;
    check(json!({ "Null": { "aws:MultiFactorAuthPresent": "true" } }), [true, false, false, false, false])
        .await;
    check(
        json!({ "NumericLessThan": { "aws:MultiFactorAuthAge": "31" } }),
        [false, false, true, false, true],
    )
    .await;
    check(
        json!({ "NumericLessThan": { "aws:MultiFactorAuthAge": "30" } }),
        [false, false, true, false, false],
    )
    .await;
    check(json!({ "Null": { "aws:MultiFactorAuthAge": "true" } }), [true, true, false, true, false]).await;
    // IAM is closed to the one that could have shown MFA and did not.
    people.world.allow(&key, &allow("iam:ListUsers", "*")).await;
    for (client, expected) in [
        (&*key, ""),
        (&bare, "AccessDenied"),
        (&of_key, ""),
        (&*without, ""),
        (&*with_code, ""),
        (&without.bearer, ""),
    ] {
        assert_eq!(code_of(client.call(&ListUsersRequest::default()).await), expected);
    }
}

fn session(people: &People, given: reeve_proto::sts::v1::Credentials) -> reeve_chassis::client::Client {
    people.world.client(reeve_chassis::client::Credentials {
        access_key_id: given.access_key_id,
        secret_access_key: given.secret_access_key.into(),
        session_token: Some(given.session_token),
    })
}

#[tokio::test]
async fn a_role_s_trust_sees_the_code_of_the_call_and_its_session_does_not() {
    let people = People::start().await;
    let (device, key) = equipped(&people).await;
    let needs = json!({
        "Bool": { "aws:MultiFactorAuthPresent": "true" }, "NumericLessThan": { "aws:MultiFactorAuthAge": "1" },
    });
    let role = people.world.role("r", &trust_with(&key.record.arn, "sts:AssumeRole", needs)).await;
    assert!(!allowed(assume(&key, &request(&role)).await));
    let with = |code: String| AssumeRoleRequest {
        serial_number: Some(device.serial_number.clone()),
        token_code: Some(code),
        ..request(&role)
    };
    let good = next_code(&people, &device);
    let before = people.world.commits();
    for wrong in [with("000000".to_owned()), with(device.code(people.now() - 30))] {
        let error = refused(key.call(&wrong).await);
        assert_eq!((error.code.as_str(), error.message.as_str()), ("AccessDenied", WRONG));
    }
    assert_eq!(people.world.commits(), before, "a refusal wrote");
    let session = assume(&key, &with(good.clone())).await.unwrap();
    assert_eq!(people.world.commits(), before + 1, "the step is remembered, and nothing else");
    assert_eq!(refused(key.call(&with(good)).await).message, WRONG);
    let mut statement = allow("iam:ListUsers", "*");
    statement["Condition"] = json!({ "Null": { "aws:MultiFactorAuthPresent": "true" } });
    people.world.allow_role(&role, &statement).await;
    assert_eq!(code_of(session.call(&ListUsersRequest::default()).await), "");
    // A session of a role has no device.
    let own = AssumeRoleRequest { role_arn: role.arn.clone(), ..with(next_code(&people, &device)) };
    assert_eq!(refused(session.call(&own).await).message, WRONG);
}

#[tokio::test]
async fn a_call_that_is_denied_uses_no_code_up() {
    let people = People::start().await;
    let (device, key) = equipped(&people).await;
    let role =
        people.world.role("r", &trust_with(&people.world.arn("root"), "sts:AssumeRole", json!({}))).await;
    let good = next_code(&people, &device);
    let denied = AssumeRoleRequest {
        serial_number: Some(device.serial_number.clone()),
        token_code: Some(good.clone()),
        ..request(&role)
    };
    assert!(!allowed(assume(&key, &denied).await));
    assert!(key.call(&shown(&device, &good)).await.is_ok());
}

#[tokio::test]
async fn a_device_is_its_user_s() {
    let people = People::start().await;
    let (device, key) = equipped(&people).await;
    people.hire("bob", false).await;
    let bobs = Authenticator::enabled(&people.world, "bob", "bob", people.now()).await;
    people.clock.advance(30);
    let now = people.now();
    let elsewhere = device.serial_number.replace(crate::world::ACCOUNT, crate::world::OTHER_ACCOUNT);
    for (serial, code) in [
        (bobs.serial_number.clone(), bobs.code(now)),
        (device.serial_number.clone(), bobs.code(now)),
        (bobs.serial_number.clone(), device.code(now)),
        (elsewhere, device.code(now)),
        ("GAHT12345678".to_owned(), device.code(now)),
    ] {
        let request = GetSessionTokenRequest {
            serial_number: Some(serial.clone()),
            token_code: Some(code),
            ..Default::default()
        };
        let error = refused(key.call(&request).await);
        assert_eq!((error.code.as_str(), error.message.as_str()), ("AccessDenied", WRONG), "{serial}");
    }
    assert!(key.call(&shown(&device, &device.code(now))).await.is_ok());
}

#[tokio::test]
async fn codes_cannot_be_guessed() {
    let people = People::start().await;
    let (device, key) = equipped(&people).await;
    for guess in 0..40 {
        let error = refused(key.call(&shown(&device, &format!("{guess:06}"))).await);
        assert_eq!(error.message, WRONG);
    }
    // Not even the right one is heard now.
    let good = device.code(people.now() + 30);
    assert_eq!(refused(key.call(&shown(&device, &good)).await).message, WRONG);
    people.clock.advance(900);
    assert!(key.call(&shown(&device, &device.code(people.now()))).await.is_ok());
}
