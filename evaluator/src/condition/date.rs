//! Dates as conditions compare them: ISO 8601 in any of its usual lengths, or seconds since 1970.
//!
//! Written here, rather than taken from a date crate, because the years go further than theirs and because
//! nothing else of a calendar is needed.

use crate::text::{Inline, Text};

/// Nanoseconds since 1970-01-01 UTC.
pub(crate) type Moment = i128;

const SECOND: i128 = 1_000_000_000;

/// The years a date may name: those of a 64-bit count of milliseconds, as in AWS.
const YEARS: std::ops::RangeInclusive<i64> = -292_275_054..=292_278_993;

pub(crate) fn from_seconds(seconds: i64) -> Moment {
    i128::from(seconds) * SECOND
}

/// Reads `2026-01-31`, `2026-01-31T12:00Z`, `2026-01-31T12:00:00.5+01:00` and the like, or `1769817600`.
/// Parts that are left out are the first of their kind, and the zone is UTC.
pub(crate) fn parse(text: &str) -> Option<Moment> {
    let iso = text.bytes().any(|byte| matches!(byte, b'T' | b't' | b'-'));
    if !iso {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        return digits.then(|| text.parse().ok().map(from_seconds))?;
    }
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, time),
        None => (text, ""),
    };
    let days = parse_days(date)?;
    let (clock, offset) = split_zone(time)?;
    Some((i128::from(days) * 86_400 - i128::from(offset)) * SECOND + parse_clock(clock)?)
}

/// A moment as `2026-01-31T12:00:00Z`.
pub(crate) fn format(seconds: i64) -> Inline {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let clock = seconds.rem_euclid(86_400).unsigned_abs();
    let mut out = Inline::default();
    if year < 0 {
        out.push(b'-');
    }
    out.digits(year.unsigned_abs(), 4);
    for (mark, value) in
        [(b'-', month), (b'-', day), (b'T', clock / 3600), (b':', clock / 60 % 60), (b':', clock % 60)]
    {
        out.push(mark);
        out.digits(value, 2);
    }
    out.push(b'Z');
    out
}

/// A moment for people, to the second.
pub(crate) fn describe(moment: Moment) -> String {
    match i64::try_from(moment.div_euclid(SECOND)) {
        Ok(seconds) => Text::Inline(format(seconds)).as_str().to_owned(),
        Err(_) => moment.to_string(),
    }
}

fn number(text: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|value| range.contains(value))
}

fn parse_days(date: &str) -> Option<i64> {
    let (sign, rest) = date.strip_prefix('-').map_or((1, date), |rest| (-1, rest));
    let mut fields = rest.split('-');
    let year = sign * number(fields.next()?, 0..=i64::MAX)?;
    let month = fields.next().map_or(Some(1), |month| number(month, 1..=12))?;
    let day = fields.next().map_or(Some(1), |day| number(day, 1..=31))?;
    let valid = YEARS.contains(&year) && fields.next().is_none();
    valid.then(|| days_of(year, month, day))
}

/// The clock part and the offset of its zone from UTC in seconds.
fn split_zone(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, 0)) };
    let (clock, zone) = time.split_at_checked(at)?;
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let zone = zone.get(1..)?;
    let (hours, minutes) = match zone.split_once(':') {
        Some(split) => split,
        None if zone.len() == 4 => zone.split_at_checked(2)?,
        None => (zone, "00"),
    };
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    Some((clock, sign * (number(hours, 0..=23)? * 3600 + number(minutes, 0..=59)? * 60)))
}

fn parse_clock(clock: &str) -> Option<i128> {
    if clock.is_empty() {
        return Some(0);
    }
    let mut fields = clock.split(':');
    let hours = number(fields.next()?, 0..=23)?;
    let minutes = fields.next().map_or(Some(0), |minutes| number(minutes, 0..=59))?;
    let (seconds, fraction) = match fields.next() {
        None => ("0", ""),
        Some(seconds) => seconds.split_once('.').unwrap_or((seconds, "")),
    };
    let whole = hours * 3600 + minutes * 60 + number(seconds, 0..=59)?;
    let mut nanoseconds = 0;
    if !fraction.is_empty() {
        let width = u32::try_from(fraction.len()).ok()?;
        nanoseconds = i128::from(number(fraction, 0..=999_999_999)?) * 10_i128.pow(9_u32.checked_sub(width)?);
    }
    fields.next().is_none().then_some(i128::from(whole) * SECOND + nanoseconds)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, by eras of 400 years that begin in March.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let shifted = year - i64::from(month <= 2);
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days_of`].
fn civil(days: i64) -> (i64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    (era * 400 + year_of_era + i64::from(month <= 2), month.unsigned_abs(), day.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i128> {
        parse(text).map(|moment| moment / SECOND)
    }

    #[test]
    fn both_forms_meet() {
        assert_eq!(seconds("1970-01-01"), Some(0));
        assert_eq!(seconds("2026-03-01T00:00:00Z"), Some(1_772_323_200));
        assert_eq!(seconds("1772323200"), Some(1_772_323_200));
        assert_eq!(seconds("2026-03-01T01:00:00+01:00"), Some(1_772_323_200));
        assert_eq!(seconds("2026-02-28T23:00-0100"), Some(1_772_323_200));
        assert_eq!(parse("2026-03-01T00:00:00.25Z"), Some(1_772_323_200 * SECOND + SECOND / 4));
        assert_eq!(seconds("2026"), Some(2026));
        assert_eq!(seconds("2026-03"), Some(1_772_323_200));
    }

    /// (Source: "Date and Time Formats", a note to the W3C, which AWS names.)
    #[test]
    fn every_form_that_the_w3c_names() {
        let base = 869_011_200; // 1997-07-16
        for (text, expected) in [
            ("1997-07", 867_715_200),
            ("1997-07-16", base),
            ("1997-07-16T19:20+01:00", base + 18 * 3600 + 20 * 60),
            ("1997-07-16T19:20:30+01:00", base + 18 * 3600 + 20 * 60 + 30),
            ("1997-07-16T19:20:30Z", base + 19 * 3600 + 20 * 60 + 30),
            ("1997-07-16t19:20:30z", base + 19 * 3600 + 20 * 60 + 30),
            ("1997-07-16T19:20:30", base + 19 * 3600 + 20 * 60 + 30),
            ("1997-07-16T19", base + 19 * 3600),
            ("1997-07-16T", base),
            ("1997-07-16T00:00-05:30", base + 5 * 3600 + 30 * 60),
            ("1997-07-16T00:00+0530", base - 5 * 3600 - 30 * 60),
            ("1997-07-16T00:00-05", base + 5 * 3600),
            ("1997T", 852_076_800),
        ] {
            assert_eq!(parse(text), Some(from_seconds(expected)), "{text}");
        }
        for (fraction, nanoseconds) in [
            ("5", 500_000_000),
            ("45", 450_000_000),
            ("000000001", 1),
            ("999999999", 999_999_999),
            ("10", 100_000_000),
        ] {
            let text = format!("1997-07-16T00:00:59.{fraction}Z");
            assert_eq!(parse(&text), Some(from_seconds(base + 59) + nanoseconds), "{text}");
        }
        assert_eq!(parse("0"), Some(0));
        assert_eq!(parse("9223372036854775807"), Some(from_seconds(i64::MAX)));
    }

    /// The calendar as it is taught: a day after the other.
    #[test]
    fn days_follow_each_other() {
        let (mut year, mut month, mut day) = (-401_i64, 1_i64, 1_i64);
        let first = days_of(year, month, day);
        for days in first..first + 1_000_000 {
            assert_eq!(days_of(year, month, day), days, "{year}-{month}-{day}");
            assert_eq!(civil(days), (year, month.unsigned_abs(), day.unsigned_abs()), "{days}");
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (year, month, day) = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, last) if last == length => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
        assert_eq!(days_of(1970, 1, 1), 0);
    }

    #[test]
    fn years_end_where_those_of_aws_do() {
        for (text, there) in [
            ("292278993-12-31", true),
            ("292278994-01-01", false),
            ("-292275054-01-01", true),
            ("-292275055-12-31", false),
            ("1000000000-01-01", false),
        ] {
            assert_eq!(parse(text).is_some(), there, "{text}");
        }
        assert!(parse("-0044-03-15") < parse("0001-01-01") && parse("-0045-03-15") < parse("-0044-03-15"));
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "x",
            "T",
            "234-13",
            "2026-00-01",
            "2026-01-00",
            "2026-01-32",
            "2026-01-01-01",
            "2026-+5-01",
            "2026-01-0000000001",
            "2026-01-01T24:00",
            "2026-01-01T00:60",
            "2026-01-01T00:00:60",
            "2026-01-01T00:00:00:00",
            "2026-01-01T00:00+24:00",
            "2026-01-01T00:00+01:60",
            "2026-01-01T00:00+1:00",
            "2026-01-01T00:00+01:0",
            "2026-01-01T00:00+010",
            "2026-01-01T00:00+",
            "2026-01-01T00:00:00.x",
            "2026-01-01T00:00:00.1234567890",
            "2026-01-01TZ:00",
            "12.5",
            "+5",
            "9223372036854775808",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("2016-12-13t2:00:00.1999999999+10:59"), None);
    }

    #[test]
    fn a_date_is_shown_to_the_second() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (86_399, "1970-01-01T23:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400 + 3_661, "2000-02-29T01:01:01Z"),
            (-62_135_596_800, "0001-01-01T00:00:00Z"),
            (-62_167_219_200, "0000-01-01T00:00:00Z"),
            (-62_198_755_200, "-0001-01-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (253_402_300_800, "10000-01-01T00:00:00Z"),
        ] {
            assert_eq!(describe(from_seconds(seconds)), text);
            assert_eq!(describe(from_seconds(seconds) + 999_999_999), text);
        }
    }

    #[test]
    fn writing_is_the_inverse_of_reading() {
        for at in [0, 1, -1, 951_782_400, 951_868_800, 1_772_323_199, -62_135_596_800, 253_402_300_799] {
            let out = Text::Inline(format(at));
            assert_eq!(parse(out.as_str()), Some(from_seconds(at)), "{}", out.as_str());
        }
    }
}
