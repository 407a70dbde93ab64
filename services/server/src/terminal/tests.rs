//! The command line of every operation, without a server.

use std::collections::BTreeSet;

use prost_reflect::Kind;
use reeve_proto::OPERATIONS;
use serde_json::{Value, json};

use super::*;

fn reeve() -> clap::Command {
    clap::Command::new("reeve").subcommands(commands().unwrap())
}

/// The input that a command line gives, or why it is refused.
fn input(line: &[&str]) -> Result<Value, String> {
    let matches = reeve().try_get_matches_from(line).map_err(|error| error.to_string())?;
    let (group, matches) = matches.subcommand().unwrap();
    let (name, matches) = matches.subcommand().unwrap();
    let operation = Catalogue::load().unwrap().operation(group, name).unwrap();
    let gathered = input::gather(&operation, matches).map_err(|failure| failure.to_string())?;
    let request = message::decode(&operation.names, &operation.input, &gathered)
        .map_err(|failure| failure.to_string())?;
    Ok(serde_json::to_value(&request).unwrap())
}

fn refused(line: &[&str]) -> String {
    input(line).unwrap_err().trim().to_owned()
}

#[test]
fn every_operation_has_its_command_with_every_member_as_an_option() {
    let reeve = reeve();
    reeve.clone().debug_assert();
    let catalogue = Catalogue::load().unwrap();
    for spec in OPERATIONS {
        let group = reeve.find_subcommand(spec.package.split('.').nth(1).unwrap()).unwrap();
        let operation = catalogue
            .operations(group.get_name())
            .unwrap()
            .into_iter()
            .find(|operation| operation.spec.method == spec.method)
            .unwrap();
        let command = group.find_subcommand(operation.command()).unwrap();
        assert_eq!(command.get_about().unwrap().to_string(), spec.summary);
        let options: BTreeSet<&str> =
            command.get_arguments().filter_map(|option| option.get_long()).collect();
        assert_eq!(operation.members.len(), operation.input.fields().len());
        for member in &operation.members {
            assert!(options.contains(member.option.as_str()), "{} lacks --{}", spec.action, member.option);
        }
        assert!(options.contains("cli-input-json"));
    }
}

#[test]
fn every_type_of_member_is_known_and_no_two_names_meet() {
    let pool = prost_reflect::DescriptorPool::decode(reeve_proto::DESCRIPTOR).unwrap();
    let catalogue = Catalogue::load().unwrap();
    let served = |name: &str| {
        !name.starts_with("reeve.store") && !name.starts_with("reeve.operation") && name.starts_with("reeve")
    };
    for message in pool.all_messages().filter(|message| served(message.full_name())) {
        let operation = catalogue.operation("iam", "get-user").unwrap();
        for field in message.fields() {
            let known = matches!(
                field.kind(),
                Kind::String | Kind::Bytes | Kind::Bool | Kind::Int32 | Kind::Int64 | Kind::Message(_)
            );
            let of_errors = message.full_name() == "reeve.error.v1.Answer";
            assert!(known || of_errors, "{}", field.full_name());
            assert!(!field.is_map() || !message.name().ends_with("Request"), "{}", field.full_name());
            for name in [operation.names.of(&field).as_str(), field.name(), field.json_name()] {
                assert_eq!(operation.names.find(&message, name), Some(field.clone()), "{name}");
            }
        }
    }
}

#[test]
fn commands_are_spelled_as_the_aws_cli_spells_them() {
    let names: Vec<String> = reeve()
        .find_subcommand("iam")
        .unwrap()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    for name in ["create-user", "list-groups-for-user", "set-default-policy-version", "attach-role-policy"] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    use heck::ToKebabCase as _;
    assert_eq!("ListMFADevices".to_kebab_case(), "list-mfa-devices");
    assert_eq!("CreateOpenIDConnectProvider".to_kebab_case(), "create-open-id-connect-provider");
    assert_eq!("UploadSSHPublicKey".to_kebab_case(), "upload-ssh-public-key");
}

#[test]
fn options_become_members() {
    let line = [
        "reeve",
        "iam",
        "create-user",
        "--user-name",
        "alice",
        "--path",
        "/eng/",
        "--tags",
        "Key=team,Value=blue",
        "Key=x,Value=",
    ];
    let tags = json!([{"key": "team", "value": "blue"}, {"key": "x"}]);
    assert_eq!(input(&line), Ok(json!({"userName": "alice", "path": "/eng/", "tags": tags})));
    let tags = r#"[{"Key":"team","Value":"blue"}]"#;
    let line = ["reeve", "iam", "create-user", "--user-name=-a", "--tags", tags];
    assert_eq!(input(&line), Ok(json!({"userName": "-a", "tags": [{"key": "team", "value": "blue"}]})));
    assert_eq!(input(&["reeve", "iam", "list-users", "--max-items", "5"]), Ok(json!({"maxItems": 5})));
    let keys = ["--role-arn", "r", "--role-session-name", "s", "--transitive-tag-keys", "team", "project"];
    let keys = input(&[&["reeve", "sts", "assume-role"], &keys[..]].concat()).unwrap();
    assert_eq!(keys["transitiveTagKeys"], json!(["team", "project"]));
}

#[test]
fn flags_are_set_and_taken_back() {
    let create = |more: &[&str]| {
        let line = ["reeve", "iam", "create-policy-version", "--policy-arn", "p", "--policy-document", "{}"];
        input(&[&line, more].concat()).map(|input| input["setAsDefault"].clone())
    };
    assert_eq!(create(&[]), Ok(Value::Null));
    assert_eq!(create(&["--set-as-default"]), Ok(json!(true)));
    assert_eq!(create(&["--set-as-default", "false"]), Ok(json!(false)));
    assert_eq!(create(&["--no-set-as-default"]), Ok(json!(false)));
    assert!(create(&["--set-as-default", "perhaps"]).is_err());
}

#[test]
fn structures_are_json_or_shorthand() {
    let expect = json!({"question": {"action": "s3:GetObject", "resource": "arn:aws:s3:::b/k", "resourceTags": [{"key": "a", "value": "1"}],
        "context": [{"contextKeyName": "x:y", "contextKeyValues": ["1", "2"], "multivalued": true}]}});
    let shorthand = "Action=s3:GetObject,Resource=arn:aws:s3:::b/k,ResourceTags=[{Key=a,Value=1}],\
                     Context=[{ContextKeyName=x:y,ContextKeyValues=[1,2],Multivalued=true}]";
    assert_eq!(input(&["reeve", "authorization", "authorize", "--question", shorthand]), Ok(expect.clone()));
    let text = r#"{"Action": "s3:GetObject", "resource": "arn:aws:s3:::b/k", "resource_tags": [{"Key": "a", "Value": "1"}],
        "context": [{"contextKeyName": "x:y", "ContextKeyValues": ["1", "2"], "Multivalued": true}]}"#;
    assert_eq!(input(&["reeve", "authorization", "authorize", "--question", text]), Ok(expect));
}

#[test]
fn the_whole_input_stands_below_the_options() {
    let whole = r#"{"user_name": "alice", "Path": "/a/", "tags": []}"#;
    let line = ["reeve", "iam", "create-user", "--cli-input-json", whole, "--path", "/b/"];
    assert_eq!(input(&line), Ok(json!({"userName": "alice", "path": "/b/"})));
    let document = r#"{"UserName": "a", "PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17"}}"#;
    let put = input(&["reeve", "iam", "put-user-policy", "--cli-input-json", document]).unwrap();
    assert_eq!(put["policyDocument"], json!(r#"{"Version":"2012-10-17"}"#));
}

#[test]
fn a_value_can_be_the_content_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("file://{}", path.display())
    };
    let whole = write("input.json", r#"{"UserName": "alice"}"#);
    let tags = write("tags.json", r#"[{"Key": "a", "Value": "1"}]"#);
    let path = write("path", "/eng/");
    let line = ["reeve", "iam", "create-user", "--cli-input-json", &whole, "--tags", &tags, "--path", &path];
    assert_eq!(
        input(&line),
        Ok(json!({"userName": "alice", "path": "/eng/", "tags": [{"key": "a", "value": "1"}]}))
    );
    let missing = ["reeve", "iam", "create-user", "--user-name", "file:///nonexistent/name"];
    assert!(refused(&missing).contains("unable to load file:///nonexistent/name"));
}

#[test]
fn what_does_not_fit_is_told_without_its_value() {
    assert!(
        refused(&["reeve", "iam", "create-user"])
            .ends_with("the following arguments are required: --user-name")
    );
    let with = |whole: &str| refused(&["reeve", "iam", "create-user", "--cli-input-json", whole]);
    let tags = with(r#"{"UserName": "a", "Tags": [{"Key": {"s3cret": 1}, "Valeu": "x"}]}"#);
    assert_eq!(
        tags,
        "Parameter validation failed:\nInvalid type for parameter Tags[0].Key, type: structure, valid types: text\n\
         Unknown parameter in Tags[0]: \"Valeu\", must be one of: Key, Value"
    );
    assert!(with(r#"{"UserName": "a", "user_name": "b"}"#).contains("UserName is given twice"));
    assert!(with("[]").contains("holds no JSON object"));
    assert!(with("{").contains("invalid JSON in --cli-input-json"));
    assert!(
        refused(&["reeve", "iam", "list-users", "--max-items", "many"])
            .contains("MaxItems, type: text, valid types: whole number")
    );
    assert!(
        refused(&["reeve", "iam", "create-user", "--user-name", "a", "--tags", "team"])
            .contains("'--tags': expected a name")
    );
    assert!(refused(&["reeve", "iam", "create-users"]).contains("unrecognized subcommand"));
}

#[test]
fn help_tells_what_members_are_held_to() {
    let mut reeve = reeve();
    let mut command =
        reeve.find_subcommand_mut("iam").unwrap().find_subcommand_mut("create-user").unwrap().clone();
    let help = command.render_long_help().to_string();
    for told in [
        "Creates a user.",
        "--user-name <TEXT>",
        "Required; 1 to 64 characters",
        "Key=string,Value=string ...",
        "at most 50 items",
    ] {
        assert!(help.contains(told), "{told}\n{help}");
    }
}

#[test]
fn answers_are_printed_as_the_aws_cli_prints_them() {
    let catalogue = Catalogue::load().unwrap();
    let printed = |group: &str, name: &str, response: Value| {
        let operation = catalogue.operation(group, name).unwrap();
        let Value::Object(members) = response else { panic!("no object") };
        let response = message::decode(&operation.names, &operation.output, &members).unwrap();
        let mut text = Vec::new();
        output::print(&operation, &response, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    };
    let user = json!({"User": {"UserName": "alice", "Path": "/", "CreateDate": "2026-01-02T03:04:05Z"}});
    let expected = "{\n    \"User\": {\n        \"Path\": \"/\",\n        \"UserName\": \"alice\",\n        \"UserId\": \"\",\n        \
                    \"Arn\": \"\",\n        \"CreateDate\": \"2026-01-02T03:04:05Z\"\n    }\n}\n";
    assert_eq!(printed("iam", "get-user", user), expected);
    assert_eq!(
        printed("iam", "list-users", json!({})),
        "{\n    \"Users\": [],\n    \"IsTruncated\": false\n}\n"
    );
    assert_eq!(printed("iam", "delete-user", json!({})), "");
    let device = json!({"VirtualMFADevice": {"SerialNumber": "s", "QRCodePNG": "iVBORw=="}});
    let expected = "{\n    \"VirtualMFADevice\": {\n        \"SerialNumber\": \"s\",\n        \"QRCodePNG\": \"iVBORw==\"\n    }\n}\n";
    assert_eq!(printed("iam", "create-virtual-mfa-device", device), expected);
    let policy = json!({"UserName": "a", "PolicyName": "p", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[]}"});
    let shown = printed("iam", "get-user-policy", policy);
    assert!(
        shown.contains(
            "\"PolicyDocument\": {\n        \"Version\": \"2012-10-17\",\n        \"Statement\": []\n    }"
        ),
        "{shown}"
    );
}
