//! The account's password policy.

use reeve_chassis::{Call, Handle};
use reeve_directory::Error;
use reeve_directory::password_policy::MINIMUM_LENGTH_DEFAULT;
use reeve_directory::record::PasswordPolicyRecord;
use reeve_proto::iam::v1::{
    DeleteAccountPasswordPolicyRequest, DeleteAccountPasswordPolicyResponse, GetAccountPasswordPolicyRequest,
    GetAccountPasswordPolicyResponse, PasswordPolicy, UpdateAccountPasswordPolicyRequest,
    UpdateAccountPasswordPolicyResponse,
};

use crate::Iam;

impl Handle<UpdateAccountPasswordPolicyRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &UpdateAccountPasswordPolicyRequest,
    ) -> Result<UpdateAccountPasswordPolicyResponse, Error> {
        let policy = PasswordPolicyRecord {
            minimum_length: op.minimum_password_length.unwrap_or(MINIMUM_LENGTH_DEFAULT),
            require_symbols: op.require_symbols.unwrap_or_default(),
            require_numbers: op.require_numbers.unwrap_or_default(),
            require_uppercase: op.require_uppercase_characters.unwrap_or_default(),
            require_lowercase: op.require_lowercase_characters.unwrap_or_default(),
            allow_users_to_change: op.allow_users_to_change_password.unwrap_or_default(),
            age_days_max: op.max_password_age.unwrap_or_default(),
            reuse_prevention: op.password_reuse_prevention.unwrap_or_default(),
            hard_expiry: op.hard_expiry,
        };
        call.directory().password_policies().put(&policy).await?;
        Ok(UpdateAccountPasswordPolicyResponse {})
    }
}

impl Handle<GetAccountPasswordPolicyRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        _: &GetAccountPasswordPolicyRequest,
    ) -> Result<GetAccountPasswordPolicyResponse, Error> {
        let policy = call.directory().password_policies().get().await?;
        Ok(GetAccountPasswordPolicyResponse { password_policy: Some(shown(policy)) })
    }
}

impl Handle<DeleteAccountPasswordPolicyRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        _: &DeleteAccountPasswordPolicyRequest,
    ) -> Result<DeleteAccountPasswordPolicyResponse, Error> {
        call.directory().password_policies().delete().await?;
        Ok(DeleteAccountPasswordPolicyResponse {})
    }
}

fn shown(policy: PasswordPolicyRecord) -> PasswordPolicy {
    let given = |number: i32| Some(number).filter(|number| *number > 0);
    PasswordPolicy {
        minimum_password_length: policy.minimum_length,
        require_symbols: policy.require_symbols,
        require_numbers: policy.require_numbers,
        require_uppercase_characters: policy.require_uppercase,
        require_lowercase_characters: policy.require_lowercase,
        allow_users_to_change_password: policy.allow_users_to_change,
        expire_passwords: policy.age_days_max > 0,
        max_password_age: given(policy.age_days_max),
        password_reuse_prevention: given(policy.reuse_prevention),
        hard_expiry: policy.hard_expiry,
    }
}
