//! Forms as AWS's clients write them, and as nobody should; responses as AWS's clients read them.

use std::fmt::Write as _;
use std::sync::LazyLock;

use proptest::prelude::*;
use prost::Message as _;
use reeve_proto::iam::v1::{ListUsersResponse, Tag, User};
use reeve_proto::sts::v1::{AssumeRoleRequest, PolicyDescriptorType};

use super::form::Form;
use super::layout::Layouts;
use super::{Query, read, write};
use crate::route::Routes;

fn layouts(name: &str) -> (Layouts, usize) {
    let mut layouts = Layouts::new().unwrap();
    let place = layouts.of(name).unwrap();
    (layouts, place)
}

fn assume_role(body: &str) -> Result<AssumeRoleRequest, String> {
    // Made once: reading the descriptors costs far more than reading a form does.
    static LAYOUTS: LazyLock<(Layouts, usize)> = LazyLock::new(|| layouts("reeve.sts.v1.AssumeRoleRequest"));
    let (layouts, place) = &*LAYOUTS;
    let form = Form::parse("", body.as_bytes()).map_err(|error| error.message)?;
    let message = read::message(layouts, *place, form).map_err(|error| error.to_string())?;
    Ok(AssumeRoleRequest::decode(message).unwrap())
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

#[test]
fn a_form_becomes_its_message() {
    let read = assume_role(
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn&RoleSessionName=a+b&DurationSeconds=900&ExternalId=\
         &PolicyArns.member.1.arn=one&TransitiveTagKeys.member.1=x&Tags.member.1.Key=k&Tags.member.1.Value=%3Cv%3E",
    );
    let expected = AssumeRoleRequest {
        role_arn: "arn".to_owned(),
        role_session_name: "a b".to_owned(),
        duration_seconds: Some(900),
        external_id: Some(String::new()),
        policy_arns: vec![PolicyDescriptorType { arn: Some("one".to_owned()) }],
        transitive_tag_keys: vec!["x".to_owned()],
        tags: vec![tag("k", "<v>")],
        ..Default::default()
    };
    assert_eq!(read.unwrap(), expected);
}

#[test]
fn items_come_in_any_order_with_gaps_and_the_first_of_two_counts() {
    let read = assume_role(
        "Tags.member.10.Key=c&Tags.member.2.Value=2&Tags.member.1.Key=a&Tags.member.2.Key=b&Tags.member.1.Key=x\
         &Tags.member.10.Value=3&Tags.member.1.Value=1&RoleArn=one&RoleArn=two",
    );
    let read = read.unwrap();
    assert_eq!(read.tags, [tag("a", "1"), tag("b", "2"), tag("c", "3")]);
    assert_eq!(read.role_arn, "one");
}

#[test]
fn what_is_unknown_is_passed_over() {
    let long = "a.".repeat(10_000);
    for body in [
        "Unknown=1",
        "Unknown.member.1=1",
        "RoleArn.member.1=x",
        "RoleArn.x=y",
        "Tags=",
        "Tags=x",
        "Tags.member=x",
        "Tags.member.x.Key=k",
        "Tags.member.-1.Key=k",
        "Tags.member.99999999999999999999.Key=k",
        "Tags.1.Key=k",
        "Tags.entry.1.Key=k",
        "Tags.member.1=x",
        "roleArn=x",
        "role_arn=x",
        ".=x",
        "=x",
        "...=x",
        &format!("{long}=x"),
        &format!("Tags.member.1.{long}=x"),
    ] {
        assert_eq!(
            assume_role(body).unwrap_or_else(|error| panic!("{body}: {error}")),
            AssumeRoleRequest::default(),
            "{body}"
        );
    }
    // An item is one, though all that is said of it is unknown.
    assert_eq!(assume_role("Tags.member.1.Nothing=x").unwrap().tags, [Tag::default()]);
}

#[test]
fn a_value_has_its_members_form() {
    for value in ["", "x", "1.5", "99999999999", "0x10", "1e3", "%201"] {
        let refused = assume_role(&format!("DurationSeconds={value}")).unwrap_err();
        assert!(refused.starts_with("MalformedInput: DurationSeconds: "), "{refused}");
    }
    assert_eq!(assume_role("DurationSeconds=-5").unwrap().duration_seconds, Some(-5));
}

#[test]
fn ten_thousand_items_are_read_in_no_time() {
    let body: String = (0..10_000).rev().fold(String::new(), |mut body, at| {
        write!(body, "&Tags.member.{at}.Key=k{at}&Tags.member.{at}.Value=v").unwrap();
        body
    });
    let begun = std::time::Instant::now();
    let read = assume_role(&body).unwrap();
    assert_eq!((read.tags.len(), read.tags[9_999].key.as_str()), (10_000, "k9999"));
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

#[test]
fn a_response_is_written_as_aws_writes_it() {
    let (layouts, place) = layouts("reeve.iam.v1.ListUsersResponse");
    let user = User {
        path: "/".to_owned(),
        user_name: "a<&>b".to_owned(),
        create_date: Some(prost_types::Timestamp { seconds: 1_440_938_160, nanos: 5 }),
        tags: vec![tag("k", "")],
        ..Default::default()
    };
    let message = ListUsersResponse { users: vec![user], is_truncated: true, marker: Some("m".to_owned()) };
    let text = write::response(&layouts, place, &message.encode_to_vec(), "ListUsers", "ns", "id").unwrap();
    assert_eq!(
        text,
        "<ListUsersResponse xmlns=\"ns\"><ListUsersResult><Users><member><Path>/</Path><UserName>a&lt;&amp;&gt;b</UserName>\
         <UserId></UserId><Arn></Arn><CreateDate>2015-08-30T12:36:00Z</CreateDate><Tags><member><Key>k</Key><Value></Value>\
         </member></Tags></member></Users><IsTruncated>true</IsTruncated><Marker>m</Marker></ListUsersResult>\
         <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></ListUsersResponse>"
    );
    let empty = write::response(&layouts, place, &[], "ListUsers", "ns", "id").unwrap();
    assert!(empty.contains("<Users></Users><IsTruncated>false</IsTruncated></ListUsersResult>"), "{empty}");
    for garbage in [&[0xff][..], &[0x0a, 5, 1], &[0x08, 1], &[0x10, 1, 0x0a, 0]] {
        assert!(write::response(&layouts, place, garbage, "ListUsers", "ns", "id").is_err(), "{garbage:?}");
    }
}

#[test]
fn a_form_names_its_operation() {
    let query = Query::new(&Routes::new()).unwrap();
    let refused = |body: &str| query.find("", body.as_bytes()).err().unwrap().to_string();
    assert!(refused("").starts_with("MissingAction: "));
    assert!(refused("Action=&Version=2010-05-08").starts_with("MissingAction: "));
    let unknown = "InvalidAction: Could not find operation Nope for version ";
    assert_eq!(refused("Action=Nope&Version=2010-05-08"), format!("{unknown}2010-05-08"));
    assert_eq!(refused("Action=Nope"), format!("{unknown}NO_VERSION_SPECIFIED"));
    assert!(refused("Action=%").starts_with("MalformedQueryString: "));
}

proptest! {
    #[test]
    fn any_form_is_read_or_refused(body in "[A-Za-z.=&%0-9+]{0,200}|\\PC{0,100}") {
        let _ = assume_role(&body);
    }

    #[test]
    fn any_form_close_to_one_is_read_or_refused(
        pairs in proptest::collection::vec(
            ("(Tags|PolicyArns|TransitiveTagKeys|RoleArn|DurationSeconds|X)(\\.(member|entry|Key|Value|arn|[0-9]{1,3})){0,4}", "[a-z0-9%+]{0,6}"),
            0..30,
        ),
    ) {
        let body: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if let Ok(read) = assume_role(&body.join("&")) {
            prop_assert!(read.tags.len() <= pairs.len());
        }
    }

    #[test]
    fn what_is_written_out_is_read_back(
        arn in "\\PC{1,20}", session in "\\PC{1,20}", external in proptest::option::of("\\PC{0,20}"),
        seconds in proptest::option::of(any::<i32>()), tags in proptest::collection::vec(("\\PC{1,9}", "\\PC{0,9}"), 0..12),
        keys in proptest::collection::vec("\\PC{1,9}", 0..4),
    ) {
        let encoded = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let mut body = format!("RoleArn={}&RoleSessionName={}", encoded(&arn), encoded(&session));
        for (at, (key, value)) in tags.iter().enumerate() {
            write!(body, "&Tags.member.{0}.Key={1}&Tags.member.{0}.Value={2}", at + 1, encoded(key), encoded(value)).unwrap();
        }
        for (at, key) in keys.iter().enumerate() {
            write!(body, "&TransitiveTagKeys.member.{}={}", at + 1, encoded(key)).unwrap();
        }
        if let Some(external) = &external {
            write!(body, "&ExternalId={}", encoded(external)).unwrap();
        }
        if let Some(seconds) = seconds {
            write!(body, "&DurationSeconds={seconds}").unwrap();
        }
        let expected = AssumeRoleRequest {
            role_arn: arn,
            role_session_name: session,
            external_id: external,
            duration_seconds: seconds,
            tags: tags.iter().map(|(key, value)| tag(key, value)).collect(),
            transitive_tag_keys: keys,
            ..Default::default()
        };
        prop_assert_eq!(assume_role(&body).unwrap(), expected);
    }
}
