//! Answers as S3's clients read them.

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use prost_types::Timestamp;

use crate::objects::Object;

const XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?>"#;

/// An object.
pub(crate) fn object(bytes: Bytes) -> Response<Body> {
    ([("content-type", "application/octet-stream")], bytes).into_response()
}

/// Nothing to tell.
pub(crate) fn done(status: u16) -> Response<Body> {
    code(status).into_response()
}

/// Why a request is not carried out.
pub(crate) fn refused(status: u16, error: &str, message: &str) -> Response<Body> {
    let (error, message) = (escaped(error), escaped(message));
    xml(status, &format!("{XML}<Error><Code>{error}</Code><Message>{message}</Message></Error>"))
}

/// The objects of a bucket.
pub(crate) fn listing<'o>(
    bucket: &str,
    prefix: &str,
    objects: impl Iterator<Item = (&'o String, &'o Object)>,
) -> Response<Body> {
    let mut contents = String::new();
    let mut count = 0;
    for (key, object) in objects {
        let (key, size) = (escaped(key), object.bytes.len());
        let modified = Timestamp { seconds: object.modified, nanos: 0 };
        contents.push_str(&format!(
            "<Contents><Key>{key}</Key><LastModified>{modified}</LastModified><Size>{size}</Size></Contents>"
        ));
        count += 1;
    }
    let (bucket, prefix) = (escaped(bucket), escaped(prefix));
    let head = format!("<Name>{bucket}</Name><Prefix>{prefix}</Prefix><KeyCount>{count}</KeyCount>");
    let rest = format!("<IsTruncated>false</IsTruncated>{contents}");
    xml(200, &format!("{XML}<ListBucketResult>{head}{rest}</ListBucketResult>"))
}

fn xml(status: u16, text: &str) -> Response<Body> {
    (code(status), [("content-type", "application/xml")], text.to_owned()).into_response()
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
