//! How many values a request may hold, counted before they are read. Two bytes of a request can be an empty message of
//! hundreds in memory, and its limits are looked at only when it is there: whoever may call at all could spend the
//! memory of the whole server.

use reeve_directory::Error;
use reeve_proto::Member;
use reeve_proto::error::v1::ErrorReason;

/// Most values that a request may hold, those in its lists and messages counted singly. A question with every list at its
/// limit has fewer, and a batch of a hundred questions may have over three hundred for each.
const VALUES_MAX: usize = 32 * 1024;
/// No value takes less, in protobuf or in JSON: nothing is counted in what is too short to hold too many.
const VALUE_BYTES_MIN: usize = 2;

// What stands in a protobuf key's last three bits, of how the value is written. (Source: "Encoding" of protobuf's
// guide.)
const VARINT: usize = 0;
const EIGHT_BYTES: usize = 1;
const DELIMITED: usize = 2;
const FOUR_BYTES: usize = 5;

/// Refuses a message in protobuf's binary form that holds more values than a request may.
///
/// # Errors
/// `RequestEntityTooLarge`.
pub(crate) fn check_message(message: &[u8], members: &'static [Member]) -> Result<(), Error> {
    if message.len() <= VALUES_MAX * VALUE_BYTES_MIN {
        return Ok(());
    }
    let mut left = VALUES_MAX;
    count(message, members, &mut left).ok_or_else(crowded)
}

/// Refuses a JSON text that holds more values than a request may.
///
/// # Errors
/// `RequestEntityTooLarge`.
pub(crate) fn check_json(text: &[u8]) -> Result<(), Error> {
    if text.len() <= VALUES_MAX * VALUE_BYTES_MIN {
        return Ok(());
    }
    let (mut values, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            // Each value comes after one of these, but for the outermost.
            b'{' | b'[' | b',' if !in_text => values += 1,
            _ => {}
        }
    }
    if values <= VALUES_MAX { Ok(()) } else { Err(crowded()) }
}

/// Takes the values of a message from `left`; nothing when there are more. What is no message is left to its decoder,
/// which stops at the same byte.
fn count(mut message: &[u8], members: &[Member], left: &mut usize) -> Option<()> {
    while !message.is_empty() {
        *left = left.checked_sub(1)?;
        let Some(key) = varint(&mut message) else { return Some(()) };
        let length = match key & 7 {
            VARINT => {
                varint(&mut message);
                continue;
            }
            EIGHT_BYTES => 8,
            FOUR_BYTES => 4,
            DELIMITED => match varint(&mut message) {
                Some(length) => length,
                None => return Some(()),
            },
            // The mark of a group's beginning or end: its values follow, or have come.
            _ => continue,
        };
        let Some((value, rest)) = message.split_at_checked(length) else { return Some(()) };
        message = rest;
        let member = members.iter().find(|member| usize::try_from(member.number) == Ok(key >> 3));
        if let Some(member) = member.filter(|member| key & 7 == DELIMITED && !member.members.is_empty()) {
            count(value, member.members, left)?;
        }
    }
    Some(())
}

/// The number at the beginning of `bytes`, which are left behind it; nothing when there is none.
fn varint(bytes: &mut &[u8]) -> Option<usize> {
    prost::decode_length_delimiter(bytes).ok()
}

fn crowded() -> Error {
    Error::new(
        ErrorReason::RequestEntityTooLarge,
        format!("The request holds more than {VALUES_MAX} values."),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;
    use reeve_proto::authorization::v1::{BatchAuthorizeRequest, ContextEntry, Question};
    use reeve_proto::iam::v1::{CreateUserRequest, Tag};
    use reeve_proto::{Fields, Operation, Value};

    use super::*;

    fn check<O: Operation>(message: &[u8]) -> Result<(), ErrorReason> {
        check_message(message, O::SPEC.members).map_err(|error| error.reason)
    }

    /// The values that a decoded message holds.
    fn held(message: &dyn Fields) -> usize {
        (0..message.members().len())
            .map(|index| match message.get(index) {
                Value::Absent | Value::Boolean(false) => 0,
                Value::Texts(texts) => texts.len(),
                Value::Message(inner) => 1 + held(inner),
                Value::Messages(list) => (0..list.count()).map(|at| 1 + held(list.at(at).unwrap())).sum(),
                _ => 1,
            })
            .sum()
    }

    /// What counting a message takes.
    fn counted<O: Operation>(message: &[u8]) -> usize {
        let mut left = usize::MAX;
        count(message, O::SPEC.members, &mut left).unwrap();
        usize::MAX - left
    }

    fn batch(questions: usize, values: usize) -> Vec<u8> {
        let entry = ContextEntry {
            context_key_name: "a:b".to_owned(),
            context_key_values: vec![String::new(); values],
            ..ContextEntry::default()
        };
        let question = Question { action: "a:b".to_owned(), context: vec![entry], ..Question::default() };
        BatchAuthorizeRequest { questions: vec![question; questions] }.encode_to_vec()
    }

    #[test]
    fn as_many_values_as_a_request_may_hold_are_read_and_no_more() {
        let tags = |count| {
            CreateUserRequest { tags: vec![Tag::default(); count], ..Default::default() }.encode_to_vec()
        };
        assert_eq!(check::<CreateUserRequest>(&tags(VALUES_MAX)), Ok(()));
        let refused = Err(ErrorReason::RequestEntityTooLarge);
        assert_eq!(check::<CreateUserRequest>(&tags(VALUES_MAX + 1)), refused);
        // However they are nested: each question here is four values and those of its key.
        assert_eq!(check::<BatchAuthorizeRequest>(&batch(VALUES_MAX / 104, 100)), Ok(()));
        assert_eq!(check::<BatchAuthorizeRequest>(&batch(VALUES_MAX / 104 + 1, 100)), refused);
        // Groups that nobody knows hide nothing, and a long text is one value.
        let hidden = [&[0x7b; 4][..], &tags(VALUES_MAX + 1)].concat();
        assert_eq!(check::<CreateUserRequest>(&hidden), refused);
        let user_name = "\u{0}\u{0}".repeat(VALUES_MAX * 2);
        let long = CreateUserRequest { user_name, ..Default::default() }.encode_to_vec();
        assert_eq!(check::<CreateUserRequest>(&long), Ok(()));
    }

    #[test]
    fn json_is_counted_outside_its_texts() {
        let json =
            |items: &[&str]| check_json(format!("{{\"a\": [{}]}}", items.join(",")).as_bytes()).is_ok();
        for item in ["{}", "\"\"", "1", "[]", r#""\"""#, r#""\\""#] {
            assert!(json(&vec![item; VALUES_MAX / 2 - 2]), "{item}");
            assert!(!json(&vec![item; VALUES_MAX + 1]), "{item}");
        }
        assert!(json(&[&format!("\"{}\"", r#"[{,\",}]"#.repeat(VALUES_MAX))]));
    }

    proptest! {
        #[test]
        fn nothing_that_is_decoded_was_left_uncounted(
            shape in prop::collection::vec((0..4_usize, 0..4_usize), 0..4),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let mut message: Vec<u8> = shape.iter().flat_map(|(questions, values)| batch(*questions, *values)).collect();
            prop_assert_eq!(counted::<BatchAuthorizeRequest>(&message), held(&BatchAuthorizeRequest::decode(&*message).unwrap()));
            if !message.is_empty() {
                for (at, byte) in changes {
                    let at = at.index(message.len());
                    message[at] = byte;
                }
            }
            if let Ok(decoded) = BatchAuthorizeRequest::decode(&*message) {
                prop_assert!(held(&decoded) <= counted::<BatchAuthorizeRequest>(&message));
            }
        }
    }
}
