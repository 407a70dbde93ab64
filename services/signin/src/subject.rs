//! Whom a sign-in is about, as far as there is somebody. What is looked up is the same for everybody, so that nobody learns
//! who exists.

use reeve_chassis::Call;
use reeve_chassis::guessing::Guessed;
use reeve_directory::record::LoginProfileRecord;
use reeve_directory::resource::{Kind, root_arn};
use reeve_directory::{Error, Owner, OwnerRecord, account, account_alias};
use reeve_proto::error::v1::ErrorReason;
use reeve_proto::signin::v1::SignInRequest;

/// What stands in the audit log for the name of a user who does not exist: people type their passwords there. (Source: the
/// events of failed sign-ins in the user guide of AWS CloudTrail.)
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// Whom a sign-in is about.
pub(crate) struct Subject {
    /// The account's id; where there is no such account, what was given.
    pub(crate) account: String,
    /// The user's name as it was given; none for the root.
    user_name: Option<String>,
    /// The user or the root, if there is one.
    pub(crate) owner: Option<OwnerRecord>,
    /// Its password, if it has one.
    pub(crate) profile: Option<LoginProfileRecord>,
    /// For the audit log.
    pub(crate) arn: String,
}

impl Subject {
    pub(crate) async fn find(call: &mut Call<'_>, op: &SignInRequest) -> Result<Self, Error> {
        let known = match account::find(call.transaction, &op.account).await? {
            Some(account) => Some(account.account_id),
            None => account_alias::find(call.transaction, &op.account).await?,
        };
        let mut subject = Self {
            account: known.clone().unwrap_or_else(|| op.account.clone()),
            user_name: op.user_name.clone(),
            owner: None,
            profile: None,
            arn: HIDDEN.to_owned(),
        };
        let Some(account) = known else { return Ok(subject) };
        let partition = &call.environment.settings.partition;
        subject.arn = format!("arn:{partition}:iam::{account}:user/{HIDDEN}");
        let mut directory = call.directory_of(&account);
        let owner = match op.user_name.as_deref() {
            Some(name) => directory.owner(Owner::User(name)).await,
            None => directory.owner(Owner::Root).await,
        };
        let owner = match owner {
            Ok(owner) => owner,
            Err(error) if error.reason == ErrorReason::NoSuchEntity => return Ok(subject),
            Err(error) => return Err(error),
        };
        subject.profile = directory.login_profiles().find(owner.id()).await?;
        subject.arn = match &owner {
            OwnerRecord::Root(_) => root_arn(partition, &account),
            OwnerRecord::User(user) => directory.arn(Kind::User, &user.path, &user.user_name),
        };
        subject.owner = Some(owner);
        Ok(subject)
    }

    /// What a guess at its password is counted under.
    pub(crate) fn guessed(&self) -> Guessed {
        Guessed::password(&self.account, self.user_name.as_deref())
    }

    /// The name of the user, if there is such a user.
    pub(crate) fn existing_user_name(&self) -> Option<&str> {
        self.owner.as_ref().and_then(OwnerRecord::user_name)
    }

    /// Whether it is an account's root.
    pub(crate) fn is_root(&self) -> bool {
        self.user_name.is_none()
    }
}
