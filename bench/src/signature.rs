//! What checking one signature costs the server: read, judged and compared, with the day's signing key in the cache and
//! without it; beside what hashing as many bytes costs, which no checker can do without.

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use reeve_chassis::client::{Credentials, REGION_DEFAULT, sign_request};
use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_chassis::signature::{
    Authorization, PathForm, Payload, Rules, SignatureError, SignedRequest, SigningKey,
};
use ring::{digest, hmac};
use zeroize::Zeroizing;

use crate::Outcome;

const HOST: &str = "reeve.example:7443";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const FORM: &str = "Action=GetUser&Version=2010-05-08&UserName=build-runner";
/// The bytes of the request's canonical form, and of its string to sign.
const CANONICAL_BYTES: usize = 250;
const TO_SIGN_BYTES: usize = 134;
/// The best of this many rounds counts: what else the machine does only adds. Each measures everything, so that a noisy
/// moment is none of one number alone.
const ROUNDS: usize = 500;
const CHECKS: usize = 500;

pub(crate) fn run() -> Outcome {
    let credentials = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: Zeroizing::new(SECRET.to_owned()),
        session_token: None,
    };
    let mut request = Request::post("/")
        .header("host", HOST)
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .header("user-agent", "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.1 lang/python#3.13")
        .body(Bytes::from_static(FORM.as_bytes()))?;
    sign_request(&credentials, "iam", REGION_DEFAULT, &mut request)?;
    let now = SystemClock.now().seconds();
    let date = request.headers().get("x-amz-date").and_then(|value| value.to_str().ok()).ok_or("no date")?;
    let date = date.get(..8).ok_or("no date")?;
    let key = SigningKey::derive(SECRET, date, REGION_DEFAULT, "iam");
    let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let [mut hashing, mut cached, mut cold] = [f64::INFINITY; 3];
    for _ in 0..ROUNDS {
        hashing = hashing.min(microseconds(|| {
            black_box(digest::digest(&digest::SHA256, FORM.as_bytes()));
            black_box(digest::digest(&digest::SHA256, &[b'a'; CANONICAL_BYTES]));
            black_box(hmac::sign(&hmac_key, &[b'a'; TO_SIGN_BYTES]));
            Ok(())
        })?);
        cached = cached.min(microseconds(|| check(&request, now, || key.clone()))?);
        let derived = || SigningKey::derive(SECRET, date, REGION_DEFAULT, "iam");
        cold = cold.min(microseconds(|| check(&request, now, derived))?);
    }
    println!("signature_hashing_us {hashing:.2}");
    println!("signature_check_cached_us {cached:.2}");
    println!("signature_check_cold_us {cold:.2}");
    Ok(())
}

fn check(request: &Request<Bytes>, now: i64, key: impl FnOnce() -> SigningKey) -> Result<(), SignatureError> {
    let rules = Rules {
        skew_seconds_max: 900,
        service: "iam",
        region: None,
        path_form: PathForm::Normalized,
        stated_hash_required: false,
        unsigned_token_allowed: false,
        unsigned_payload_allowed: false,
    };
    let signed = SignedRequest {
        method: request.method().as_str(),
        path: request.uri().path(),
        query: request.uri().query().unwrap_or_default(),
        authority: HOST,
        headers: request.headers(),
        payload: Payload::Received(request.body()),
    };
    Authorization::find(request.headers(), signed.query)?.check(&signed, now, &rules)?.verify(&key())
}

fn microseconds(check: impl Fn() -> Result<(), SignatureError>) -> Outcome<f64> {
    let begun = Instant::now();
    for _ in 0..CHECKS {
        black_box(check())?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / CHECKS as f64)
}
