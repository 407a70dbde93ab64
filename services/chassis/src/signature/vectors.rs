//! The published vectors, run through the texts that a signature is made of. Their path and query are canonical already,
//! as a gRPC call's always are.

use http::{HeaderMap, HeaderName};
use ring::digest;

use super::{Authorization, SigningKey, canonical, header, key};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// One vector: its sections by name.
struct Vector<'a>(&'a str, Vec<(&'a str, String)>);

impl Vector<'_> {
    fn section(&self, name: &str) -> &str {
        let found = self.1.iter().find(|(title, _)| *title == name);
        &found.unwrap_or_else(|| panic!("{} lacks {name}", self.0)).1
    }
}

fn vectors(file: &str) -> Vec<Vector<'_>> {
    let mut vectors: Vec<Vector<'_>> = Vec::new();
    for line in file.lines() {
        if let Some(name) = line.strip_prefix("=== ") {
            vectors.push(Vector(name, Vec::new()));
        } else if let Some(title) = line.strip_prefix("--- ") {
            vectors.last_mut().unwrap().1.push((title, String::new()));
        } else if let Some((_, text)) = vectors.last_mut().and_then(|vector| vector.1.last_mut()) {
            if !text.is_empty() || line.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
        }
    }
    vectors
}

/// Runs a vector's request through the texts and gives its signature.
fn signature_of(vector: &Vector<'_>, stamp: &str, scope: &str, extra: &[(&str, &str)]) -> String {
    let (head, body) =
        vector.section("request").split_once("\n\n").unwrap_or((vector.section("request"), ""));
    let mut lines = head.lines();
    let mut start = lines.next().unwrap().split(' ');
    let (method, target) = (start.next().unwrap(), start.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut pairs: Vec<(String, String)> = Vec::new();
    for line in lines {
        match line.split_once(':') {
            Some((name, value)) if !line.starts_with(' ') => {
                pairs.push((name.to_lowercase(), value.to_owned()));
            }
            // A folded line, which HTTP no longer has and http does not accept: as the space that it stands for.
            _ => pairs.last_mut().unwrap().1.push_str(line),
        }
    }
    pairs.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let canonical = vector.section("canonical request");
    let signed_headers = canonical.lines().rev().nth(1).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in &pairs {
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    let mut hash = String::new();
    key::push_hex(&mut hash, digest::digest(&digest::SHA256, body.as_bytes()).as_ref());
    let host = headers["host"].to_str().unwrap().to_owned();
    let text = canonical::Request {
        method,
        path,
        query,
        host: &host,
        headers: &headers,
        signed_headers,
        payload_hash: &hash,
    }
    .text()
    .unwrap();
    assert_eq!(String::from_utf8(text.clone()).unwrap(), canonical, "{}", vector.0);
    let to_sign = canonical::string_to_sign(stamp, scope, &text);
    assert_eq!(to_sign, vector.section("string to sign"), "{}", vector.0);
    let [date, region, service, _] = scope.split('/').collect::<Vec<_>>()[..] else { panic!("{scope}") };
    SigningKey::derive(SECRET, date, region, service).sign(to_sign.as_bytes())
}

#[test]
fn the_vectors_of_botocore() {
    let vectors = vectors(include_str!("../../tests/fixtures/sigv4/botocore.txt"));
    assert_eq!(vectors.len(), 19);
    for vector in vectors {
        let authorization = vector.section("authorization");
        let parsed = Authorization::parse_value(authorization).unwrap();
        let signature = signature_of(&vector, "20150830T123600Z", &parsed.scope(), &[]);
        assert!(authorization.ends_with(&signature), "{}", vector.0);
        assert_eq!(parsed.access_key_id(), "AKIDEXAMPLE");
    }
}

#[test]
fn the_vectors_of_aws_c_auth() {
    let vectors = vectors(include_str!("../../tests/fixtures/sigv4/aws-c-auth.txt"));
    assert_eq!(vectors.len(), 27);
    for vector in vectors {
        let context = |name: &str| {
            vector.section("context").lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let stamp = context("timestamp").unwrap().replace(['-', ':'], "");
        let scope = header::scope(
            stamp.split('T').next().unwrap(),
            context("region").unwrap(),
            context("service").unwrap(),
        );
        let mut extra = vec![("x-amz-date", stamp.as_str())];
        if let (Some(token), Some("False") | None) = (context("token"), context("omit_session_token")) {
            extra.push(("x-amz-security-token", token));
        }
        let hash = vector.section("canonical request").lines().last().unwrap().to_owned();
        if context("sign_body") == Some("True") {
            extra.push(("x-amz-content-sha256", &hash));
        }
        assert_eq!(context("secret_access_key"), Some(SECRET));
        assert_eq!(
            signature_of(&vector, &stamp, &scope, &extra),
            vector.section("signature"),
            "{}",
            vector.0
        );
    }
}
