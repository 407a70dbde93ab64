//! Login profiles: the passwords of users, and of the account's root. A password is in no answer.

use reeve_chassis::guessing::Guessed;
use reeve_chassis::{Call, Handle};
use reeve_directory::record::LoginProfileRecord;
use reeve_directory::{Error, Owner, OwnerRecord, password_policy};
use reeve_proto::iam::v1::{
    ChangePasswordRequest, ChangePasswordResponse, CreateLoginProfileRequest, CreateLoginProfileResponse,
    DeleteLoginProfileRequest, DeleteLoginProfileResponse, GetLoginProfileRequest, GetLoginProfileResponse,
    LoginProfile, UpdateLoginProfileRequest, UpdateLoginProfileResponse,
};

use crate::users::owner;
use crate::{Iam, timestamp};

impl Handle<CreateLoginProfileRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &CreateLoginProfileRequest,
    ) -> Result<CreateLoginProfileResponse, Error> {
        let owner = owner(call, op.user_name.as_deref()).await?;
        call.directory().login_profiles().must_be_free(&owner).await?;
        let reset_required = op.password_reset_required.unwrap_or_default();
        let profile = call.logins().set(&owner, &op.password, reset_required).await?;
        Ok(CreateLoginProfileResponse { login_profile: Some(shown(&owner, &profile)) })
    }
}

impl Handle<GetLoginProfileRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &GetLoginProfileRequest,
    ) -> Result<GetLoginProfileResponse, Error> {
        let owner = owner(call, op.user_name.as_deref()).await?;
        let profile = call.directory().login_profiles().get(&owner).await?;
        Ok(GetLoginProfileResponse { login_profile: Some(shown(&owner, &profile)) })
    }
}

impl Handle<UpdateLoginProfileRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &UpdateLoginProfileRequest,
    ) -> Result<UpdateLoginProfileResponse, Error> {
        let owner = owner(call, Some(&op.user_name)).await?;
        let profile = call.directory().login_profiles().get(&owner).await?;
        let reset_required = op.password_reset_required.unwrap_or(profile.reset_required);
        if let Some(password) = &op.password {
            call.logins().set(&owner, password, reset_required).await?;
        } else if reset_required != profile.reset_required {
            let profile = LoginProfileRecord { reset_required, ..profile };
            call.directory().login_profiles().put(&profile).await?;
        }
        Ok(UpdateLoginProfileResponse {})
    }
}

impl Handle<DeleteLoginProfileRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &DeleteLoginProfileRequest,
    ) -> Result<DeleteLoginProfileResponse, Error> {
        let owner = owner(call, op.user_name.as_deref()).await?;
        call.directory().login_profiles().delete(&owner).await?;
        Ok(DeleteLoginProfileResponse {})
    }
}

impl Handle<ChangePasswordRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ChangePasswordRequest,
    ) -> Result<ChangePasswordResponse, Error> {
        let Some(name) = call.caller.user_name().map(str::to_owned) else {
            return Err(Error::invalid_user_type("Only IAM Users can change their own password."));
        };
        let owner = call.directory().owner(Owner::User(&name)).await?;
        let profile = call.directory().login_profiles().get(&owner).await?;
        if !is_known(call, &name, &profile, &op.old_password).await? {
            return Err(Error::access_denied("The old password was incorrect."));
        }
        refuse_expired(call, &profile).await?;
        if op.old_password == op.new_password {
            return Err(password_policy::reused().violation_renamed("password", "new_password"));
        }
        let changed = call.logins().set(&owner, &op.new_password, false).await;
        changed.map_err(|error| error.violation_renamed("password", "new_password"))?;
        Ok(ChangePasswordResponse {})
    }
}

/// Whether the caller knows its password. Guesses count as those at sign-in do, and where too many were wrong, every one is.
///
/// # Errors
/// `ServiceUnavailable` when too many come from there, or too many passwords wait.
async fn is_known(
    call: &mut Call<'_>,
    name: &str,
    profile: &LoginProfileRecord,
    password: &str,
) -> Result<bool, Error> {
    let guessed = Guessed::password(call.caller.account(), Some(name));
    let (guesses, source) = (&call.environment.guesses, call.surroundings.source_ip);
    let attempt = guesses.at_password(guessed, Some(name), source, call.now)?;
    let is_match = call.logins().verify(profile, password).await?.is_match();
    let Some(attempt) = attempt else { return Ok(false) };
    attempt.ended(is_match);
    Ok(is_match)
}

/// Refuses whoever signed in with a password that has expired meanwhile, where it could not sign in any more to change it. Who
/// has an access key may. (Source: `HardExpiry` of PasswordPolicy in the IAM API reference.)
async fn refuse_expired(call: &mut Call<'_>, profile: &LoginProfileRecord) -> Result<(), Error> {
    let signed_in = call.caller.session_record().is_some_and(|session| session.signed_in_until != 0);
    if !signed_in {
        return Ok(());
    }
    let now = call.now;
    let policy = call.directory().password_policies().find().await?;
    let policy = policy.as_ref();
    if password_policy::is_expiry_hard(policy)
        && password_policy::is_expired(policy, profile.password_date, now)
    {
        return Err(password_policy::expired_for_good());
    }
    Ok(())
}

fn shown(owner: &OwnerRecord, profile: &LoginProfileRecord) -> LoginProfile {
    LoginProfile {
        user_name: owner.user_name().unwrap_or_default().to_owned(),
        create_date: timestamp(profile.create_date),
        password_reset_required: profile.reset_required,
    }
}
