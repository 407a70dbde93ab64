//! Two servers with something in them, and the calls that are measured: one that answers questions and issues
//! credentials, and one that users are created in, so that neither's memory hides the other's.

use std::path::{Path, PathBuf};

use reeve_chassis::client::{Client, Credentials};
use reeve_proto::authorization::v1::{AuthorizeRequest, ContextEntry, Question};
use reeve_proto::iam::v1::{
    AddUserToGroupRequest, AttachRolePolicyRequest, CreateAccessKeyRequest, CreateGroupRequest,
    CreatePolicyRequest, CreateRoleRequest, CreateUserRequest, GetUserRequest, PutGroupPolicyRequest,
    PutRolePolicyRequest, PutUserPolicyRequest, Tag,
};
use reeve_proto::sts::v1::AssumeRoleRequest;
use zeroize::Zeroizing;

use crate::Outcome;
use crate::load::{Target, connect};
use crate::process::{ACCOUNT, Server, root_credentials};

const BUCKET: &str = "arn:aws:s3:::payments-artifacts";
const EXTERNAL_ID: &str = "build-farm-7f3a";

/// A role's managed policies: what a build in a company is allowed.
const MANAGED: [(&str, &str); 3] = [
    (
        "artifacts",
        r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"OwnTeam","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::*-artifacts/*",
             "Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}},
            {"Sid":"Look","Effect":"Allow","Action":["s3:ListBucket","s3:GetBucketLocation"],"Resource":"arn:aws:s3:::*-artifacts"}]}"#,
    ),
    (
        "guardrails",
        r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"NoSecrets","Effect":"Deny","Action":"s3:*","Resource":"*",
             "Condition":{"StringEquals":{"aws:ResourceTag/classification":["secret","top-secret"]}}},
            {"Sid":"FromInside","Effect":"Deny","Action":"*","Resource":"*",
             "Condition":{"NotIpAddressIfExists":{"aws:SourceIp":["10.0.0.0/8","192.168.0.0/16"]}}}]}"#,
    ),
    (
        "build-machines",
        r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":["ec2:Describe*","ec2:RunInstances","ec2:TerminateInstances"],"Resource":"*"},
            {"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:*:*:log-group:/builds/*"},
            {"Effect":"Allow","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:*:*:table/builds-${aws:PrincipalTag/team}"}]}"#,
    ),
];

/// Its inline policies.
const INLINE: [(&str, &str); 2] = [
    (
        "queue",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["sqs:ReceiveMessage","sqs:DeleteMessage"],"Resource":"arn:aws:sqs:*:123456789012:builds"}}"#,
    ),
    (
        "keys",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}}}"#,
    ),
];

/// A server that decides and issues credentials.
pub(crate) struct DataPlane {
    pub(crate) server: Server,
    pub(crate) authorize: Target,
    pub(crate) assume_role: Target,
    pub(crate) get_user: Target,
    /// The same two by AWS's Query protocol.
    pub(crate) query_assume_role: Target,
    pub(crate) query_get_user: Target,
    /// Whoever asks.
    pub(crate) relying: Credentials,
    /// Whoever assumes the role.
    pub(crate) assuming: Credentials,
}

/// A server that users are created in.
pub(crate) struct ControlPlane {
    pub(crate) server: Server,
    pub(crate) create_user: Target,
}

impl DataPlane {
    pub(crate) async fn start(directory: &Path, connections: usize) -> Outcome<Self> {
        let home = home(directory, "data-plane")?;
        let server = Server::reeve(&home)?;
        let administrator = Client::connect(&server.endpoint()).await?.signed(root_credentials(&home)?);
        let asking = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"reeve:Authorize","Resource":"arn:aws:s3:::*"}}"#;
        let relying = user(&administrator, "storage-gateway", asking).await?;
        let assuming = user(
            &administrator,
            "build-runner",
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:ListAllMyBuckets","iam:GetUser"],"Resource":"*"}}"#,
        )
        .await?;
        group(&administrator).await?;
        let role_arn = role(&administrator).await?;

        let form = format!(
            "Action=AssumeRole&Version=2011-06-15&RoleArn={role_arn}&RoleSessionName=build-1042&Tags.member.1.Key=team\
             &Tags.member.1.Value=payments&Tags.member.2.Key=cost-center&Tags.member.2.Value=4711\
             &TransitiveTagKeys.member.1=team&ExternalId={EXTERNAL_ID}"
        );
        let query_assume_role = Target::query("query_assume_role", "sts", form, &server, &assuming);
        let form = "Action=GetUser&Version=2010-05-08&UserName=build-runner".to_owned();
        let query_get_user = Target::query("query_get_user", "iam", form, &server, &assuming);
        let request = GetUserRequest { user_name: Some("build-runner".to_owned()) };
        let get_user =
            Target::operation("get_user", &request, connect(&server, &assuming, connections).await?);

        let request = AssumeRoleRequest {
            role_arn,
            role_session_name: "build-1042".to_owned(),
            tags: vec![tag("team", "payments"), tag("cost-center", "4711")],
            transitive_tag_keys: vec!["team".to_owned()],
            external_id: Some(EXTERNAL_ID.to_owned()),
            ..AssumeRoleRequest::default()
        };
        let own = connect(&server, &assuming, connections).await?;
        let assumed = own.first().ok_or("no connection")?.call(&request).await?;
        let session = assumed.credentials.ok_or("no credentials")?;
        let assume_role = Target::operation("assume_role", &request, own);

        let question = question(&session.session_token, &session.access_key_id, "payments");
        let own = connect(&server, &relying, connections).await?;
        let asker = own.first().ok_or("no connection")?;
        expect(asker, &question, true).await?;
        let of_others = self::question(&session.session_token, &session.access_key_id, "logistics");
        expect(asker, &of_others, false).await?;
        let authorize = Target::operation("authorize", &question, own);
        // A store in use is written to: what is cached was concluded before the newest commit, and has to be proved.
        administrator.call(&CreateGroupRequest { group_name: "bystanders".to_owned(), path: None }).await?;
        Ok(Self {
            server,
            authorize,
            assume_role,
            get_user,
            query_assume_role,
            query_get_user,
            relying,
            assuming,
        })
    }
}

impl ControlPlane {
    pub(crate) async fn start(directory: &Path, connections: usize) -> Outcome<Self> {
        let home = home(directory, "control-plane")?;
        let server = Server::reeve(&home)?;
        let root = Client::connect(&server.endpoint()).await?.signed(root_credentials(&home)?);
        let everything =
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*"}}"#;
        let administrator = user(&root, "administrator", everything).await?;
        let create_user =
            Target::create_user("create_user", connect(&server, &administrator, connections).await?);
        Ok(Self { server, create_user })
    }
}

fn home(directory: &Path, name: &str) -> Outcome<PathBuf> {
    let home = directory.join(name);
    std::fs::create_dir_all(&home)?;
    Ok(home)
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

/// A user with an inline policy and an access key.
async fn user(administrator: &Client, name: &str, policy: &str) -> Outcome<Credentials> {
    let user_name = name.to_owned();
    administrator.call(&CreateUserRequest { user_name: user_name.clone(), ..Default::default() }).await?;
    let policy = PutUserPolicyRequest {
        user_name: user_name.clone(),
        policy_name: "own".to_owned(),
        policy_document: policy.to_owned(),
    };
    administrator.call(&policy).await?;
    let created = administrator.call(&CreateAccessKeyRequest { user_name: Some(user_name) }).await?;
    let key = created.access_key.ok_or("no access key")?;
    Ok(Credentials {
        access_key_id: key.access_key_id,
        secret_access_key: Zeroizing::new(key.secret_access_key),
        session_token: None,
    })
}

/// The group through which the role may be assumed.
async fn group(administrator: &Client) -> Outcome {
    let group_name = "builders".to_owned();
    administrator.call(&CreateGroupRequest { group_name: group_name.clone(), path: None }).await?;
    let assume = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::{ACCOUNT}:role/build-*"}}}}"#
    );
    let policy = PutGroupPolicyRequest {
        group_name: group_name.clone(),
        policy_name: "assume".to_owned(),
        policy_document: assume,
    };
    administrator.call(&policy).await?;
    administrator.call(&AddUserToGroupRequest { group_name, user_name: "build-runner".to_owned() }).await?;
    Ok(())
}

/// The role, with its handful of policies.
async fn role(administrator: &Client) -> Outcome<String> {
    let role_name = "build-farm".to_owned();
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:user/build-runner"}},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{{"StringEquals":{{"sts:ExternalId":"{EXTERNAL_ID}","aws:RequestTag/team":["payments","logistics"]}}}}}}}}"#
    );
    let request = CreateRoleRequest {
        role_name: role_name.clone(),
        assume_role_policy_document: trust,
        tags: vec![tag("purpose", "builds")],
        ..CreateRoleRequest::default()
    };
    let created = administrator.call(&request).await?;
    for (name, document) in MANAGED {
        let request = CreatePolicyRequest {
            policy_name: name.to_owned(),
            policy_document: document.to_owned(),
            ..CreatePolicyRequest::default()
        };
        let policy = administrator.call(&request).await?.policy.ok_or("no policy")?;
        let policy_arn = policy.arn.ok_or("a policy without an ARN")?;
        administrator.call(&AttachRolePolicyRequest { role_name: role_name.clone(), policy_arn }).await?;
    }
    for (name, document) in INLINE {
        let request = PutRolePolicyRequest {
            role_name: role_name.clone(),
            policy_name: name.to_owned(),
            policy_document: document.to_owned(),
        };
        administrator.call(&request).await?;
    }
    Ok(created.role.ok_or("no role")?.arn)
}

fn question(session_token: &str, access_key_id: &str, team: &str) -> AuthorizeRequest {
    let question = Question {
        action: "s3:GetObject".to_owned(),
        resource: format!("{BUCKET}/builds/1042/service.tar.gz"),
        session_token: Some(session_token.to_owned()),
        access_key_id: Some(access_key_id.to_owned()),
        resource_account: Some(ACCOUNT.to_owned()),
        resource_tags: vec![tag("team", team), tag("classification", "internal")],
        context: vec![ContextEntry {
            context_key_name: "aws:SourceIp".to_owned(),
            context_key_values: vec!["10.4.17.9".to_owned()],
            multivalued: false,
        }],
        ..Question::default()
    };
    AuthorizeRequest { question: Some(question) }
}

/// A bench of wrong answers measures nothing.
async fn expect(asker: &Client, question: &AuthorizeRequest, allowed: bool) -> Outcome {
    let decision = asker.call(question).await?.decision.ok_or("no decision")?;
    if decision.allowed != allowed {
        return Err(format!("unexpected decision: {}", decision.message).into());
    }
    Ok(())
}
