//! A request seen member by member, so that checks, condition keys and resource names are written once for all requests.

/// A message whose members can be walked.
pub trait Fields: Sync {
    /// What is declared of each member, in the order of the proto.
    fn members(&self) -> &'static [Member];
    /// The member at `index`; absent past the last.
    fn get(&self, index: usize) -> Value<'_>;
}

/// A repeated message.
pub trait FieldList: Sync {
    /// How many there are.
    fn count(&self) -> usize;
    /// The one at `index`.
    fn at(&self, index: usize) -> Option<&dyn Fields>;
}

impl<T: Fields> FieldList for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }

    fn at(&self, index: usize) -> Option<&dyn Fields> {
        self.get(index).map(|item| item as &dyn Fields)
    }
}

/// A member's value.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// Not given. A required text that is empty counts as not given.
    Absent,
    /// One text.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// Several texts.
    Texts(&'a [String]),
    /// A message.
    Message(&'a dyn Fields),
    /// Several messages.
    Messages(&'a dyn FieldList),
}

impl Value<'_> {
    /// Whether something was given; an empty list was not.
    pub fn is_present(&self) -> bool {
        match self {
            Value::Absent => false,
            Value::Texts(texts) => !texts.is_empty(),
            Value::Messages(list) => list.count() > 0,
            _ => true,
        }
    }
}

/// What is declared of a member.
#[derive(Debug)]
pub struct Member {
    /// The proto field, `user_name`.
    pub name: &'static str,
    /// The proto field's number.
    pub number: u32,
    /// The members of the messages that it holds; none where it holds none.
    pub members: &'static [Member],
    /// The member in AWS's Query protocol, `UserName`.
    pub wire_name: &'static str,
    /// The member in AWS's validation messages, `userName`.
    pub query_name: &'static str,
    /// A call without it is refused.
    pub required: bool,
    /// What its value is held to.
    pub shape: &'static Shape,
    /// The condition key it supplies; empty for none.
    pub context_key: &'static str,
    /// What that key holds where the member is absent.
    pub context_default: Option<i64>,
    /// Its tags are the call's request tags.
    pub request_tags: bool,
    /// It holds a secret.
    pub secret: bool,
}

/// AWS's limits of a kind of member. For a list, length and pattern hold for each of its texts.
#[derive(Debug)]
pub struct Shape {
    /// Fewest characters.
    pub length_min: Option<usize>,
    /// Most characters.
    pub length_max: Option<usize>,
    /// What the whole value must match; empty for anything.
    pub pattern: &'static str,
    /// Smallest number.
    pub value_min: Option<i64>,
    /// Largest number.
    pub value_max: Option<i64>,
    /// Fewest items.
    pub count_min: Option<usize>,
    /// Most items.
    pub count_max: Option<usize>,
    /// The only values; empty for any.
    pub one_of: &'static [&'static str],
}
