//! Numbers as conditions compare them: exact decimals, because quotas and sizes do not fit a float.

/// A decimal number, in units of 10⁻⁹.
pub(crate) type Number = i128;

const SCALE: i128 = 1_000_000_000;

pub(crate) fn from_integer(value: i64) -> Number {
    i128::from(value) * SCALE
}

/// Reads `42`, `-1.5`, `1e3`; at most nine decimal places and 27 digits before them.
pub(crate) fn parse(text: &str) -> Option<Number> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !numeric(whole) || !numeric(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    let places = 9 + i64::from(exponent) - i64::try_from(fraction.len()).ok()?;
    let places = u32::try_from(places).ok()?;
    if value == 0 {
        return Some(0);
    }
    value.checked_mul(10_i128.checked_pow(places)?)?.checked_mul(sign)
}

/// The number in plain digits.
pub(crate) fn describe(number: Number) -> String {
    let (whole, fraction) =
        (number.unsigned_abs() / SCALE.unsigned_abs(), number.unsigned_abs() % SCALE.unsigned_abs());
    let sign = if number < 0 { "-" } else { "" };
    let text = format!("{sign}{whole}.{fraction:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_number_are_equal() {
        for text in ["1000", "1e3", "1000.0", "+1000", "01000", "10.00e2"] {
            assert_eq!(parse(text), Some(1000 * SCALE), "{text}");
        }
        assert_eq!(parse("-0.5"), Some(-SCALE / 2));
        assert!(parse("9007199254740993") > parse("9007199254740992"), "a float cannot tell these apart");
    }

    #[test]
    fn every_place_counts() {
        for (text, units) in [
            ("0", 0),
            ("-0", 0),
            ("0e5", 0),
            (".5", SCALE / 2),
            ("5.", 5 * SCALE),
            ("-.25", -SCALE / 4),
            ("+0.000000001", 1),
            ("1e-9", 1),
            ("1E+2", 100 * SCALE),
            ("12.5e1", 125 * SCALE),
            ("0.0000000010", 1),
            ("90.010", 90 * SCALE + SCALE / 100),
            ("123456789.987654321", 123_456_789 * SCALE + 987_654_321),
        ] {
            assert_eq!(parse(text), Some(units), "{text}");
        }
        assert_eq!(parse(&"9".repeat(27)), Some((10_i128.pow(27) - 1) * SCALE));
    }

    #[test]
    fn a_number_is_shown_as_short_as_it_is() {
        for text in ["0", "7", "-7", "100", "0.5", "-0.5", "-12.25", "0.000000001", "90.01"] {
            assert_eq!(describe(parse(text).unwrap()), text);
        }
    }

    #[test]
    fn what_is_no_number() {
        for text in [
            "",
            ".",
            "-",
            "+-1",
            "--1",
            "1x",
            "x.1",
            "1.x",
            "0x10",
            "1e",
            "e1",
            "1e1.5",
            "NaN",
            " 1",
            "1e400",
            "0.0000000001",
            "1e-10",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"9".repeat(5000)), None);
    }
}
