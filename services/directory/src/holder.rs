//! Who uses a managed policy: the users, groups and roles it is attached to, and the users and roles it bounds. They are in
//! the order of their unique ids, because a policy may have very many holders, and ids outlast a renaming between two pages.

use std::collections::BTreeSet;

use reeve_proto::store::v1::MarkRecord;
use reeve_storage::Table;

use crate::entity::{Entity, Kind};
use crate::limits::LIST_EXAMINED_MAX;
use crate::listing::Page;
use crate::policy::PolicyUsage;
use crate::{Result, named, part, policy, tables};

part! {
    /// The holders of an account's managed policies.
    Holders
}

/// Marks that are read at once from each side.
const STEP: usize = 1_000;

/// Which holders a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderFilter<'f> {
    /// Of these kinds.
    pub kinds: &'f [Kind],
    /// Under this path.
    pub path_prefix: &'f str,
    /// That use the policy so; in either way when absent.
    pub usage: Option<PolicyUsage>,
}

impl Holders<'_, '_> {
    /// The holders of a policy, each once. A page ends early, and says that more may follow, when it has looked at very
    /// many without finding enough.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput` for what is no ARN.
    pub async fn list(
        &mut self,
        policy_arn: &str,
        filter: HolderFilter<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Entity>> {
        let policy = policy::existing(self.0, policy_arn).await?;
        let mut page = Page::default();
        let mut last = after.map(str::to_owned);
        let mut examined = 0;
        loop {
            let (ids, is_end) = self.ids(&policy.policy_id, filter.usage, last.as_deref()).await?;
            for id in ids {
                examined += 1;
                if let Some(entity) = self.holder(&id, filter).await? {
                    if page.items.len() >= limit {
                        page.next = last;
                        return Ok(page);
                    }
                    page.items.push(entity);
                }
                last = Some(id);
            }
            if is_end {
                return Ok(page);
            }
            if examined >= LIST_EXAMINED_MAX {
                page.next = last;
                return Ok(page);
            }
        }
    }

    /// Ids of holders after `after`, in order, and whether they are the last.
    async fn ids(
        &mut self,
        policy_id: &str,
        usage: Option<PolicyUsage>,
        after: Option<&str>,
    ) -> Result<(BTreeSet<String>, bool)> {
        let sides: &[&Table<_, MarkRecord>] = match usage {
            Some(PolicyUsage::Permissions) => &[&tables::POLICY_HOLDERS],
            Some(PolicyUsage::Boundary) => &[&tables::POLICY_BOUNDED],
            None => &[&tables::POLICY_HOLDERS, &tables::POLICY_BOUNDED],
        };
        let under = self.0.under(policy_id);
        let after = after.map(|after| self.0.hanging(policy_id, after));
        let mut ids = BTreeSet::new();
        // What lies behind the end of a side that was cut off has not been seen on that side.
        let mut seen_to: Option<String> = None;
        for side in sides {
            let found = side.scan(self.0.transaction, &under, after.as_ref(), STEP).await?;
            if let Some(((_, _, id), _)) = found.last().filter(|_| found.len() >= STEP) {
                seen_to = Some(seen_to.map_or(id.clone(), |to: String| to.min(id.clone())));
            }
            ids.extend(found.into_iter().map(|((_, _, id), _)| id));
        }
        if let Some(to) = &seen_to {
            ids.retain(|id| id <= to);
        }
        Ok((ids, seen_to.is_none()))
    }

    /// The holder of an id, if the list holds it. It may have been deleted since the scan.
    async fn holder(&mut self, id: &str, filter: HolderFilter<'_>) -> Result<Option<Entity>> {
        let Some(kind) = Kind::of_id(id).filter(|kind| filter.kinds.contains(kind)) else { return Ok(None) };
        let (transaction, account) = (&mut *self.0.transaction, self.0.account);
        let entity = match kind {
            Kind::User => named::by_id(transaction, account, id).await?.map(Entity::User),
            Kind::Group => named::by_id(transaction, account, id).await?.map(Entity::Group),
            Kind::Role => named::by_id(transaction, account, id).await?.map(Entity::Role),
        };
        Ok(entity.filter(|entity| entity.path().starts_with(filter.path_prefix)))
    }
}
