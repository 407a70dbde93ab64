//! Codes: at sign-in, for a session of a user's own, and for one call.

use reeve_proto::iam::v1::{
    CreateAccessKeyRequest, CreateLoginProfileRequest, DeactivateMfaDeviceRequest, ListUsersRequest,
    ResyncMfaDeviceRequest,
};
use reeve_proto::signin::v1::SignInRequest;
use reeve_proto::sts::v1::{AssumeRoleRequest, GetSessionTokenRequest};
use serde_json::{Value, json};

use super::{PASSWORD, People, alice, code, with};
use crate::sts::{allowed, assume, request, trust_with};
use crate::world::{Authenticator, User, allow, code as code_of, credentials, refused};

pub(super) const WRONG: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code.";

/// Alice's device, and her key.
pub(super) async fn equipped(people: &People) -> (Authenticator, User) {
    let device = Authenticator::enabled(&people.world, "alice", "phone", people.now()).await;
    let key = CreateAccessKeyRequest { user_name: Some("alice".to_owned()) };
    let key = people.world.root().call(&key).await.unwrap().access_key.unwrap();
    let get = reeve_proto::iam::v1::GetUserRequest { user_name: Some("alice".to_owned()) };
    let record = people.world.root().call(&get).await.unwrap().user.unwrap();
    let client = people.world.client(credentials(&key));
    (device, User::known(record, key, client))
}

/// The next step, whose code nobody has used.
pub(super) fn next_code(people: &People, device: &Authenticator) -> String {
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
    let shown = key.call(&device.shown(&next_code(&people, &device))).await.unwrap();
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
    assert!(key.call(&device.shown(&good)).await.is_ok());
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
    assert!(key.call(&device.shown(&device.code(now))).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_is_good_for_one_of_many_whatever_they_want() {
    let people = People::start().await;
    let (device, key) = equipped(&people).await;
    let role = people.world.role("r", &trust_with(&key.record.arn, "sts:AssumeRole", json!({}))).await;
    let good = next_code(&people, &device);
    let assume = AssumeRoleRequest {
        serial_number: Some(device.serial_number.clone()),
        token_code: Some(good.clone()),
        ..request(&role)
    };
    let (shown, sign_in) = (device.shown(&good), code(&alice(), &good));
    let by_session = futures::future::join_all((0..8).map(|_| key.call(&shown)));
    let by_role = futures::future::join_all((0..8).map(|_| key.call(&assume)));
    let by_password = futures::future::join_all((0..8).map(|_| people.sign_in(&sign_in)));
    let (by_session, by_role, by_password) = tokio::join!(by_session, by_role, by_password);
    let codes = by_session.into_iter().map(code_of).chain(by_role.into_iter().map(code_of));
    let codes: Vec<String> = codes.chain(by_password.into_iter().map(code_of)).collect();
    assert_eq!(codes.iter().filter(|code| code.is_empty()).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| code.is_empty() || code == "AccessDenied"), "{codes:?}");
}

#[tokio::test]
async fn root_shows_its_device_as_users_do() {
    let people = People::start().await;
    let root = people.world.root();
    let profile = CreateLoginProfileRequest { password: PASSWORD.to_owned(), ..Default::default() };
    root.call(&profile).await.unwrap();
    let device = Authenticator::created(&people.world, "root-phone").await;
    root.call(&device.enable(None, people.now())).await.unwrap();
    let sign_in = SignInRequest { user_name: None, ..alice() };
    people.refused(&sign_in).await;
    let signed_in = people.sign_in(&code(&sign_in, &next_code(&people, &device))).await.unwrap();
    assert_eq!(signed_in.arn, people.world.arn("root"));
    let bare = root.call(&GetSessionTokenRequest::default()).await.unwrap().credentials.unwrap();
    let bare = session(&people, bare);
    assert_eq!(code_of(bare.call(&ListUsersRequest::default()).await), "AccessDenied");
    let shown = root.call(&device.shown(&next_code(&people, &device))).await.unwrap();
    let shown = session(&people, shown.credentials.unwrap());
    assert_eq!(code_of(shown.call(&ListUsersRequest::default()).await), "");
    // Its clock has drifted, and is found again.
    let ahead = people.now() + 300;
    let resync = ResyncMfaDeviceRequest {
        user_name: None,
        serial_number: device.serial_number.clone(),
        authentication_code1: device.code(ahead),
        authentication_code2: device.code(ahead + 30),
    };
    root.call(&resync).await.unwrap();
    people.refused(&code(&sign_in, &device.code(people.now() + 30))).await;
    assert!(people.can(&code(&sign_in, &device.code(ahead + 60))).await);
}
