//! The rules of this form, and that no signed byte can be altered.

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use ring::digest;

use super::*;

const NOW: i64 = 1_440_938_160;
const PATH: &str = "/reeve.sts.v1.CallerService/GetCallerIdentity";
const HOST: &str = "reeve.example:7443";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const RULES: Rules<'_> = Rules {
    skew_seconds_max: 900,
    service: "sts",
    region: None,
    path_form: PathForm::Normalized,
    stated_hash_required: true,
    unsigned_token_allowed: false,
    unsigned_payload_allowed: false,
};

/// A call that can be altered between being signed and being verified.
#[derive(Clone)]
struct Sent {
    path: String,
    authority: String,
    headers: HeaderMap,
    payload: Vec<u8>,
}

impl Sent {
    fn verify_at(&self, now: i64, rules: &Rules<'_>) -> Result<(), SignatureError> {
        let parsed = Authorization::find(&self.headers, "")?;
        let request = SignedRequest {
            method: "POST",
            path: &self.path,
            query: "",
            authority: &self.authority,
            headers: &self.headers,
            payload: Payload::Received(&self.payload),
        };
        let checked = parsed.check(&request, now, rules)?;
        let scope = checked.scope();
        checked.verify(&SigningKey::derive(SECRET, scope.date, scope.region, scope.service))
    }

    fn verify(&self) -> Result<(), SignatureError> {
        self.verify_at(NOW, &RULES)
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }

    fn authorization(&self) -> String {
        self.headers["authorization"].to_str().unwrap().to_owned()
    }
}

fn signed_with(headers: &[(&'static str, &str)], token: Option<&str>, payload: &[u8]) -> Sent {
    let mut sent = Sent {
        path: PATH.to_owned(),
        authority: HOST.to_owned(),
        headers: HeaderMap::new(),
        payload: payload.to_vec(),
    };
    for (name, value) in headers {
        sent.headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    let credentials =
        Credentials { access_key_id: "AKIDEXAMPLE", secret_access_key: SECRET, session_token: token };
    let call = Call {
        region: "us-east-1",
        service: "sts",
        method: "POST",
        path: PATH,
        query: "",
        authority: HOST,
        payload,
        now_unix: NOW,
    };
    sign(&credentials, &call, &mut sent.headers).unwrap();
    sent
}

fn signed() -> Sent {
    signed_with(&[("reeve-min-revision", "abc"), ("user-agent", "test")], Some("token"), b"message")
}

#[track_caller]
fn incomplete(result: Result<(), SignatureError>, words: &str) {
    match result {
        Err(SignatureError::Incomplete(message)) if message.contains(words) => {}
        other => panic!("{other:?} does not say {words:?}"),
    }
}

#[track_caller]
fn refused(result: Result<(), SignatureError>, words: &str) {
    match result {
        Err(SignatureError::Refused(message)) if message.contains(words) => {}
        other => panic!("{other:?} does not say {words:?}"),
    }
}

#[test]
fn what_is_signed_verifies() {
    signed().verify().unwrap();
    signed_with(&[], None, b"").verify().unwrap();
    let lists = [("x-amz-list", " a   b "), ("x-amz-list", "c"), ("x-amz-data-bin", "AAEC//8=")];
    let sent = signed_with(&lists, None, b"message");
    assert!(sent.authorization().contains(
        "SignedHeaders=host;x-amz-content-sha256;x-amz-data-bin;x-amz-date;x-amz-list, Signature="
    ));
    sent.verify().unwrap();
}

#[test]
fn a_captured_header_authorizes_nothing_else() {
    let mut other_method = signed();
    other_method.path = "/reeve.sts.v1.RoleService/AssumeRole".to_owned();
    assert_eq!(other_method.verify(), Err(SignatureError::Mismatch));
    let mut other_host = signed();
    other_host.authority = "other.example:7443".to_owned();
    assert_eq!(other_host.verify(), Err(SignatureError::Mismatch));
    let mut other_message = signed();
    other_message.payload = b"other".to_vec();
    refused(other_message.verify(), "x-amz-content-sha256");
    let mut other_hash = other_message;
    let hash = key::Hex::of(digest::digest(&digest::SHA256, b"other").as_ref());
    other_hash.set("x-amz-content-sha256", hash.as_str());
    assert_eq!(other_hash.verify(), Err(SignatureError::Mismatch));
    let mut other_token = signed();
    other_token.set("x-amz-security-token", "token2");
    assert_eq!(other_token.verify(), Err(SignatureError::Mismatch));
    let mut without_header = signed();
    without_header.headers.remove("reeve-min-revision");
    assert_eq!(without_header.verify(), Err(SignatureError::Mismatch));
    let mut other_agent = signed();
    other_agent.set("user-agent", "a proxy may change what is not signed");
    other_agent.verify().unwrap();
}

#[test]
fn what_reeve_acts_on_must_be_signed_and_stand_once() {
    for name in ["x-amz-target", "reeve-anything", "x-amz-data-bin"] {
        let mut sent = signed();
        sent.set(name, "x");
        refused(sent.verify(), name);
    }
    for name in ["x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "authorization"] {
        let mut sent = signed();
        let value = sent.headers[name].clone();
        sent.headers.append(name, value);
        incomplete(sent.verify(), "must stand only once");
    }
    for name in ["x-amz-date", "x-amz-content-sha256"] {
        let mut sent = signed();
        sent.headers.remove(name);
        incomplete(sent.verify(), "requires existence");
    }
    let mut sent = signed();
    sent.set("host", HOST);
    sent.verify().unwrap();
    sent.set("host", "other.example");
    refused(sent.verify(), "'Host' differs");
    let mut sent = signed();
    let value = sent.authorization().replace("SignedHeaders=host;", "SignedHeaders=");
    sent.set("authorization", &value);
    refused(sent.verify(), "'Host' or ':authority' must be a 'SignedHeader'");
    let mut sent = signed();
    sent.headers.remove("authorization");
    assert_eq!(sent.verify(), Err(SignatureError::Missing));
}

#[test]
fn a_signature_holds_for_its_time_alone() {
    let sent = signed();
    for now in [NOW - 900, NOW + 900] {
        sent.verify_at(now, &RULES).unwrap();
    }
    refused(
        sent.verify_at(NOW + 901, &RULES),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)",
    );
    refused(
        sent.verify_at(NOW - 901, &RULES),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T122059Z + 15 min.)",
    );
    refused(sent.verify_at(NOW + 31, &Rules { skew_seconds_max: 30, ..RULES }), "- 30 sec.)");
    for now in [i64::MIN, i64::MAX] {
        assert!(sent.verify_at(now, &RULES).is_err());
    }
    for (stamp, words) in [
        ("20150830T123600", "basic format"),
        ("2015-08-30T12:36:00Z", "basic format"),
        ("20150832T123600Z", "basic format"),
        ("20150830T243600Z", "basic format"),
        ("+0150830T123600Z", "basic format"),
        ("", "basic format"),
    ] {
        let mut sent = signed();
        sent.set("x-amz-date", stamp);
        incomplete(sent.verify(), words);
    }
    let mut sent = signed();
    sent.set("x-amz-date", "20150831T000000Z");
    refused(
        sent.verify_at(NOW + 41_040, &RULES),
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150830' != '20150831', from '20150831T000000Z'.",
    );
}

#[test]
fn a_door_accepts_its_own_service_alone() {
    refused(
        signed().verify_at(NOW, &Rules { service: "iam", ..RULES }),
        "Credential should be scoped to correct service: 'iam'.",
    );
    for (error, code) in [
        (SignatureError::Missing, "MissingAuthenticationToken"),
        (SignatureError::Incomplete(String::new()), "IncompleteSignature"),
        (SignatureError::Refused(String::new()), "SignatureDoesNotMatch"),
        (SignatureError::Mismatch, "SignatureDoesNotMatch"),
    ] {
        assert_eq!(Error::from(error).reason.answer().code, code);
    }
}

#[test]
fn an_unsigned_payload_is_accepted_where_it_is_allowed() {
    let mut sent = signed();
    sent.set("x-amz-content-sha256", UNSIGNED_PAYLOAD);
    refused(sent.verify(), "UNSIGNED-PAYLOAD");
    let allowed = Rules { unsigned_payload_allowed: true, ..RULES };
    assert_eq!(sent.verify_at(NOW, &allowed), Err(SignatureError::Mismatch));
    let parsed = Authorization::find(&sent.headers, "").unwrap();
    let text = canonical::Request {
        method: "POST",
        path: PATH,
        query: "",
        host: HOST,
        headers: &sent.headers,
        signed_headers: &parsed.signed_headers,
        payload_hash: UNSIGNED_PAYLOAD,
    }
    .text()
    .unwrap();
    let key = SigningKey::derive(SECRET, "20150830", "us-east-1", "sts");
    let signature =
        key.sign(canonical::string_to_sign("20150830T123600Z", &parsed.scope().unwrap(), &text).as_bytes());
    let value = sent.authorization();
    let (before, _) = value.rsplit_once('=').unwrap();
    sent.set("authorization", &format!("{before}={}", signature.as_str()));
    sent.verify_at(NOW, &allowed).unwrap();
    refused(sent.verify(), "UNSIGNED-PAYLOAD");
    sent.payload = b"any".to_vec();
    sent.verify_at(NOW, &allowed).unwrap();
    let mut shouted = signed();
    let hash = shouted.headers["x-amz-content-sha256"].to_str().unwrap().to_uppercase();
    shouted.set("x-amz-content-sha256", &hash);
    incomplete(shouted.verify(), "lower-case");
}

#[test]
fn a_malformed_header_is_told_what_it_lacks() {
    let hex = "0".repeat(64);
    let scope = "AKID/20150830/us-east-1/sts/aws4_request";
    let parse = |text: &str| Authorization::parse_value(text).and_then(|parsed| parsed.scope().map(|_| ()));
    parse(&format!("AWS4-HMAC-SHA256 Credential={scope},SignedHeaders=host,Signature={hex}")).unwrap();
    parse(&format!("AWS4-HMAC-SHA256 Signature={hex}, SignedHeaders=a;b, Credential={scope}")).unwrap();
    for (text, words) in [
        ("", "requires the algorithm"),
        ("Basic dTpw", "requires the algorithm"),
        ("AWS4-HMAC-SHA256", "requires the algorithm"),
        ("AWS4-HMAC-SHA256-PAYLOAD Credential=x", "requires the algorithm"),
        ("AWS4-HMAC-SHA256 ", "missing equal-sign"),
        ("AWS4-HMAC-SHA256 Credential=C,SignedHeaders=S", "requires 'Signature' parameter"),
        (
            "AWS4-HMAC-SHA256 Signature=H",
            "requires 'Credential' parameter. Authorization header requires 'SignedHeaders' parameter.",
        ),
        ("AWS4-HMAC-SHA256 Credential=C,SignedHeaders=S,Signature=H,X=1", "'X' is not a parameter"),
        ("AWS4-HMAC-SHA256 Credential=C,Credential=C", "only one 'Credential'"),
        ("AWS4-HMAC-SHA256 Credential=C,SignedHeaders=S,Signature=H,", "missing equal-sign"),
        ("AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/sts,SignedHeaders=S,Signature=H", "5 slash"),
        ("AWS4-HMAC-SHA256 Credential=C/aws4_request/x,SignedHeaders=S,Signature=H", "5 slash"),
        ("AWS4-HMAC-SHA256 Credential=/20150830/r/s/aws4_request,SignedHeaders=S,Signature=H", "key id"),
        ("AWS4-HMAC-SHA256 Credential=A/20150231/r/s/aws4_request,SignedHeaders=S,Signature=H", "YYYYMMDD"),
        ("AWS4-HMAC-SHA256 Credential=A/20150830//s/aws4_request,SignedHeaders=S,Signature=H", "region"),
        ("AWS4-HMAC-SHA256 Credential=A/20150830/r/s:/aws4_request,SignedHeaders=S,Signature=H", "service"),
        ("AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws5_request,SignedHeaders=S,Signature=H", "terminator"),
        ("AWS4-HMAC-SHA256 Credential=C,SignedHeaders=,Signature=H", "lower-case header names"),
        ("AWS4-HMAC-SHA256 Credential=C,SignedHeaders=Host,Signature=H", "lower-case header names"),
        ("AWS4-HMAC-SHA256 Credential=C,SignedHeaders=b;a,Signature=H", "sorted and each once"),
        ("AWS4-HMAC-SHA256 Credential=C,SignedHeaders=a;a,Signature=H", "sorted and each once"),
        ("AWS4-HMAC-SHA256 Credential=C,SignedHeaders=a;;b,Signature=H", "lower-case header names"),
        ("AWS4-HMAC-SHA256 Credential=C,SignedHeaders=a;,Signature=H", "lower-case header names"),
        ("AWS4-HMAC-SHA256 Credential=C,SignedHeaders=:authority,Signature=H", "lower-case header names"),
        ("AWS4-HMAC-SHA256 Credential=C,SignedHeaders=host,Signature=00", "64 lower-case"),
        ("AWS4-HMAC-SHA256 Credential=C,SignedHeaders=host,Signature=", "64 lower-case"),
    ] {
        let text = text
            .replace("Credential=C", &format!("Credential={scope}"))
            .replace("SignedHeaders=S", "SignedHeaders=host")
            .replace("Signature=H", &format!("Signature={hex}"));
        incomplete(parse(&text), words);
    }
    let upper = hex.replace('0', "A");
    let text = format!("AWS4-HMAC-SHA256 Credential={scope},SignedHeaders=host,Signature={upper}");
    incomplete(parse(&text), "64 lower-case");
    let names: Vec<String> = (100..200).map(|number| format!("h{number}")).collect();
    let text =
        format!("AWS4-HMAC-SHA256 Credential={scope},SignedHeaders={},Signature={hex}", names.join(";"));
    incomplete(parse(&text), "too many");
    incomplete(parse(&"x".repeat(5000)), "too long");
}

proptest! {
    #[test]
    fn pieces_are_those_of_split(text in "[a;é]{0,12}") {
        prop_assert!(header::pieces(&text, b';').eq(text.split(';')));
    }

    #[test]
    fn the_parser_is_total(text in "\\PC{0,200}") {
        let _ = Authorization::parse_value(&text);
    }

    #[test]
    fn the_parser_is_total_close_to_the_form(
        id in "[A-Z/]{0,6}", date in "2015[0-3]{3,5}|\\PC{0,9}", region in "[a-zA-Z/-]{0,9}",
        names in "[a-c;A]{0,9}", signature in "[0-9a-f]{63,65}", between in ",|, |,,| |=", order in 0usize..6,
    ) {
        let mut parts = [
            format!("Credential={id}/{date}/{region}/sts/aws4_request"),
            format!("SignedHeaders={names}"),
            format!("Signature={signature}"),
        ];
        parts.rotate_left(order % 3);
        if order > 2 {
            parts.swap(0, 1);
        }
        let text = format!("AWS4-HMAC-SHA256 {}", parts.join(&between));
        if let Ok(parsed) = Authorization::parse_value(&text) && let Ok(scope) = parsed.scope() {
            prop_assert_eq!(scope.access_key_id, id);
            prop_assert_eq!(scope.date.len(), 8);
            prop_assert_eq!(scope.region, region);
            let mut sorted: Vec<&str> = parsed.signed_headers.split(';').collect();
            sorted.sort_unstable();
            sorted.dedup();
            prop_assert_eq!(sorted.join(";"), names);
        }
    }

    #[test]
    fn whatever_is_signed_verifies(
        payload in proptest::collection::vec(any::<u8>(), 0..100), token in proptest::option::of("[!-~]{1,80}"),
        revision in "[ -~]{0,30}",
    ) {
        let sent = signed_with(&[("reeve-min-revision", &revision)], token.as_deref(), &payload);
        prop_assert_eq!(sent.verify(), Ok(()));
    }

    #[test]
    fn an_altered_byte_fails(part in 0usize..7, at in any::<prop::sample::Index>(), with in 33u8..127) {
        let names = ["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "reeve-min-revision"];
        let mut sent = signed();
        let alter = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            let at = at.index(bytes.len());
            bytes[at] = with;
            bytes
        };
        let intact = sent.clone();
        match part {
            5 => sent.payload = alter(&sent.payload),
            6 => sent.path = String::from_utf8(alter(sent.path.as_bytes())).unwrap(),
            _ => {
                let value = alter(sent.headers[names[part]].as_bytes());
                sent.headers.insert(names[part], HeaderValue::from_bytes(&value).unwrap());
            }
        }
        let same = sent.payload == intact.payload && sent.path == intact.path && sent.headers == intact.headers;
        let result = sent.verify();
        // The access key id is not signed itself: another one has another secret.
        let other_key = Authorization::find(&sent.headers, "").is_ok_and(|parsed| parsed.access_key_id() != "AKIDEXAMPLE");
        prop_assert!(result.is_err() || same || other_key, "{result:?}");
    }
}
