//! What a handler sees of a call: one transaction, one moment, who calls, and what was decided. It never sees headers,
//! signatures or the transport.

use reeve_directory::{Directory, Error, password_use};
use reeve_proto::Spec;
use reeve_storage::Transaction;

use crate::audit::Asked;
use crate::authorize::{Authorized, Surroundings};
use crate::environment::Environment;
use crate::identity::Identity;
use crate::login::Logins;
use crate::mfa::Devices;
use crate::page;
use crate::password::Passwords;
use crate::pipeline::Trace;
use crate::random::SystemRandom;
use crate::seal::{Purpose, SealError};

/// Items on a page when the caller does not say.
const PAGE_ITEMS_DEFAULT: usize = 100;
/// Most items on a page.
const PAGE_ITEMS_MAX: usize = 1000;

/// A call on its way through its handler.
pub struct Call<'a> {
    /// What the operation's RPC declares.
    pub spec: &'static Spec,
    /// The moment of the call: Unix seconds.
    pub now: i64,
    /// Who calls.
    pub caller: Identity,
    /// All that the handler may change.
    pub transaction: &'a mut Transaction,
    /// Where secrets and ids come from.
    pub random: SystemRandom,
    /// What hashes and compares passwords.
    pub passwords: Passwords<'a>,
    /// What is known of the call besides who and what.
    pub surroundings: Surroundings<'a>,
    /// What the call was found to act on.
    pub authorized: Authorized,
    /// What the server is made of.
    pub environment: &'a Environment,
    pub(crate) trace: &'a mut Trace,
}

impl Call<'_> {
    /// The caller's account, seen through the call's transaction.
    pub fn directory(&mut self) -> Directory<'_> {
        Directory {
            transaction: self.transaction,
            account: self.caller.account(),
            settings: &self.environment.settings,
            now: self.now,
            random: &mut self.random,
        }
    }

    /// Adds a relying service's question and its answer to the call's audit event. The limits on how many a request holds,
    /// and how long, bound the event.
    pub fn told(&mut self, asked: &Asked<'_>) {
        asked.encode(&mut self.trace.asked);
    }

    /// Tells the call's audit event whom a call without credentials says that it comes from: an ARN.
    pub fn acts_for(&mut self, arn: &str) {
        arn.clone_into(&mut self.trace.principal);
    }

    /// Another account, seen through the call's transaction.
    pub fn directory_of<'d>(&'d mut self, account: &'d str) -> Directory<'d> {
        Directory {
            transaction: self.transaction,
            account,
            settings: &self.environment.settings,
            now: self.now,
            random: &mut self.random,
        }
    }

    /// The page that a listing asks for. `filters` are the members that choose what is listed: a marker is only good
    /// for the listing that gave it.
    ///
    /// # Errors
    /// `ValidationError` when the marker is not one of this listing's.
    pub fn page(
        &self,
        filters: &[&str],
        marker: Option<&str>,
        max_items: Option<i32>,
    ) -> Result<Page, Error> {
        let binding = page::Binding { action: self.spec.action, account: self.caller.account(), filters };
        let after =
            marker.map(|marker| page::decode(&self.environment.keyring, &binding, marker)).transpose();
        let after = after.map_err(|_| {
            let message = "Invalid Marker: it does not come from the previous page of this listing.";
            Error::validation_error(message).with_violation("marker", message)
        })?;
        let limit = max_items.and_then(|items| usize::try_from(items).ok()).unwrap_or(PAGE_ITEMS_DEFAULT);
        Ok(Page { after, limit: limit.clamp(1, PAGE_ITEMS_MAX) })
    }

    /// The marker of the page after the one that ended with `last`.
    ///
    /// # Errors
    /// Sealing fails, which is a fault of ours.
    pub fn marker(&self, filters: &[&str], last: &str) -> Result<String, Error> {
        let binding = page::Binding { action: self.spec.action, account: self.caller.account(), filters };
        page::encode(&self.environment.keyring, &binding, last).map_err(sealing)
    }

    /// The passwords of the caller's account.
    pub fn logins(&mut self) -> Logins<'_> {
        let (environment, passwords) = (self.environment, self.passwords);
        Logins::new(self.directory(), environment, passwords)
    }

    /// When the password of a principal of the caller's account last let it in, in Unix seconds.
    ///
    /// # Errors
    /// The store fails.
    pub async fn password_last_used(&mut self, principal_id: &str) -> Result<Option<i64>, Error> {
        let account = self.caller.account();
        let written = password_use::get(self.transaction, account, principal_id).await?;
        Ok(written.max(self.environment.password_uses.noted_use(account, principal_id)))
    }

    /// The MFA devices of the caller's account.
    pub fn mfa_devices(&mut self) -> Devices<'_> {
        let (environment, source) = (self.environment, self.surroundings.source_ip);
        Devices::new(self.directory(), environment, source)
    }

    /// Seals the secret of an access key, for its record.
    ///
    /// # Errors
    /// Sealing fails, which is a fault of ours.
    pub fn seal_secret(&mut self, access_key_id: &str, secret: &str) -> Result<Vec<u8>, Error> {
        let keyring = &self.environment.keyring;
        let associated = access_key_id.as_bytes();
        keyring
            .seal(Purpose::AccessKeySecret, associated, secret.as_bytes(), &mut self.random)
            .map_err(sealing)
    }
}

pub(crate) fn sealing(error: SealError) -> Error {
    Error::internal_failure(format!("sealing: {error}"))
}

/// Which part of a listing is wanted.
pub struct Page {
    /// Where the page before ended.
    pub after: Option<String>,
    /// Most items on the page.
    pub limit: usize,
}
