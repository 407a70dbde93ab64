//! Outbound federation: whether an account's principals are given tokens for others, and the issuer that the account is to
//! them. An account has one issuer for ever, so that whoever trusts it need not be told again.

use reeve_proto::store::v1::{IssuerRecord, OutboundFederationRecord};
use reeve_storage::Transaction;

use crate::{Error, Result, id, part, tables};

part! {
    /// The outbound federation of an account.
    OutboundFederations
}

/// The federation of the account whose issuer it is, enabled or not; none when it is nobody's.
pub async fn of_issuer(
    transaction: &mut Transaction,
    issuer_id: &str,
) -> Result<Option<OutboundFederationRecord>> {
    let Some(issuer) = tables::ISSUERS.get(transaction, &(issuer_id.to_owned(),)).await? else {
        return Ok(None);
    };
    Ok(tables::OUTBOUND_FEDERATIONS.get(transaction, &(issuer.account_id,)).await?)
}

impl OutboundFederations<'_, '_> {
    /// The account's federation; none when it is not enabled.
    pub async fn enabled(&mut self) -> Result<Option<OutboundFederationRecord>> {
        Ok(self.find().await?.filter(|record| record.disable_date == 0))
    }

    /// Enables it, under the issuer that the account had before if it had one.
    ///
    /// # Errors
    /// `FeatureEnabled`.
    pub async fn enable(&mut self) -> Result<OutboundFederationRecord> {
        let known = self.find().await?;
        if known.as_ref().is_some_and(|record| record.disable_date == 0) {
            let message = "Outbound web identity federation is already enabled for this account.";
            return Err(Error::feature_enabled(message));
        }
        let account_id = self.0.account.to_owned();
        let issuer_id = match known {
            Some(known) => known.issuer_id,
            None => {
                let issuer_id = id::issuer(self.0.random);
                let record = IssuerRecord { account_id: account_id.clone() };
                tables::ISSUERS.put(self.0.transaction, &(issuer_id.clone(),), &record).await?;
                issuer_id
            }
        };
        let record =
            OutboundFederationRecord { account_id, issuer_id, enable_date: self.0.now, disable_date: 0 };
        self.put(&record).await?;
        Ok(record)
    }

    /// Disables it.
    ///
    /// # Errors
    /// `FeatureDisabled`.
    pub async fn disable(&mut self) -> Result<()> {
        let record = self.enabled().await?.ok_or_else(disabled)?;
        self.put(&OutboundFederationRecord { disable_date: self.0.now, ..record }).await
    }

    async fn find(&mut self) -> Result<Option<OutboundFederationRecord>> {
        let key = (self.0.account.to_owned(),);
        Ok(tables::OUTBOUND_FEDERATIONS.get(self.0.transaction, &key).await?)
    }

    async fn put(&mut self, record: &OutboundFederationRecord) -> Result<()> {
        let key = (record.account_id.clone(),);
        Ok(tables::OUTBOUND_FEDERATIONS.put(self.0.transaction, &key, record).await?)
    }
}

/// What an account is told that is not enabled.
#[must_use]
pub fn disabled() -> Error {
    Error::feature_disabled("Outbound web identity federation is not enabled for this account.")
}
