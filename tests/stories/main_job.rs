//! The main job: an administrator sets a role up for a program, the program trades its key for temporary credentials, and a
//! service asks whether that session may read an object, until the administrator takes it back.

use reeve_chassis::client::{Client, Credentials};
use reeve_proto::authorization::v1::{AuthorizeRequest, Decision, Question};
use reeve_proto::iam::v1::{
    AddUserToGroupRequest, AttachGroupPolicyRequest, AttachRolePolicyRequest, AttachUserPolicyRequest,
    CreateAccessKeyRequest, CreateGroupRequest, CreatePolicyRequest, CreateRoleRequest, CreateUserRequest,
    DeleteAccessKeyRequest, DetachRolePolicyRequest, Tag,
};
use reeve_proto::sts::v1::{AssumeRoleRequest, Credentials as Temporary, GetCallerIdentityRequest};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::world::{User, World, allow, code, credentials, document};

const BUCKET: &str = "arn:aws:s3:::reports";
const OBJECT: &str = "arn:aws:s3:::reports/2024.csv";
const EXTERNAL_ID: &str = "4711";

/// What the administrator has set up.
struct Setup {
    world: World,
    administrator: User,
    program: User,
    service: User,
    role_arn: String,
    /// What the role may: read what carries its session's team.
    readers_arn: String,
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

/// Only with this external id, and only with a team.
fn trust_policy(program: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "AWS": program },
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {
            "StringEquals": { "sts:ExternalId": EXTERNAL_ID },
            "StringLike": { "aws:RequestTag/team": "?*" },
        },
    }]})
}

fn readers_policy() -> String {
    let mut statement = allow("s3:GetObject", format!("{BUCKET}/*"));
    statement["Condition"] =
        json!({ "StringEquals": { "aws:ResourceTag/team": "${aws:PrincipalTag/team}" } });
    document(&statement)
}

/// An administrator who is no root does everything else.
async fn administrator(world: &World) -> User {
    let administrator = world.user("administrator").await;
    let policy_arn = world.policy("administrators", &allow("*", "*")).await;
    let attach = AttachUserPolicyRequest { user_name: "administrator".to_owned(), policy_arn };
    world.root().call(&attach).await.unwrap();
    administrator
}

async fn user(administrator: &User, name: &str) -> User {
    let request = CreateUserRequest { user_name: name.to_owned(), ..Default::default() };
    let record = administrator.call(&request).await.unwrap().user.unwrap();
    let request = CreateAccessKeyRequest { user_name: Some(name.to_owned()) };
    let key = administrator.call(&request).await.unwrap().access_key.unwrap();
    let client = administrator.signed(credentials(&key));
    User::known(record, key, client)
}

async fn policy(administrator: &User, name: &str, policy_document: String) -> String {
    let request = CreatePolicyRequest { policy_name: name.to_owned(), policy_document, ..Default::default() };
    administrator.call(&request).await.unwrap().policy.unwrap().arn.unwrap()
}

async fn setup() -> Setup {
    let world = World::start().await;
    let administrator = administrator(&world).await;
    let program = user(&administrator, "program").await;
    // The service that asks gets its permission through a group.
    let service = user(&administrator, "object-store").await;
    let group_name = || "services".to_owned();
    administrator.call(&CreateGroupRequest { group_name: group_name(), path: None }).await.unwrap();
    let may_ask = document(&allow("reeve:Authorize", format!("{BUCKET}/*")));
    let policy_arn = policy(&administrator, "may-ask", may_ask).await;
    administrator.call(&AttachGroupPolicyRequest { group_name: group_name(), policy_arn }).await.unwrap();
    let add = AddUserToGroupRequest { group_name: group_name(), user_name: "object-store".to_owned() };
    administrator.call(&add).await.unwrap();

    let request = CreateRoleRequest {
        role_name: "reader".to_owned(),
        assume_role_policy_document: trust_policy(&program.record.arn).to_string(),
        ..Default::default()
    };
    let role_arn = administrator.call(&request).await.unwrap().role.unwrap().arn;
    let readers_arn = policy(&administrator, "readers", readers_policy()).await;
    let attach = AttachRolePolicyRequest { role_name: "reader".to_owned(), policy_arn: readers_arn.clone() };
    administrator.call(&attach).await.unwrap();
    Setup { world, administrator, program, service, role_arn, readers_arn }
}

impl Setup {
    fn assume(&self, external_id: Option<&str>, tags: Vec<Tag>) -> AssumeRoleRequest {
        AssumeRoleRequest {
            role_arn: self.role_arn.clone(),
            role_session_name: "nightly".to_owned(),
            external_id: external_id.map(str::to_owned),
            tags,
            ..Default::default()
        }
    }

    /// The session of the team `red`.
    async fn session(&self) -> Temporary {
        let request = self.assume(Some(EXTERNAL_ID), vec![tag("team", "red")]);
        self.program.call(&request).await.unwrap().credentials.unwrap()
    }

    fn question(&self, session: &Temporary, team: Option<&str>) -> AuthorizeRequest {
        let question = Question {
            action: "s3:GetObject".to_owned(),
            resource: OBJECT.to_owned(),
            session_token: Some(session.session_token.clone()),
            access_key_id: Some(session.access_key_id.clone()),
            resource_account: Some(crate::world::ACCOUNT.to_owned()),
            resource_tags: team.map(|team| tag("team", team)).into_iter().collect(),
            ..Default::default()
        };
        AuthorizeRequest { question: Some(question) }
    }

    /// What the service is told of an object of this team.
    async fn asked(&self, session: &Temporary, team: Option<&str>) -> Decision {
        self.service.call(&self.question(session, team)).await.unwrap().decision.unwrap()
    }

    fn holder_of(&self, session: &Temporary) -> Client {
        self.world.client(Credentials {
            access_key_id: session.access_key_id.clone(),
            secret_access_key: Zeroizing::new(session.secret_access_key.clone()),
            session_token: Some(session.session_token.clone()),
        })
    }
}

#[tokio::test]
async fn the_role_is_assumed_only_as_its_trust_policy_says() {
    let setup = setup().await;
    let red = || vec![tag("team", "red")];
    for (external_id, tags) in [(None, red()), (Some("0815"), red()), (Some(EXTERNAL_ID), vec![])] {
        assert_eq!(code(setup.program.call(&setup.assume(external_id, tags)).await), "AccessDenied");
    }
    // Whoever is not named is not trusted, whatever it may otherwise.
    let request = setup.assume(Some(EXTERNAL_ID), red());
    assert_eq!(code(setup.administrator.call(&request).await), "AccessDenied");
    assert_eq!(code(setup.world.root().call(&request).await), "AccessDenied");
    assert_eq!(code(setup.program.call(&request).await), "");
}

#[tokio::test]
async fn a_session_is_who_the_program_has_become() {
    let setup = setup().await;
    let session = setup.session().await;
    assert!(session.access_key_id.starts_with("ASIA"));
    let who = setup.holder_of(&session).call(&GetCallerIdentityRequest {}).await.unwrap();
    assert_eq!(who.arn, "arn:aws:sts::123456789012:assumed-role/reader/nightly");
}

#[tokio::test]
async fn a_session_may_read_what_is_its_teams_and_nothing_else() {
    let setup = setup().await;
    let session = setup.session().await;
    let before = setup.world.commits();
    let own = setup.asked(&session, Some("red")).await;
    assert_eq!((own.allowed, own.eval_decision.as_str()), (true, "allowed"), "{}", own.message);
    assert!(own.session_evaluated);
    for team in [Some("blue"), Some("Red"), Some(""), None] {
        let other = setup.asked(&session, team).await;
        assert_eq!((other.allowed, other.eval_decision.as_str()), (false, "implicitDeny"), "{team:?}");
        let because = "because no identity-based policy allows the s3:GetObject action";
        assert!(other.message.ends_with(because), "{}", other.message);
    }
    assert_eq!(setup.world.commits(), before, "asking writes nothing");
}

#[tokio::test]
async fn asking_is_itself_a_permission() {
    let setup = setup().await;
    let session = setup.session().await;
    let question = setup.question(&session, Some("red"));
    assert_eq!(code(setup.program.call(&question).await), "AccessDenied");
    let mut elsewhere = question;
    elsewhere.question.as_mut().unwrap().resource = "arn:aws:s3:::other/object".to_owned();
    assert_eq!(code(setup.service.call(&elsewhere).await), "AccessDenied");
}

#[tokio::test]
async fn taking_the_roles_policy_away_counts_on_the_next_call() {
    let setup = setup().await;
    let session = setup.session().await;
    assert!(setup.asked(&session, Some("red")).await.allowed);
    let (role_name, policy_arn) = ("reader".to_owned(), setup.readers_arn.clone());
    setup.administrator.call(&DetachRolePolicyRequest { role_name, policy_arn }).await.unwrap();
    let denied = setup.asked(&session, Some("red")).await;
    assert_eq!((denied.allowed, denied.layer.as_str()), (false, "identity"), "{}", denied.message);
}

#[tokio::test]
async fn deleting_the_programs_key_ends_its_sessions_on_the_next_call() {
    let setup = setup().await;
    let session = setup.session().await;
    let holder = setup.holder_of(&session);
    assert!(setup.asked(&session, Some("red")).await.allowed);
    assert_eq!(code(holder.call(&GetCallerIdentityRequest {}).await), "");
    let delete = DeleteAccessKeyRequest {
        access_key_id: setup.program.key.access_key_id.clone(),
        user_name: Some("program".to_owned()),
    };
    setup.administrator.call(&delete).await.unwrap();
    let denied = setup.asked(&session, Some("red")).await;
    assert!(!denied.allowed && !denied.error_code.is_empty(), "{denied:?}");
    assert_ne!(code(holder.call(&GetCallerIdentityRequest {}).await), "");
    let request = setup.assume(Some(EXTERNAL_ID), vec![tag("team", "red")]);
    assert_eq!(code(setup.program.call(&request).await), "InvalidClientTokenId");
}

#[tokio::test]
async fn a_token_is_good_only_with_its_own_key_and_unaltered() {
    let setup = setup().await;
    let session = setup.session().await;
    let other = setup.session().await;
    let mixed = Temporary { access_key_id: other.access_key_id.clone(), ..session.clone() };
    let denied = setup.asked(&mixed, Some("red")).await;
    assert!(!denied.allowed && !denied.error_code.is_empty(), "{denied:?}");
    let at = session.session_token.len() / 2;
    let letter = if session.session_token.as_bytes()[at] == b'A' { "B" } else { "A" };
    let mut altered = session;
    altered.session_token.replace_range(at..=at, letter);
    let denied = setup.asked(&altered, Some("red")).await;
    assert!(!denied.allowed && !denied.error_code.is_empty(), "{denied:?}");
}
