//! `grpc-timeout`: how long the caller wants to wait. (Source: the gRPC over HTTP/2 protocol description.)

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use reeve_directory::Error;
use tokio::time::Instant;

static TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// When the call must be answered: what the caller says, and never later than `max` from now.
pub(super) fn of(headers: &HeaderMap, max: Duration) -> Instant {
    let wanted = headers.get(&TIMEOUT).and_then(|value| parse(value.as_bytes()));
    Instant::now() + wanted.map_or(max, |wanted| wanted.min(max))
}

/// What a request is told that has not come by its deadline.
pub(super) fn missed() -> Error {
    Error::request_timeout("The request did not arrive in time.")
}

/// At most eight digits and a unit; anything else says nothing.
fn parse(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let amount: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    match unit {
        b'H' => Some(Duration::from_secs(amount.saturating_mul(3600))),
        b'M' => Some(Duration::from_secs(amount.saturating_mul(60))),
        b'S' => Some(Duration::from_secs(amount)),
        b'm' => Some(Duration::from_millis(amount)),
        b'u' => Some(Duration::from_micros(amount)),
        b'n' => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(parse(b"2H"), Some(Duration::from_secs(7200)));
        assert_eq!(parse(b"15S"), Some(Duration::from_secs(15)));
        assert_eq!(parse(b"250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse(b"99999999n"), Some(Duration::from_nanos(99_999_999)));
    }

    #[test]
    fn anything_else_says_nothing() {
        for value in ["", "S", "1", "1s", "-1S", "123456789S", "1.5S", " 1S", "+1S"] {
            assert_eq!(parse(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn a_caller_cannot_wait_longer_than_allowed() {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", http::HeaderValue::from_static("99999999H"));
        let now = Instant::now();
        assert!(of(&headers, Duration::from_secs(5)) <= now + Duration::from_secs(6));
    }
}
