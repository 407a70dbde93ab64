//! What is refused, and in which words.

use proptest::prelude::*;
use reeve_proto::FieldList;
use reeve_proto::authorization::v1::{AuthorizeRequest, BatchAuthorizeRequest, Question};
use reeve_proto::iam::v1::{CreateUserRequest, ListUsersRequest, Tag, UpdateAccessKeyRequest};
use reeve_proto::sts::v1::AssumeRoleRequest;

use super::*;

fn user(name: &str) -> CreateUserRequest {
    CreateUserRequest { user_name: name.to_owned(), ..Default::default() }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

fn role() -> AssumeRoleRequest {
    AssumeRoleRequest {
        role_arn: "arn:aws:iam::123456789012:role/reader".to_owned(),
        role_session_name: "session".to_owned(),
        ..Default::default()
    }
}

#[track_caller]
fn refused(request: &dyn Fields, expected: &str, fields: &[&str]) {
    let error = check(request).unwrap_err();
    assert_eq!(error.message, expected);
    let found: Vec<&str> = error.violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(found, fields);
}

#[test]
fn a_request_within_its_limits_passes() {
    check(&user("alice")).unwrap();
    check(&CreateUserRequest { tags: vec![tag("team", "")], ..user(&"ü".repeat(0)) }).unwrap_err();
    check(&CreateUserRequest { tags: vec![tag("team", "")], ..user(&"x".repeat(64)) }).unwrap();
    check(&CreateUserRequest { tags: vec![tag(&"ü".repeat(128), &"ü".repeat(256))], ..user("a") }).unwrap();
    check(&ListUsersRequest::default()).unwrap();
    check(&ListUsersRequest { max_items: Some(1000), ..Default::default() }).unwrap();
    check(&role()).unwrap();
}

#[test]
fn each_kind_of_limit_is_refused_in_aws_s_words() {
    refused(
        &user(""),
        "1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null",
        &["user_name"],
    );
    refused(
        &user(&"x".repeat(65)),
        &format!(
            "1 validation error detected: Value '{}' at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64",
            "x".repeat(65)
        ),
        &["user_name"],
    );
    refused(
        &user("a b"),
        r"1 validation error detected: Value 'a b' at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+",
        &["user_name"],
    );
    refused(
        &ListUsersRequest { max_items: Some(0), ..Default::default() },
        "1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1",
        &["max_items"],
    );
    refused(
        &AssumeRoleRequest { duration_seconds: Some(43_201), ..role() },
        "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200",
        &["duration_seconds"],
    );
    refused(
        &UpdateAccessKeyRequest {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            status: "Off".to_owned(),
            user_name: None,
        },
        "1 validation error detected: Value 'Off' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive, Expired]",
        &["status"],
    );
}

#[test]
fn several_errors_are_told_together_with_their_places() {
    refused(
        &CreateUserRequest { tags: vec![tag("ok", "v"), tag("", "*")], ..user("") },
        r"3 validation errors detected: Value null at 'userName' failed to satisfy constraint: Member must not be null; Value null at 'tags.2.member.key' failed to satisfy constraint: Member must not be null; Value '*' at 'tags.2.member.value' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]*",
        &["user_name", "tags[1].key", "tags[1].value"],
    );
}

#[test]
fn lists_are_counted_and_their_texts_held_to_the_shape() {
    refused(
        &CreateUserRequest { tags: vec![tag("", ""); 51], ..user("a") },
        "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50",
        &["tags"],
    );
    refused(
        &AssumeRoleRequest { transitive_tag_keys: vec!["ok".to_owned(), "*".to_owned()], ..role() },
        r"1 validation error detected: Value '[ok, *]' at 'transitiveTagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+]",
        &["transitive_tag_keys"],
    );
    refused(
        &BatchAuthorizeRequest::default(),
        "1 validation error detected: Value '[]' at 'questions' failed to satisfy constraint: Member must have length greater than or equal to 1",
        &["questions"],
    );
}

#[test]
fn secrets_are_not_quoted_and_values_are_cut() {
    let asked = Question { session_token: Some("s".repeat(5000)), ..question("s3:GetObject", "*") };
    let error = check(&AuthorizeRequest { question: Some(asked) }).unwrap_err();
    assert_eq!(
        error.message,
        "1 validation error detected: Value at 'question.sessionToken' failed to satisfy constraint: Member must have length less than or equal to 4096"
    );
    assert_eq!(error.violations[0].field, "question.session_token");
    let error = check(&user(&"é".repeat(1_000_000))).unwrap_err();
    assert!(error.message.len() < 1000, "{}", error.message.len());
    let many = BatchAuthorizeRequest { questions: vec![question("", ""); 100] };
    assert_eq!(check(&many).unwrap_err().violations.len(), VIOLATIONS_MAX);
}

fn question(action: &str, resource: &str) -> Question {
    Question { action: action.to_owned(), resource: resource.to_owned(), ..Default::default() }
}

fn index(request: &dyn Fields, name: &str) -> usize {
    request.members().iter().position(|member| member.name == name).unwrap()
}

fn found(request: &dyn Fields, path: &[usize]) -> Vec<Option<String>> {
    let mut found = Vec::new();
    texts(request, path, &mut |text| found.push(text.map(str::to_owned)));
    found
}

#[test]
fn paths_lead_through_messages_and_lists() {
    let mut batch = BatchAuthorizeRequest { questions: vec![question("a:b", "r1"), question("a:b", "")] };
    batch.questions[1].principal_arn = Some("p".to_owned());
    let list = index(&batch, "questions");
    let (resource, principal) =
        (index(&batch.questions[0], "resource"), index(&batch.questions[0], "principal_arn"));
    assert_eq!(found(&batch, &[list, resource]), [Some("r1".to_owned()), None]);
    assert_eq!(found(&batch, &[list, principal]), [None, Some("p".to_owned())]);
    assert!(is_present(&batch, &[list, principal]) && is_present(&batch, &[list]));
    batch.questions.pop();
    assert!(!is_present(&batch, &[list, principal]));

    let one = AuthorizeRequest { question: None };
    assert_eq!(found(&one, &[0, resource]), [None]);
    assert!(!is_present(&one, &[0]) && !is_present(&one, &[0, resource]));
    let one = AuthorizeRequest { question: Some(question("a:b", "r")) };
    assert_eq!(found(&one, &[0, resource]), [Some("r".to_owned())]);
    assert!(is_present(&one, &[0]));

    assert_eq!(found(&BatchAuthorizeRequest::default(), &[list, resource]), [None]);
    assert_eq!(found(&one, &[]), []);
    assert_eq!(found(&one, &[9]), [None]);
    assert!(!is_present(&one, &[]) && !is_present(&one, &[9, 9]));
    let tagged = CreateUserRequest { tags: vec![tag("k", "v")], ..user("a") };
    assert_eq!(tagged.tags.count(), 1);
    assert!(is_present(&tagged, &[index(&tagged, "tags")]));
    assert!(!is_present(&user("a"), &[index(&tagged, "tags")]));
}

proptest! {
    #[test]
    fn any_request_gives_an_answer(name in "\\PC{0,70}", key in "\\PC{0,130}", value in "\\PC{0,260}", count in 0usize..60) {
        let request = CreateUserRequest { tags: vec![tag(&key, &value); count], ..user(&name) };
        if let Err(error) = check(&request) {
            prop_assert!(!error.violations.is_empty() && error.message.contains("detected: "));
        }
    }
}
