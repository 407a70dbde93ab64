//! The names of condition operators.

/// A condition operator with its set operator and suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    /// Its place among the operators, some of which have the same test.
    place: u8,
    pub(crate) set: Option<Set>,
    pub(crate) test: Test,
    /// The condition holds where the values do not match.
    pub(crate) negated: bool,
    pub(crate) if_exists: bool,
}

/// Which of a key's values must satisfy the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// `ForAllValues:`.
    All,
    /// `ForAnyValue:`.
    Any,
}

/// How one value is compared with one of the policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Text,
    TextFolded,
    Like,
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Address,
    Arn,
    Null,
}

/// Where a value must stand in relation to the policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    pub(crate) fn holds<T: Ord>(self, value: &T, limit: &T) -> bool {
        match self {
            Self::Equal => value == limit,
            Self::Less => value < limit,
            Self::LessOrEqual => value <= limit,
            Self::Greater => value > limit,
            Self::GreaterOrEqual => value >= limit,
        }
    }
}

/// Every operator: its name, its test, whether it is negated.
const OPERATORS: [(&str, Test, bool); 27] = [
    ("StringEquals", Test::Text, false),
    ("StringNotEquals", Test::Text, true),
    ("StringEqualsIgnoreCase", Test::TextFolded, false),
    ("StringNotEqualsIgnoreCase", Test::TextFolded, true),
    ("StringLike", Test::Like, false),
    ("StringNotLike", Test::Like, true),
    ("NumericEquals", Test::Number(Order::Equal), false),
    ("NumericNotEquals", Test::Number(Order::Equal), true),
    ("NumericLessThan", Test::Number(Order::Less), false),
    ("NumericLessThanEquals", Test::Number(Order::LessOrEqual), false),
    ("NumericGreaterThan", Test::Number(Order::Greater), false),
    ("NumericGreaterThanEquals", Test::Number(Order::GreaterOrEqual), false),
    ("DateEquals", Test::Date(Order::Equal), false),
    ("DateNotEquals", Test::Date(Order::Equal), true),
    ("DateLessThan", Test::Date(Order::Less), false),
    ("DateLessThanEquals", Test::Date(Order::LessOrEqual), false),
    ("DateGreaterThan", Test::Date(Order::Greater), false),
    ("DateGreaterThanEquals", Test::Date(Order::GreaterOrEqual), false),
    ("Bool", Test::Bool, false),
    ("BinaryEquals", Test::Binary, false),
    ("IpAddress", Test::Address, false),
    ("NotIpAddress", Test::Address, true),
    ("ArnEquals", Test::Arn, false),
    ("ArnLike", Test::Arn, false),
    ("ArnNotEquals", Test::Arn, true),
    ("ArnNotLike", Test::Arn, true),
    ("Null", Test::Null, false),
];

impl Operator {
    /// Reads an operator's name; none when there is no such operator. Case does not count: policies that AWS
    /// itself manages spell it both ways.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (set, rest) = match name.split_once(':') {
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAllValues") => (Some(Set::All), rest),
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAnyValue") => (Some(Set::Any), rest),
            Some(_) => return None,
            None => (None, name),
        };
        let (base, if_exists) =
            match rest.len().checked_sub("IfExists".len()).and_then(|at| rest.split_at_checked(at)) {
                Some((base, suffix)) if suffix.eq_ignore_ascii_case("IfExists") => (base, true),
                _ => (rest, false),
            };
        let known = (0..).zip(&OPERATORS).find(|(_, (known, _, _))| known.eq_ignore_ascii_case(base));
        let (place, (_, test, negated)) =
            known.filter(|(_, (_, test, _))| !(if_exists && *test == Test::Null))?;
        Some(Self { place, set, test: *test, negated: *negated, if_exists })
    }

    /// The operator as AWS spells it.
    pub(crate) fn name(self) -> String {
        let set = match self.set {
            None => "",
            Some(Set::All) => "ForAllValues:",
            Some(Set::Any) => "ForAnyValue:",
        };
        let base = OPERATORS.get(usize::from(self.place)).map_or("", |(name, _, _)| name);
        format!("{set}{base}{}", if self.if_exists { "IfExists" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_prefixes_and_suffixes() {
        let operator = Operator::parse("ForAnyValue:StringNotLikeIfExists").unwrap();
        assert_eq!(
            operator,
            Operator { place: 5, set: Some(Set::Any), test: Test::Like, negated: true, if_exists: true }
        );
        assert_eq!(operator.name(), "ForAnyValue:StringNotLikeIfExists");
        assert_eq!(Operator::parse("forallvalues:Stringlike").unwrap().name(), "ForAllValues:StringLike");
    }

    #[test]
    fn every_operator_has_its_test() {
        use {Order::*, Test::*};
        let order = [
            ("Equals", Equal, false),
            ("NotEquals", Equal, true),
            ("LessThan", Less, false),
            ("LessThanEquals", LessOrEqual, false),
            ("GreaterThan", Greater, false),
            ("GreaterThanEquals", GreaterOrEqual, false),
        ];
        let mut expected: Vec<(String, Test, bool)> = Vec::new();
        for (name, order, negated) in order {
            expected.push((format!("Numeric{name}"), Number(order), negated));
            expected.push((format!("Date{name}"), Date(order), negated));
        }
        for (positive, negative, test) in [
            ("StringEquals", "StringNotEquals", Text),
            ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", TextFolded),
            ("StringLike", "StringNotLike", Like),
            ("IpAddress", "NotIpAddress", Address),
            ("ArnEquals", "ArnNotEquals", Arn),
            ("ArnLike", "ArnNotLike", Arn),
        ] {
            expected.extend([(positive.to_owned(), test, false), (negative.to_owned(), test, true)]);
        }
        expected.extend(
            [("Bool", Bool), ("BinaryEquals", Binary), ("Null", Null)].map(|(n, t)| (n.to_owned(), t, false)),
        );
        assert_eq!(expected.len(), OPERATORS.len());
        for (name, test, negated) in expected {
            for (prefix, set) in
                [("", None), ("ForAllValues:", Some(Set::All)), ("ForAnyValue:", Some(Set::Any))]
            {
                for (suffix, if_exists) in [("", false), ("IfExists", true)] {
                    let whole = format!("{prefix}{name}{suffix}");
                    let Some(found) = Operator::parse(&whole) else {
                        assert!(test == Null && if_exists, "{whole}");
                        continue;
                    };
                    let Operator {
                        set: in_set, test: as_test, negated: is_negated, if_exists: exists, ..
                    } = found;
                    assert_eq!(
                        (in_set, as_test, is_negated, exists),
                        (set, test, negated, if_exists),
                        "{whole}"
                    );
                    assert_eq!(found.name(), whole);
                    assert_eq!(Operator::parse(&whole.to_lowercase()), Some(found));
                }
            }
        }
    }

    #[test]
    fn an_order_is_what_its_name_says() {
        for (order, below, at, above) in [
            (Order::Equal, false, true, false),
            (Order::Less, true, false, false),
            (Order::LessOrEqual, true, true, false),
            (Order::Greater, false, false, true),
            (Order::GreaterOrEqual, false, true, true),
        ] {
            assert_eq!(
                (order.holds(&1, &2), order.holds(&2, &2), order.holds(&3, &2)),
                (below, at, above),
                "{order:?}"
            );
        }
    }

    #[test]
    fn what_is_no_operator() {
        for name in [
            "",
            "x",
            "IfExists",
            "StringEqual",
            "ForAnyValue::StringEquals",
            "ForAny:Bool",
            "NullIfExists",
            "ForAllValues:",
            ":Bool",
            "BoolIfExistsIfExists",
        ] {
            assert_eq!(Operator::parse(name), None, "{name}");
        }
    }
}
