//! What a run leaves behind: in the data directory, which is what a backup is made of, and in everything that the process
//! writes, no password, no hash of one and no seed stands in clear.

use reeve_chassis::client::CallError;
use reeve_chassis::client::Credentials;
use reeve_proto::iam::v1::{
    ChangePasswordRequest, CreateAccessKeyRequest, CreateLoginProfileRequest, CreateUserRequest,
    CreateVirtualMfaDeviceRequest, EnableMfaDeviceRequest, UpdateAccountPasswordPolicyRequest,
    UpdateLoginProfileRequest,
};
use zeroize::Zeroizing;

use crate::place::{Place, files};

const FIRST: &str = "First-not-to-be-seen-1";
const SECOND: &str = "Second-not-to-be-seen-2";
const WRONG: &str = "Wrong-not-to-be-seen-3";
const WEAK: &str = "weaknottobeseen";
const OUTSIDE: &str = "Outside-not-to-be-seen-\u{4e2d}";
/// What is stored in clear: where this is not found, the search is at fault.
const IN_CLEAR: &str = "plainly-visible-user";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_lets_people_in_is_left_in_clear() {
    let place = Place::new();
    let mut server = place.run(place.command().env("REEVE_LOG", "debug"));
    let root = place.root(&server).await;
    let mut said = String::new();
    let name = IN_CLEAR.to_owned();
    root.call(&CreateUserRequest { user_name: name.clone(), ..Default::default() }).await.unwrap();
    let policy = UpdateAccountPasswordPolicyRequest {
        allow_users_to_change_password: Some(true),
        require_numbers: Some(true),
        password_reuse_prevention: Some(24),
        ..Default::default()
    };
    root.call(&policy).await.unwrap();
    let create = CreateLoginProfileRequest {
        user_name: Some(name.clone()),
        password: FIRST.to_owned(),
        password_reset_required: None,
    };
    said += &format!("{create:?}{:?}", root.call(&create).await.unwrap());
    for bad in [WEAK, OUTSIDE, FIRST] {
        let update = UpdateLoginProfileRequest {
            user_name: name.clone(),
            password: Some(bad.to_owned()),
            password_reset_required: None,
        };
        said += &format!("{update:?}{}", shown(root.call(&update).await.unwrap_err()));
    }
    let key = root.call(&CreateAccessKeyRequest { user_name: Some(name.clone()) }).await.unwrap();
    let key = key.access_key.unwrap();
    let user = root.signed(Credentials {
        access_key_id: key.access_key_id,
        secret_access_key: Zeroizing::new(key.secret_access_key),
        session_token: None,
    });
    let change =
        |old: &str| ChangePasswordRequest { old_password: old.to_owned(), new_password: SECOND.to_owned() };
    said += &format!("{:?}{}", change(WRONG), shown(user.call(&change(WRONG)).await.unwrap_err()));
    user.call(&change(FIRST)).await.unwrap();

    let create =
        CreateVirtualMfaDeviceRequest { virtual_mfa_device_name: name.clone(), ..Default::default() };
    let device = root.call(&create).await.unwrap().virtual_mfa_device.unwrap();
    let enable = EnableMfaDeviceRequest {
        user_name: Some(name),
        serial_number: device.serial_number.clone(),
        authentication_code1: "000000".to_owned(),
        authentication_code2: "000001".to_owned(),
    };
    said += &format!("{device:?}{}", shown(root.call(&enable).await.unwrap_err()));
    server.terminate();
    said += &server.wait().1;
    said += &place.stderr();

    let seed = device.base32_string_seed.unwrap();
    let png = device.qr_code_png.unwrap();
    let seed_bytes = from_base32(&seed);
    let passwords = [FIRST, SECOND, WRONG, WEAK, OUTSIDE].map(str::as_bytes);
    let secrets = passwords.into_iter().chain([
        &b"argon2id"[..],
        &b"$m=19456"[..],
        &seed[..16],
        &seed_bytes[..16],
        &png[60..92],
    ]);
    let mut left = files(&place.data());
    assert!(left.iter().any(|(_, bytes)| holds(bytes, IN_CLEAR.as_bytes())), "the search finds nothing");
    left.push(("what was said".into(), said.into_bytes()));
    for secret in secrets {
        for (path, bytes) in &left {
            assert!(!holds(bytes, secret), "{} holds {:?}", path.display(), String::from_utf8_lossy(secret));
        }
    }
}

/// Everything that a caller learns of an error.
fn shown(error: CallError) -> String {
    format!("{error}{error:?}")
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn from_base32(text: &[u8]) -> Vec<u8> {
    let digit =
        |letter: &u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| known == letter).unwrap();
    let bits: Vec<bool> =
        text.iter().flat_map(|letter| (0..5).rev().map(move |bit| digit(letter) >> bit & 1 == 1)).collect();
    bits.chunks(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit))).collect()
}
