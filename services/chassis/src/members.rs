//! Holds a request to what its members declare, before anything else looks at it: nothing forms an ARN, a key or a policy
//! from a member that is outside AWS's limits. The refusals are in AWS's words.

mod pattern;

use std::fmt::Write as _;

use reeve_directory::{Error, FieldViolation};
use reeve_proto::{Fields, Member, Shape, Value};

/// Most violations that one refusal tells of.
const VIOLATIONS_MAX: usize = 20;
/// Most characters of a value that a refusal quotes.
const QUOTED_CHARACTERS_MAX: usize = 128;

/// Checks every member of a request, and of the messages in it.
///
/// # Errors
/// `ValidationError`, which names every member at fault.
pub(crate) fn check(request: &dyn Fields) -> Result<(), Error> {
    let mut found = Violations::default();
    check_message(request, None, &mut found);
    if found.list.is_empty() { Ok(()) } else { Err(found.into_error()) }
}

/// Visits what stands at `path`, a path of member indices as a `Spec` has them: once for each item of the lists on the
/// way, with nothing where an item lacks it, so that the visits of two paths through one list go together.
pub(crate) fn texts<'a>(request: &'a dyn Fields, path: &[usize], visit: &mut dyn FnMut(Option<&'a str>)) {
    let Some((index, rest)) = path.split_first() else { return };
    match request.get(*index) {
        Value::Text(text) => visit(Some(text)),
        Value::Texts(list) if !list.is_empty() => list.iter().for_each(|text| visit(Some(text))),
        Value::Message(message) if !rest.is_empty() => texts(message, rest, visit),
        Value::Messages(list) if !rest.is_empty() && list.count() > 0 => {
            for item in (0..list.count()).filter_map(|at| list.at(at)) {
                texts(item, rest, visit);
            }
        }
        _ => visit(None),
    }
}

/// The text of the member `name` of a request; none when it is absent, or no text.
pub(crate) fn text<'a>(request: &'a dyn Fields, name: &str) -> Option<&'a str> {
    let index = request.members().iter().position(|member| member.name == name)?;
    match request.get(index) {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// Whether a member that holds a secret is given, in the request or in the messages in it.
pub(crate) fn holds_secret(request: &dyn Fields) -> bool {
    request.members().iter().enumerate().any(|(index, member)| match request.get(index) {
        value if member.secret => value.is_present(),
        Value::Message(inner) => holds_secret(inner),
        Value::Messages(list) => (0..list.count()).filter_map(|at| list.at(at)).any(holds_secret),
        _ => false,
    })
}

/// The proto's path of what stands at `path`: in the item at `at`, where the way leads through a list.
pub(crate) fn path_name(request: &dyn Fields, path: &[usize], at: usize) -> String {
    let Some((index, rest)) = path.split_first() else { return String::new() };
    let name = request.members().get(*index).map_or("", |member| member.name);
    match request.get(*index) {
        Value::Message(inner) if !rest.is_empty() => format!("{name}.{}", path_name(inner, rest, at)),
        Value::Messages(list) if !rest.is_empty() => match list.at(at) {
            Some(item) => format!("{name}[{at}].{}", path_name(item, rest, at)),
            None => name.to_owned(),
        },
        _ => name.to_owned(),
    }
}

/// Whether something stands at `path`, in any item of the lists on the way.
pub(crate) fn is_present(request: &dyn Fields, path: &[usize]) -> bool {
    let Some((index, rest)) = path.split_first() else { return false };
    match request.get(*index) {
        Value::Message(message) if !rest.is_empty() => is_present(message, rest),
        Value::Messages(list) if !rest.is_empty() => {
            (0..list.count()).filter_map(|at| list.at(at)).any(|item| is_present(item, rest))
        }
        value => rest.is_empty() && value.is_present(),
    }
}

fn check_message(message: &dyn Fields, at: Option<&Place<'_>>, found: &mut Violations) {
    for (index, member) in message.members().iter().enumerate() {
        check_member(member, message.get(index), at, found);
    }
}

fn check_member(member: &'static Member, value: Value<'_>, at: Option<&Place<'_>>, found: &mut Violations) {
    let shape = member.shape;
    let place = Place { within: at, member, item: None };
    match value {
        // An absent text and an empty one are the same on the wire; a shape that allows the empty one has it.
        Value::Absent if member.required && shape.length_min != Some(0) => {
            found.push(&place, Quoted::Null, "Member must not be null");
        }
        Value::Absent | Value::Boolean(_) => {}
        Value::Texts(_) | Value::Messages(_) if member.required && !value.is_present() => {
            found.push(&place, Quoted::Null, "Member must not be null");
        }
        Value::Text(text) => check_text(text, shape, &place, found),
        Value::Integer(number) => check_integer(number, shape, &place, found),
        Value::Texts(texts) => {
            if check_count(texts.len(), shape, &place, found)
                && !texts.iter().all(|text| text_fits(text, shape))
            {
                found.push(&place, Quoted::Texts(texts), &each_must(shape));
            }
        }
        Value::Message(inner) => check_message(inner, Some(&place), found),
        Value::Messages(list) => {
            if check_count(list.count(), shape, &place, found) {
                for item in 0..list.count() {
                    let place = Place { item: Some(item), ..place };
                    if let Some(inner) = list.at(item) {
                        check_message(inner, Some(&place), found);
                    }
                }
            }
        }
    }
}

/// Whether a text keeps to its shape. This is all that a valid request costs.
fn text_fits(text: &str, shape: &Shape) -> bool {
    length_fits(text, shape)
        && (shape.pattern.is_empty() || pattern::of(shape.pattern).matches(text))
        && (shape.one_of.is_empty() || shape.one_of.contains(&text))
}

fn length_fits(text: &str, shape: &Shape) -> bool {
    // Characters are counted only where the count of bytes does not settle it: there are 1 to 4 bytes to a character.
    let bytes = text.len();
    shape.length_max.is_none_or(|max| bytes <= max || text.chars().count() <= max)
        && shape
            .length_min
            .is_none_or(|min| bytes >= min && (bytes / 4 >= min || text.chars().count() >= min))
}

fn check_text(text: &str, shape: &Shape, place: &Place<'_>, found: &mut Violations) {
    if text_fits(text, shape) {
        return;
    }
    let length = text.chars().count();
    let quoted = Quoted::Text(text);
    if let Some(max) = shape.length_max.filter(|max| length > *max) {
        found.push(place, quoted, &longest(max));
    }
    if let Some(min) = shape.length_min.filter(|min| length < *min) {
        found.push(place, quoted, &shortest(min));
    }
    if !shape.pattern.is_empty() && !pattern::of(shape.pattern).matches(text) {
        found.push(place, quoted, &of_pattern(shape.pattern));
    }
    if !shape.one_of.is_empty() && !shape.one_of.contains(&text) {
        found.push(place, quoted, &one_of(shape.one_of));
    }
}

fn check_integer(number: i64, shape: &Shape, place: &Place<'_>, found: &mut Violations) {
    if let Some(max) = shape.value_max.filter(|max| number > *max) {
        found.push(
            place,
            Quoted::Integer(number),
            &format!("Member must have value less than or equal to {max}"),
        );
    }
    if let Some(min) = shape.value_min.filter(|min| number < *min) {
        found.push(
            place,
            Quoted::Integer(number),
            &format!("Member must have value greater than or equal to {min}"),
        );
    }
}

/// Whether a list has as many items as it may. The items of one that has more are not looked at.
fn check_count(count: usize, shape: &Shape, place: &Place<'_>, found: &mut Violations) -> bool {
    let wrong = if let Some(max) = shape.count_max.filter(|max| count > *max) {
        longest(max)
    } else if let Some(min) = shape.count_min.filter(|min| count < *min) {
        shortest(min)
    } else {
        return true;
    };
    found.push(place, if count == 0 { Quoted::Texts(&[]) } else { Quoted::Not }, &wrong);
    false
}

/// What AWS says of a list that holds a text outside its shape.
fn each_must(shape: &Shape) -> String {
    let constraints: Vec<String> = [
        shape.length_max.map(longest),
        shape.length_min.map(shortest),
        (!shape.pattern.is_empty()).then(|| of_pattern(shape.pattern)),
        (!shape.one_of.is_empty()).then(|| one_of(shape.one_of)),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!("Member must satisfy constraint: [{}]", constraints.join(", "))
}

fn longest(max: usize) -> String {
    format!("Member must have length less than or equal to {max}")
}

fn shortest(min: usize) -> String {
    format!("Member must have length greater than or equal to {min}")
}

fn of_pattern(pattern: &str) -> String {
    format!("Member must satisfy regular expression pattern: {pattern}")
}

fn one_of(values: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", values.join(", "))
}

/// Where a member stands in its request.
#[derive(Clone, Copy)]
struct Place<'a> {
    within: Option<&'a Place<'a>>,
    member: &'static Member,
    /// Which item of a list, from 0.
    item: Option<usize>,
}

impl Place<'_> {
    /// AWS's path, `tags.1.member.key`.
    fn query_path(&self) -> String {
        let mut path = self.within.map(|outer| outer.query_path() + ".").unwrap_or_default();
        path.push_str(self.member.query_name);
        if let Some(item) = self.item {
            // Writing into a text cannot fail.
            let _ = write!(path, ".{}.member", item + 1);
        }
        path
    }

    /// The proto's path, `tags[0].key`.
    fn proto_path(&self) -> String {
        let mut path = self.within.map(|outer| outer.proto_path() + ".").unwrap_or_default();
        path.push_str(self.member.name);
        if let Some(item) = self.item {
            let _ = write!(path, "[{item}]");
        }
        path
    }

    fn is_secret(&self) -> bool {
        self.member.secret || self.within.is_some_and(Place::is_secret)
    }
}

/// A value as a refusal shows it.
#[derive(Clone, Copy)]
enum Quoted<'a> {
    Null,
    /// Too large to be shown, or made of messages.
    Not,
    Text(&'a str),
    Texts(&'a [String]),
    Integer(i64),
}

impl Quoted<'_> {
    fn text(self) -> String {
        match self {
            Quoted::Null => " null".to_owned(),
            Quoted::Not => String::new(),
            Quoted::Text(text) => format!(" '{}'", cut(text)),
            Quoted::Integer(number) => format!(" '{number}'"),
            Quoted::Texts(texts) => {
                let mut all = String::new();
                for text in texts {
                    if all.len() > QUOTED_CHARACTERS_MAX {
                        break;
                    }
                    all.push_str(if all.is_empty() { "" } else { ", " });
                    all.push_str(&cut(text));
                }
                format!(" '[{}]'", cut(&all))
            }
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[derive(Default)]
struct Violations {
    list: Vec<FieldViolation>,
    messages: Vec<String>,
}

impl Violations {
    fn push(&mut self, place: &Place<'_>, value: Quoted<'_>, constraint: &str) {
        if self.list.len() >= VIOLATIONS_MAX {
            return;
        }
        let hidden = place.is_secret() && !matches!(value, Quoted::Null);
        let quoted = if hidden { String::new() } else { value.text() };
        self.messages.push(format!(
            "Value{quoted} at '{}' failed to satisfy constraint: {constraint}",
            place.query_path()
        ));
        self.list.push(FieldViolation { field: place.proto_path(), description: constraint.to_owned() });
    }

    fn into_error(self) -> Error {
        let (count, plural) = (self.list.len(), if self.list.len() == 1 { "" } else { "s" });
        let message = format!("{count} validation error{plural} detected: {}", self.messages.join("; "));
        let mut error = Error::validation_error(message);
        error.violations = self.list;
        error
    }
}

#[cfg(test)]
mod tests;
