//! What a run leaves behind: in the data directory, which is what a backup is made of, and in everything that the process
//! writes, no password, no hash of one, no seed, no token and no secret of a session stands in clear.

use reeve_chassis::client::{CallError, Client, Credentials};
use reeve_proto::iam::v1::{
    ChangePasswordRequest, CreateAccessKeyRequest, CreateLoginProfileRequest, CreateUserRequest,
    CreateVirtualMfaDeviceRequest, EnableMfaDeviceRequest, UpdateAccountPasswordPolicyRequest,
    UpdateLoginProfileRequest, VirtualMfaDevice,
};
use reeve_proto::signin::v1::{SignInRequest, SignInResponse, SignOutRequest};
use zeroize::Zeroizing;

use crate::place::{ACCOUNT, Place, Server, files};

const FIRST: &str = "First-not-to-be-seen-1";
const SECOND: &str = "Second-not-to-be-seen-2";
const WRONG: &str = "Wrong-not-to-be-seen-3";
const WEAK: &str = "weaknottobeseen";
const THIRD: &str = "Third-not-to-be-seen-4";
const TYPED_FOR_A_NAME: &str = "Name-not-to-be-seen-5";
const OUTSIDE: &str = "Outside-not-to-be-seen-\u{4e2d}";
/// What is stored in clear: where this is not found, the search is at fault.
const IN_CLEAR: &str = "plainly-visible-user";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_lets_people_in_is_left_in_clear() {
    let place = Place::new();
    let mut server = place.run(place.command().args(["--account", ACCOUNT]).env("REEVE_LOG", "debug"));
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
    let signed_in = sign_in(&server, &root, &mut said).await;

    let device = device(&root, &mut said).await;
    server.terminate();
    said += &server.wait().1;
    said += &place.stderr();

    let seed = device.base32_string_seed.unwrap();
    let png = device.qr_code_png.unwrap();
    let seed_bytes = from_base32(&seed);
    let passwords = [FIRST, SECOND, WRONG, WEAK, OUTSIDE, THIRD, TYPED_FOR_A_NAME].map(str::as_bytes);
    let given = signed_in.credentials.unwrap();
    let secrets = passwords.into_iter().chain([
        given.secret_access_key.as_bytes(),
        &given.session_token.as_bytes()[..32],
        &signed_in.bearer_token.as_bytes()[..32],
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

/// Makes a device, and tries to enable it.
async fn device(root: &Client, said: &mut String) -> VirtualMfaDevice {
    let create =
        CreateVirtualMfaDeviceRequest { virtual_mfa_device_name: IN_CLEAR.to_owned(), ..Default::default() };
    let device = root.call(&create).await.unwrap().virtual_mfa_device.unwrap();
    let enable = EnableMfaDeviceRequest {
        user_name: Some(IN_CLEAR.to_owned()),
        serial_number: device.serial_number.clone(),
        authentication_code1: "000000".to_owned(),
        authentication_code2: "000001".to_owned(),
    };
    *said += &format!("{device:?}{}", shown(root.call(&enable).await.unwrap_err()));
    device
}

/// Signs in wrongly, in somebody's name that is a password, and with a password that must be changed; and out again.
async fn sign_in(server: &Server, root: &Client, said: &mut String) -> SignInResponse {
    let anybody = server.anybody().await;
    let request = |name: &str, password: &str| SignInRequest {
        account: ACCOUNT.to_owned(),
        user_name: Some(name.to_owned()),
        password: password.to_owned(),
        ..SignInRequest::default()
    };
    for wrong in [request(IN_CLEAR, WRONG), request(TYPED_FOR_A_NAME, SECOND), request(IN_CLEAR, OUTSIDE)] {
        let error = anybody.call(&wrong).await.unwrap_err();
        *said += &shown(error);
    }
    let must = UpdateLoginProfileRequest {
        user_name: IN_CLEAR.to_owned(),
        password: None,
        password_reset_required: Some(true),
    };
    root.call(&must).await.unwrap();
    let renewing = SignInRequest { new_password: Some(THIRD.to_owned()), ..request(IN_CLEAR, SECOND) };
    *said += &shown(anybody.call(&request(IN_CLEAR, SECOND)).await.unwrap_err());
    let answer = anybody.call(&renewing).await.unwrap();
    *said += &format!("{renewing:?}{answer:?}");
    root.bearing(&answer.bearer_token).call(&SignOutRequest {}).await.unwrap();
    answer
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
