//! The demonstration, chapter by chapter: people, a role with conditions, a session, and a service that asks.

use reeve_chassis::client::{Client, Credentials};
use reeve_proto::authorization::v1::RegisterRelyingServiceRequest;
use reeve_proto::iam::v1::{
    AddUserToGroupRequest, AttachRolePolicyRequest, CreateGroupRequest, CreatePolicyRequest,
    CreateRoleRequest, GetGroupRequest, PutGroupPolicyRequest,
};
use reeve_proto::sts::v1::GetCallerIdentityRequest;

use super::cast::{
    ADMIN, EVERYTHING, EXTERNAL_ID, GROUP, OBJECTS, OWN_TEAM, POLICY, ROLE, SEE_GROUPS, SERVICE, USER,
    assume, create_user, may_ask, may_read, of_server, tag, trust,
};
use super::stage::Stage;
use super::{DemoError, endings};

/// What the later chapters need of the earlier ones.
pub(crate) struct Scene {
    pub(crate) account: String,
    pub(crate) admin: Client,
    pub(crate) user_arn: String,
    pub(crate) user_key: String,
    pub(crate) user: Client,
    pub(crate) role_arn: String,
    pub(crate) policy_arn: String,
    pub(crate) service: Client,
    pub(crate) session: Credentials,
}

/// Plays every chapter.
pub(crate) async fn play(stage: &mut Stage<'_>, client: &Client, root: &Client) -> Result<(), DemoError> {
    let (account, admin) = administrator(stage, client, root).await?;
    let (user_arn, user_key, user) = people(stage, &admin).await?;
    let (role_arn, policy_arn) = role(stage, &admin, &user_arn).await?;
    let session = session(stage, &user, &role_arn).await?;
    let service = relying_service(stage, &admin).await?;
    let scene = Scene { account, admin, user_arn, user_key, user, role_arn, policy_arn, service, session };
    decisions(stage, &scene).await?;
    endings::play(stage, scene).await
}

async fn administrator(
    stage: &mut Stage<'_>,
    client: &Client,
    root: &Client,
) -> Result<(String, Client), DemoError> {
    stage.step("The root credentials of the first start, and an administrator for everything after")?;
    let unsigned = client.call(&GetCallerIdentityRequest {}).await;
    stage.refused("A call that nobody signed is refused", &unsigned, "MissingAuthenticationToken")?;
    let identity = root.call(&GetCallerIdentityRequest {}).await?;
    let is_root = identity.arn == format!("arn:aws:iam::{}:root", identity.account);
    stage.expect("The credentials file holds the account's root", is_root, &identity.arn)?;
    let (_, _, admin) = create_user(root, ADMIN, Some(EVERYTHING)).await?;
    let admin_identity = admin.call(&GetCallerIdentityRequest {}).await;
    stage.answered("The administrator's access key works at once", &admin_identity)?;
    Ok((identity.account, admin))
}

async fn people(stage: &mut Stage<'_>, admin: &Client) -> Result<(String, String, Client), DemoError> {
    stage.step("A user with an access key, a group, and membership")?;
    let created = create_user(admin, USER, None).await?;
    let (arn, _, user) = &created;
    stage.note(arn)?;
    admin.call(&CreateGroupRequest { group_name: GROUP.to_owned(), path: None }).await?;
    admin
        .call(&PutGroupPolicyRequest {
            group_name: GROUP.to_owned(),
            policy_name: "see-groups".to_owned(),
            policy_document: SEE_GROUPS.to_owned(),
        })
        .await?;
    let look = GetGroupRequest { group_name: GROUP.to_owned(), ..Default::default() };
    let before = user.call(&look).await;
    stage.refused("What no policy allows is refused", &before, "AccessDenied")?;
    admin.call(&AddUserToGroupRequest { group_name: GROUP.to_owned(), user_name: USER.to_owned() }).await?;
    let after = user.call(&look).await;
    stage.answered("The group's policy counts at the very next call", &after)?;
    Ok(created)
}

async fn role(stage: &mut Stage<'_>, admin: &Client, user_arn: &str) -> Result<(String, String), DemoError> {
    stage.step(
        "A managed policy on equal team tags, and a role whose trust policy demands a tag and an external id",
    )?;
    let policy = admin
        .call(&CreatePolicyRequest {
            policy_name: POLICY.to_owned(),
            policy_document: OWN_TEAM.to_owned(),
            ..Default::default()
        })
        .await?;
    let policy_arn = policy.policy.and_then(|policy| policy.arn).ok_or(DemoError::Lacking("policy"))?;
    let role = admin
        .call(&CreateRoleRequest {
            role_name: ROLE.to_owned(),
            assume_role_policy_document: trust(user_arn),
            ..Default::default()
        })
        .await?;
    let role_arn = role.role.ok_or(DemoError::Lacking("role"))?.arn;
    let attach = AttachRolePolicyRequest { role_name: ROLE.to_owned(), policy_arn: policy_arn.clone() };
    let attached = admin.call(&attach).await;
    stage.answered("The policy is attached to the role", &attached)?;
    stage.note(&policy_arn)?;
    stage.note(&role_arn)?;
    Ok((role_arn, policy_arn))
}

async fn session(stage: &mut Stage<'_>, user: &Client, role_arn: &str) -> Result<Credentials, DemoError> {
    stage.step("The user assumes the role")?;
    let blue = || vec![tag("team", "blue")];
    let wrong = of_server(assume(user, role_arn, "contract-8", blue()).await)?;
    stage.refused("A wrong external id is refused", &wrong, "AccessDenied")?;
    let untagged = of_server(assume(user, role_arn, EXTERNAL_ID, Vec::new()).await)?;
    stage.refused("A missing session tag is refused", &untagged, "AccessDenied")?;
    let session = assume(user, role_arn, EXTERNAL_ID, blue()).await?;
    let identity = user.signed(session.clone()).call(&GetCallerIdentityRequest {}).await?;
    let is_session = identity.arn.ends_with(&format!(":assumed-role/{ROLE}/quarterly"));
    stage.expect(
        "With both, temporary credentials are issued and work at once",
        is_session,
        &identity.arn,
    )?;
    Ok(session)
}

async fn relying_service(stage: &mut Stage<'_>, admin: &Client) -> Result<Client, DemoError> {
    stage.step("A relying service is registered, and its user may ask about its objects")?;
    let registered = admin
        .call(&RegisterRelyingServiceRequest {
            name: SERVICE.to_owned(),
            hosts: vec!["objects.example.com".to_owned()],
            scope_service: "s3".to_owned(),
            resource_patterns: vec![OBJECTS.to_owned()],
        })
        .await?;
    let arn = registered.relying_service.map(|service| service.arn).unwrap_or_default();
    stage.expect("The registration has an ARN of its own", !arn.is_empty(), arn)?;
    let (_, _, service) = create_user(admin, SERVICE, Some(&may_ask())).await?;
    Ok(service)
}

async fn decisions(stage: &mut Stage<'_>, scene: &Scene) -> Result<(), DemoError> {
    let Scene { account, session, service, user, .. } = scene;
    stage.step("The service asks: may this session read this object?")?;
    let own = may_read(service, session, account, "blue").await?;
    let statement = own.matched_statements.first().map(|statement| statement.sid.clone()).unwrap_or_default();
    stage.expect(
        "Allowed where the object's team is the session's",
        own.allowed && statement == "OwnTeam",
        own.message,
    )?;
    let other = may_read(service, session, account, "red").await?;
    let denied = !other.allowed && other.eval_decision == "implicitDeny" && !other.message.is_empty();
    stage.expect("Denied with its reason where it is another's", denied, other.message)?;
    let asked = of_server(may_read(user, session, account, "blue").await)?;
    stage.refused("Who has no permission to ask is not answered", &asked, "AccessDenied")?;
    Ok(())
}
