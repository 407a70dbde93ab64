//! How permissions end: at the very next call, whatever was issued before.

use reeve_proto::iam::v1::{
    AddUserToGroupRequest, AttachRolePolicyRequest, DeleteAccessKeyRequest, DeleteUserRequest,
    DetachRolePolicyRequest, GetRoleRequest, RemoveUserFromGroupRequest,
};
use reeve_proto::sts::v1::GetCallerIdentityRequest;

use super::DemoError;
use super::cast::{EXTERNAL_ID, GROUP, ROLE, USER, assume, create_user, may_read, of_server, tag};
use super::stage::Stage;
use super::story::Scene;

/// Plays the endings.
pub(crate) async fn play(stage: &mut Stage<'_>, scene: Scene) -> Result<(), DemoError> {
    policy(stage, &scene).await?;
    access_key(stage, &scene).await?;
    user(stage, &scene).await
}

async fn policy(stage: &mut Stage<'_>, scene: &Scene) -> Result<(), DemoError> {
    let Scene { admin, service, session, account, policy_arn, .. } = scene;
    stage.step("The role's policy is detached, and attached again")?;
    let (role_name, policy_arn) = (ROLE.to_owned(), policy_arn.clone());
    admin
        .call(&DetachRolePolicyRequest { role_name: role_name.clone(), policy_arn: policy_arn.clone() })
        .await?;
    let without = may_read(service, session, account, "blue").await?;
    stage.expect(
        "Without it, the same session is denied at the very next call",
        !without.allowed,
        without.message,
    )?;
    admin.call(&AttachRolePolicyRequest { role_name, policy_arn }).await?;
    let with = may_read(service, session, account, "blue").await?;
    stage.expect("With it, the same session is allowed at the very next call", with.allowed, with.message)?;
    Ok(())
}

async fn access_key(stage: &mut Stage<'_>, scene: &Scene) -> Result<(), DemoError> {
    let Scene { admin, service, session, account, user, user_key, .. } = scene;
    stage.step("The access key is deleted that the session began with")?;
    let before = user.call(&GetCallerIdentityRequest {}).await;
    stage.answered("Until then it works", &before)?;
    admin
        .call(&DeleteAccessKeyRequest { access_key_id: user_key.clone(), user_name: Some(USER.to_owned()) })
        .await?;
    let key = user.call(&GetCallerIdentityRequest {}).await;
    stage.refused("The key is refused at the very next call", &key, "InvalidClientTokenId")?;
    let holder = user.signed(session.clone()).call(&GetCallerIdentityRequest {}).await;
    let refused = holder.as_ref().err().map(|error| error.code.clone()).unwrap_or_default();
    let told = refused.clone();
    let ended = matches!(refused.as_str(), "InvalidClientTokenId" | "ExpiredToken");
    stage.expect(
        "So is the session that came of it",
        ended,
        if told.is_empty() { "answered" } else { &told },
    )?;
    let asked = may_read(service, session, account, "blue").await?;
    let denied = !asked.allowed && !asked.error_code.is_empty();
    stage.expect(
        "And a service that asks about it is told so",
        denied,
        format!("{}: {}", asked.error_code, asked.message),
    )?;
    Ok(())
}

async fn user(stage: &mut Stage<'_>, scene: &Scene) -> Result<(), DemoError> {
    let Scene { admin, role_arn, user_arn, .. } = scene;
    stage.step("The user is deleted, and another takes the name")?;
    let (group_name, user_name) = (GROUP.to_owned(), USER.to_owned());
    admin
        .call(&RemoveUserFromGroupRequest { group_name: group_name.clone(), user_name: user_name.clone() })
        .await?;
    admin.call(&DeleteUserRequest { user_name: user_name.clone() }).await?;
    let (arn, _, newcomer) = create_user(admin, USER, None).await?;
    admin.call(&AddUserToGroupRequest { group_name, user_name }).await?;
    stage.expect("The newcomer has the same name and the same ARN", arn == *user_arn, &arn)?;
    let assumed = of_server(assume(&newcomer, role_arn, EXTERNAL_ID, vec![tag("team", "blue")]).await)?;
    stage.refused("Yet the role does not trust the newcomer", &assumed, "AccessDenied")?;
    let role = admin.call(&GetRoleRequest { role_name: ROLE.to_owned() }).await?;
    let trust = role.role.and_then(|role| role.assume_role_policy_document).unwrap_or_default();
    let bound = trust.contains("AIDA") && !trust.contains(&arn);
    stage.expect("Because it trusts the one who left, by unique id", bound, trust)?;
    Ok(())
}
