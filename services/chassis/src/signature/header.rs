//! Headers that a signature rests on, each standing once, and the dates that they carry.

use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memchr;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use super::{SignatureError, names};

const QUOTED_CHARACTERS_MAX: usize = 64;

/// The headers that a signature is judged by, found in one look: to look each up hashes its name.
#[derive(Default)]
pub(super) struct Stated<'h> {
    pub(super) date: Found<'h>,
    pub(super) http_date: Found<'h>,
    pub(super) host: Found<'h>,
    pub(super) content_hash: Found<'h>,
    pub(super) security_token: Found<'h>,
}

/// A header that may stand once.
#[derive(Clone, Copy, Default)]
pub(super) enum Found<'h> {
    #[default]
    Absent,
    Once(&'h HeaderName, &'h HeaderValue),
    Again(&'h HeaderName),
}

impl<'h> Stated<'h> {
    pub(super) fn of(headers: &'h HeaderMap) -> Self {
        let mut stated = Self::default();
        for (name, value) in headers {
            let place = match name.as_str() {
                names::DATE => &mut stated.date,
                names::CONTENT_HASH => &mut stated.content_hash,
                names::SECURITY_TOKEN => &mut stated.security_token,
                "host" => &mut stated.host,
                "date" => &mut stated.http_date,
                _ => continue,
            };
            *place = place.and(name, value);
        }
        stated
    }
}

impl<'h> Found<'h> {
    /// The header of a name.
    pub(super) fn of(headers: &'h HeaderMap, name: &'h HeaderName) -> Self {
        headers.get_all(name).iter().fold(Self::Absent, |found, value| found.and(name, value))
    }

    /// With one more that has the name.
    fn and(self, name: &'h HeaderName, value: &'h HeaderValue) -> Self {
        match self {
            Self::Absent => Self::Once(name, value),
            Self::Once(..) | Self::Again(_) => Self::Again(name),
        }
    }

    /// The header; nothing when it is absent.
    pub(super) fn once(self) -> Result<Option<(&'h HeaderName, &'h HeaderValue)>, SignatureError> {
        match self {
            Self::Absent => Ok(None),
            Self::Once(name, value) => Ok(Some((name, value))),
            Self::Again(name) => {
                Err(SignatureError::Incomplete(format!("The header '{name}' must stand only once.")))
            }
        }
    }

    /// Its text; nothing when it is absent.
    pub(super) fn text(self) -> Result<Option<&'h str>, SignatureError> {
        let Some((name, value)) = self.once()? else { return Ok(None) };
        // A value holds no control characters. `to_str`, which says the same, looks at its bytes one at a time.
        match std::str::from_utf8(value.as_bytes()).ok().filter(|text| text.is_ascii()) {
            Some(text) => Ok(Some(text)),
            None => Err(SignatureError::Incomplete(format!("The header '{name}' must be printable ASCII."))),
        }
    }
}

/// The pieces of a text between separators, which are ASCII. `split` at a character costs several times as much on
/// texts as short as these.
pub(super) fn pieces(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let halves = halves(text, separator);
        rest = halves.map(|(_, after)| after);
        Some(halves.map_or(text, |(before, _)| before))
    })
}

/// What stands before and after the first separator, which is ASCII.
pub(super) fn halves(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = memchr(separator, text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Seconds since 1970 of an ISO 8601 date in basic format, `20150830T123600Z`.
pub(super) fn unix_of(stamp: &str) -> Option<i64> {
    let (date, clock) = halves(stamp.strip_suffix('Z')?, b'T')?;
    let date = date_of(date)?;
    if clock.len() != 6 {
        return None;
    }
    let time = Time::from_hms(two_digits(clock, 0)?, two_digits(clock, 2)?, two_digits(clock, 4)?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp())
}

/// The ISO 8601 date in basic format of a time; a time outside the calendar gives its first moment.
pub(super) fn stamp_of(unix: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(unix).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// Seconds in AWS's words, `15 min.`.
pub(super) fn span(seconds: u32) -> String {
    if seconds.is_multiple_of(60) { format!("{} min.", seconds / 60) } else { format!("{seconds} sec.") }
}

/// What a message quotes of what a caller sent: printable and short.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String =
        text.chars().take(QUOTED_CHARACTERS_MAX).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(QUOTED_CHARACTERS_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}

/// `YYYYMMDD` as a day of the calendar.
pub(super) fn date_of(text: &str) -> Option<Date> {
    if text.len() != 8 {
        return None;
    }
    let year = i32::from(two_digits(text, 0)?) * 100 + i32::from(two_digits(text, 2)?);
    let month = Month::try_from(two_digits(text, 4)?).ok()?;
    Date::from_calendar_date(year, month, two_digits(text, 6)?).ok()
}

fn two_digits(text: &str, at: usize) -> Option<u8> {
    match text.as_bytes().get(at..at.checked_add(2)?)? {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    }
}
