//! A company's people sign in at the company: their tokens become sessions of a role with a tag out of a claim, and with the tag
//! they go on to another account, which lets in and keeps out by it.

use reeve_chassis::client::Client;
use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_chassis::issuer::{IssuerSettings, Issuers};
use reeve_proto::iam::v1::{
    ClaimMapping, CreateOpenIdConnectProviderRequest, DeleteOpenIdConnectProviderRequest, ListUsersRequest,
    PutOpenIdConnectProviderClaimMappingRequest, PutRolePolicyRequest, Role,
};
use reeve_proto::sts::v1::{AssumeRoleResponse, AssumeRoleWithWebIdentityRequest};
use serde_json::json;

use crate::sts::neighbour::{self, NEIGHBOUR};
use crate::sts::{Session, assume, request_for, who};
use crate::world::{Issuer, SigningKey, World, allow, code, document};

/// The company, the account that trusts it, and the account next door.
struct Company {
    world: World,
    issuer: Issuer,
    key: SigningKey,
    nobody: Client,
    staff: Role,
    project: Role,
    provider: String,
}

impl Company {
    async fn start() -> Self {
        let (issuer, key) = (Issuer::at("/realms/company").await, SigningKey::new("2026", "RS256"));
        issuer.publish(&[&key]);
        let settings =
            IssuerSettings { trust_anchors: vec![issuer.authority.clone()], ..IssuerSettings::default() };
        let mut next_door = None;
        let made = async |environment: &mut reeve_chassis::Environment| {
            environment.issuers = Issuers::new(settings);
            next_door = Some(neighbour::create(environment).await);
        };
        let world = World::made(|_| {}, made).await;
        let next_door = world.client(next_door.unwrap());
        let request = CreateOpenIdConnectProviderRequest {
            url: issuer.url.clone(),
            client_id_list: vec!["reeve".to_owned()],
            ..Default::default()
        };
        let provider = world.root().call(&request).await.unwrap().open_id_connect_provider_arn;
        let request = PutOpenIdConnectProviderClaimMappingRequest {
            open_id_connect_provider_arn: provider.clone(),
            claim_mappings: vec![ClaimMapping {
                claim: "department".to_owned(),
                tag_key: Some("team".to_owned()),
                transitive: true,
            }],
            role_session_name_claim: Some("email".to_owned()),
        };
        world.root().call(&request).await.unwrap();
        let trust = json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow",
            "Principal": { "Federated": provider },
            "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
            "Condition": { "StringLike": { "sts:RoleSessionName": "*@example.com", "aws:RequestTag/team": "*" } } } });
        let staff = world.role("staff", &trust).await;
        world.allow_role(&staff, &allow(vec!["sts:AssumeRole", "sts:TagSession"], "*")).await;
        let trust = json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow",
            "Principal": { "AWS": staff.arn }, "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": { "StringEquals": { "aws:RequestTag/team": ["blue", "green"] } } } });
        let project = neighbour::role(&next_door, "project", &trust).await;
        let policy = PutRolePolicyRequest {
            role_name: "project".to_owned(),
            policy_name: "by-team".to_owned(),
            policy_document: document(
                &json!({ "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*",
                "Condition": { "StringEquals": { "aws:PrincipalTag/team": "blue" } } }),
            ),
        };
        next_door.call(&policy).await.unwrap();
        let nobody = world.unsigned().await;
        Self { world, issuer, key, nobody, staff, project, provider }
    }

    /// Somebody of a department, signed in.
    async fn sign_in(&self, name: &str, department: &str) -> Session {
        let now = SystemClock.now().seconds();
        let token = self.key.sign(&json!({
            "iss": self.issuer.url, "sub": name, "aud": "reeve", "iat": now, "exp": now + 300,
            "email": format!("{name}@example.com"), "department": department,
        }));
        let request = AssumeRoleWithWebIdentityRequest {
            role_arn: self.staff.arn.clone(),
            role_session_name: "whoever".to_owned(),
            web_identity_token: token,
            ..Default::default()
        };
        let answer = self.nobody.call(&request).await.unwrap();
        let answer = AssumeRoleResponse {
            credentials: answer.credentials,
            assumed_role_user: answer.assumed_role_user,
            packed_policy_size: answer.packed_policy_size,
            source_identity: answer.source_identity,
        };
        Session::of(&self.nobody, answer)
    }
}

#[tokio::test]
async fn people_of_a_company_go_where_their_department_may() {
    let company = Company::start().await;
    let dana = company.sign_in("dana", "blue").await;
    assert!(dana.user.arn.ends_with(":assumed-role/staff/dana@example.com"), "{}", dana.user.arn);
    let there = assume(&dana, &request_for(&company.project.arn)).await.unwrap();
    assert_eq!(who(&there).await, Ok(format!("arn:aws:sts::{NEIGHBOUR}:assumed-role/project/session")));
    assert_eq!(code(there.call(&ListUsersRequest::default()).await), "");
    // Another department is let in and may do nothing, and a third is not let in.
    let erin = company.sign_in("erin", "green").await;
    let there_too = assume(&erin, &request_for(&company.project.arn)).await.unwrap();
    assert_eq!(code(there_too.call(&ListUsersRequest::default()).await), "AccessDenied");
    let finn = company.sign_in("finn", "red").await;
    assert_eq!(code(assume(&finn, &request_for(&company.project.arn)).await), "AccessDenied");
    // The account parts with the company, and everything that came of it ends, next door too.
    let delete =
        DeleteOpenIdConnectProviderRequest { open_id_connect_provider_arn: company.provider.clone() };
    company.world.root().call(&delete).await.unwrap();
    for ended in [&dana, &there, &erin, &there_too, &finn] {
        assert_eq!(who(ended).await, Err("InvalidClientTokenId".to_owned()));
    }
}
