//! The bucket: what requests mean, and the objects.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use axum::body::{Body, Bytes};
use axum::http::{Method, Uri};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use reeve_chassis::clock::{Clock as _, SystemClock};

use crate::answer;

/// What a request asks for.
pub(crate) struct Wanted {
    bucket: String,
    what: What,
}

enum What {
    Get(String),
    Put(String),
    Delete(String),
    List { prefix: String },
}

impl Wanted {
    /// What the request means; none for what this store does not do. The key is decoded once, here, so that what is
    /// authorized is what is served.
    pub(crate) fn of(method: &Method, uri: &Uri) -> Option<Self> {
        let (bucket, key) =
            uri.path().strip_prefix('/')?.split_once('/').unwrap_or((uri.path().get(1..)?, ""));
        let [bucket, key] = [bucket, key].map(|text| percent_decode_str(text).decode_utf8());
        let (bucket, key) = (bucket.ok()?.into_owned(), key.ok()?.into_owned());
        let what = match (method.as_str(), key.is_empty()) {
            ("GET", true) => What::List { prefix: parameter(uri, "prefix") },
            ("GET" | "HEAD", false) => What::Get(key),
            ("PUT", false) => What::Put(key),
            ("DELETE", false) => What::Delete(key),
            _ => return None,
        };
        Some(Self { bucket, what })
    }

    /// The permission that it takes, as S3 names it.
    pub(crate) fn action(&self) -> &'static str {
        match self.what {
            What::Get(_) => "s3:GetObject",
            What::Put(_) => "s3:PutObject",
            What::Delete(_) => "s3:DeleteObject",
            What::List { .. } => "s3:ListBucket",
        }
    }

    /// On what.
    pub(crate) fn arn(&self) -> String {
        match &self.what {
            What::Get(key) | What::Put(key) | What::Delete(key) => {
                format!("arn:aws:s3:::{}/{key}", self.bucket)
            }
            What::List { .. } => format!("arn:aws:s3:::{}", self.bucket),
        }
    }

    /// What a listing is narrowed to, for conditions on `s3:prefix`.
    pub(crate) fn prefix(&self) -> Option<&str> {
        match &self.what {
            What::List { prefix } => Some(prefix),
            _ => None,
        }
    }
}

fn parameter(uri: &Uri, name: &str) -> String {
    let query = uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// The objects of the one bucket, by their keys.
pub(crate) struct Objects {
    bucket: String,
    by_key: RwLock<BTreeMap<String, Object>>,
}

/// An object.
pub(crate) struct Object {
    pub(crate) bytes: Bytes,
    /// Unix seconds.
    pub(crate) modified: i64,
}

impl Objects {
    /// A bucket without objects.
    pub(crate) fn of(bucket: String) -> Self {
        Self { bucket, by_key: RwLock::default() }
    }

    /// Does what is wanted, which was allowed.
    pub(crate) fn answer(&self, wanted: &Wanted, body: Bytes) -> Response<Body> {
        if wanted.bucket != self.bucket {
            return answer::refused(404, "NoSuchBucket", "The specified bucket does not exist");
        }
        match &wanted.what {
            What::Get(key) => match self.read().get(key) {
                Some(object) => answer::object(object.bytes.clone()),
                None => answer::refused(404, "NoSuchKey", "The specified key does not exist."),
            },
            What::Put(key) => {
                let object = Object { bytes: body, modified: SystemClock.now().seconds() };
                self.by_key.write().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), object);
                answer::done(200)
            }
            What::Delete(key) => {
                self.by_key.write().unwrap_or_else(PoisonError::into_inner).remove(key);
                answer::done(204)
            }
            What::List { prefix } => {
                let objects = self.read();
                let found = objects.iter().filter(|(key, _)| key.starts_with(prefix.as_str()));
                answer::listing(&self.bucket, prefix, found)
            }
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Object>> {
        self.by_key.read().unwrap_or_else(PoisonError::into_inner)
    }
}
