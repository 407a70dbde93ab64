//! Any request is judged, and none is taken that nobody signed. What is signed is taken, whatever it holds, and not once its
//! path is another.
//!
//! The input is lines: the path with its query, then headers as `name: value`, and after an empty line the body.

#![no_main]

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use libfuzzer_sys::fuzz_target;
use reeve_chassis::client::{Credentials, REGION_DEFAULT, sign_request};
use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_chassis::signature::{
    Authorization, PathForm, Payload, Rules, SignatureError, SignedRequest, SigningKey,
};
use zeroize::Zeroizing;

const HOSTNAME: &str = "reeve.example:7443";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SERVICE: &str = "iam";

fuzz_target!(|input: &str| {
    let Some(mut request) = request(input) else { return };
    for form in [PathForm::Normalized, PathForm::Literal] {
        assert!(judge(&request, request.uri(), form).is_err(), "nobody has signed it");
    }
    let credentials = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: Zeroizing::new(SECRET.to_owned()),
        session_token: None,
    };
    request.headers_mut().insert(HOST, HeaderValue::from_static(HOSTNAME));
    if sign_request(&credentials, SERVICE, REGION_DEFAULT, &mut request).is_err() {
        return;
    }
    match judge(&request, request.uri(), PathForm::Normalized) {
        Ok(()) => {}
        // A signature in the query too: which of them counts would be open.
        Err(SignatureError::Refused(message)) if message.starts_with("Only one auth mechanism") => return,
        Err(error) => panic!("{error}"),
    }
    let path = format!("{}x", request.uri().path());
    let elsewhere = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    if let Ok(elsewhere) = elsewhere.parse() {
        assert!(judge(&request, &elsewhere, PathForm::Normalized).is_err(), "{elsewhere}");
    }
});

fn request(input: &str) -> Option<Request<Bytes>> {
    let (head, body) = input.split_once("\n\n").unwrap_or((input, ""));
    let mut lines = head.lines();
    let target: Uri = lines.next()?.parse().ok()?;
    if target.authority().is_some() || !target.path().starts_with('/') {
        return None;
    }
    let mut request = Request::new(Bytes::copy_from_slice(body.as_bytes()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target;
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name = HeaderName::try_from(name).ok()?;
        request.headers_mut().append(name, HeaderValue::from_str(value).ok()?);
    }
    Some(request)
}

fn judge(request: &Request<Bytes>, target: &Uri, path_form: PathForm) -> Result<(), SignatureError> {
    let rules = Rules {
        skew_seconds_max: 900,
        service: SERVICE,
        region: None,
        path_form,
        stated_hash_required: false,
        unsigned_token_allowed: path_form == PathForm::Literal,
        unsigned_payload_allowed: path_form == PathForm::Literal,
    };
    let signed = SignedRequest {
        method: request.method().as_str(),
        path: target.path(),
        query: target.query().unwrap_or_default(),
        authority: HOSTNAME,
        headers: request.headers(),
        payload: Payload::Received(request.body()),
    };
    let authorization = Authorization::find(request.headers(), signed.query)?;
    let checked = authorization.check(&signed, SystemClock.now().seconds(), &rules)?;
    let scope = checked.scope();
    checked.verify(&SigningKey::derive(SECRET, scope.date, scope.region, scope.service))
}
