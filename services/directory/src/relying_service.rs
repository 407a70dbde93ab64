//! Relying services: those that ask Reeve for decisions, and what each may ask about.

use reeve_proto::store::v1::RelyingServiceRecord;

use crate::listing::Page;
use crate::name::fold;
use crate::{Error, Result, part, tables};

part! {
    /// The relying services of an account.
    RelyingServices
}

/// Scopes that are Reeve's own: a signature forwarded by a service never carries one of them.
const OWN_SCOPES: &[&str] = &["iam", "sts", "reeve"];

/// Whether signatures of a scope are for Reeve itself.
#[must_use]
pub fn is_own_scope(service: &str) -> bool {
    OWN_SCOPES.iter().any(|scope| service.eq_ignore_ascii_case(scope))
}

/// Whether a pattern of hosts has anything of a name before its port.
fn names_somebody(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

/// A service to be registered.
#[derive(Debug, Clone, Default)]
pub struct NewRelyingService {
    /// The name, unique in the account without case.
    pub name: String,
    /// The hosts that a forwarded signature may have signed.
    pub hosts: Vec<String>,
    /// The service name in the scope of a forwarded signature.
    pub scope_service: String,
    /// The ARN patterns of its resources.
    pub resource_patterns: Vec<String>,
}

impl RelyingServices<'_, '_> {
    /// Registers a service.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`; `InvalidInput` for a scope that is Reeve's own, and for a host that would be
    /// anybody's.
    pub async fn create(&mut self, new: NewRelyingService) -> Result<RelyingServiceRecord> {
        if is_own_scope(&new.scope_service) {
            let message = format!("The scope {} is not a relying service's.", new.scope_service);
            return Err(Error::invalid_input(message).with_violation("scope_service", "is reserved"));
        }
        if let Some(anybody) = new.hosts.iter().find(|host| !names_somebody(host)) {
            let message = format!("The host {anybody} would be that of every service.");
            return Err(Error::invalid_input(message).with_violation("hosts", "must name a host"));
        }
        let key = self.0.key(&fold(&new.name));
        if tables::RELYING_SERVICES.get(self.0.transaction, &key).await?.is_some() {
            let message = format!("Relying service with name {} already exists.", new.name);
            return Err(Error::entity_already_exists(message));
        }
        let account = (self.0.account.to_owned(),);
        let max = self.0.settings.quotas.relying_services_per_account_max;
        if tables::RELYING_SERVICES_COUNT.get(self.0.transaction, &account).await? >= max {
            return Err(Error::quota("RelyingServicesPerAccount", max));
        }
        tables::RELYING_SERVICES_COUNT.add(self.0.transaction, &account, 1, max);
        let record = RelyingServiceRecord {
            name: new.name,
            hosts: new.hosts,
            scope_service: new.scope_service,
            resource_patterns: new.resource_patterns,
            create_date: self.0.now,
        };
        tables::RELYING_SERVICES.put(self.0.transaction, &key, &record).await?;
        Ok(record)
    }

    /// The service of a name, whatever its case.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get(&mut self, name: &str) -> Result<RelyingServiceRecord> {
        let key = self.0.key(&fold(name));
        let found = tables::RELYING_SERVICES.get(self.0.transaction, &key).await?;
        found.ok_or_else(|| {
            Error::no_such_entity(format!("The relying service with name {name} cannot be found."))
        })
    }

    /// The services, in the order of their folded names.
    pub async fn list(&mut self, after: Option<&str>, limit: usize) -> Result<Page<RelyingServiceRecord>> {
        let account = (self.0.account.to_owned(),);
        let after = after.map(|after| self.0.key(after));
        let asked = limit.saturating_add(1);
        let found =
            tables::RELYING_SERVICES.scan(self.0.transaction, &account, after.as_ref(), asked).await?;
        let records = found.into_iter().map(|(_, record)| record).collect();
        Ok(Page::of_all(records, |record: &RelyingServiceRecord| fold(&record.name), None, limit))
    }

    /// Ends a registration.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn delete(&mut self, name: &str) -> Result<()> {
        self.get(name).await?;
        let key = self.0.key(&fold(name));
        tables::RELYING_SERVICES.delete(self.0.transaction, &key).await?;
        let account = (self.0.account.to_owned(),);
        tables::RELYING_SERVICES_COUNT.add(self.0.transaction, &account, -1, i64::MAX);
        Ok(())
    }
}
