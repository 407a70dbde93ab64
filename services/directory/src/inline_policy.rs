//! Policies embedded in one user, group or role. Their sizes are bounded together, which the entity's record proves.

use reeve_proto::store::v1::InlinePolicyRecord;
use reeve_storage::Transaction;

use crate::entity::{Entity, Kind};
use crate::listing::Page;
use crate::name::fold;
use crate::{Error, Result, document, part, tables};

part! {
    /// The inline policies of an account.
    InlinePolicies
}

impl InlinePolicies<'_, '_> {
    /// Embeds a policy, in place of the one of the same name.
    ///
    /// # Errors
    /// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`.
    pub async fn put(&mut self, kind: Kind, name: &str, policy_name: &str, text: &str) -> Result<()> {
        let entity = self.0.entity(kind, name).await?;
        let document = document::inline(text)?;
        let folded = fold(policy_name);
        let others = all(self.0.transaction, self.0.account, entity.id()).await?;
        let others = others.iter().filter(|policy| fold(&policy.policy_name) != folded);
        let size: usize = others.map(|policy| document::chars(&policy.document)).sum();
        let max = kind.inline_chars_max();
        if size + document::chars(&document) > max {
            return Err(Error::limit_exceeded(format!(
                "Maximum policy size of {max} bytes exceeded for {kind} {}",
                entity.name()
            )));
        }
        let record = InlinePolicyRecord { policy_name: policy_name.to_owned(), document };
        let key = self.0.hanging(entity.id(), &folded);
        tables::INLINE_POLICIES.put(self.0.transaction, &key, &record).await?;
        self.0.touch_entity(&entity).await
    }

    /// An embedded policy, and in whom.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get(
        &mut self,
        kind: Kind,
        name: &str,
        policy_name: &str,
    ) -> Result<(Entity, InlinePolicyRecord)> {
        let entity = self.0.entity(kind, name).await?;
        let key = self.0.hanging(entity.id(), &fold(policy_name));
        let policy = tables::INLINE_POLICIES.get(self.0.transaction, &key).await?;
        Ok((entity, policy.ok_or_else(|| not_found(kind, policy_name))?))
    }

    /// Deletes an embedded policy.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn delete(&mut self, kind: Kind, name: &str, policy_name: &str) -> Result<()> {
        let (entity, _) = self.get(kind, name, policy_name).await?;
        let key = self.0.hanging(entity.id(), &fold(policy_name));
        tables::INLINE_POLICIES.delete(self.0.transaction, &key).await?;
        self.0.touch_entity(&entity).await
    }

    /// The names of the embedded policies, in folded order.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn list(
        &mut self,
        kind: Kind,
        name: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<String>> {
        let entity = self.0.entity(kind, name).await?;
        let policies = all(self.0.transaction, self.0.account, entity.id()).await?;
        let names = policies.into_iter().map(|policy| policy.policy_name).collect();
        Ok(Page::of_all(names, |name: &String| fold(name), after, limit))
    }
}

/// All policies embedded in an entity, proved by the entity's record, which was got before. Their number is bounded by their
/// sizes together.
pub(crate) async fn all(
    transaction: &mut Transaction,
    account: &str,
    entity_id: &str,
) -> Result<Vec<InlinePolicyRecord>> {
    let under = (account.to_owned(), entity_id.to_owned());
    let found = tables::INLINE_POLICIES.scan(transaction, &under, None, usize::MAX).await?;
    Ok(found.into_iter().map(|(_, policy)| policy).collect())
}

fn not_found(kind: Kind, policy_name: &str) -> Error {
    Error::no_such_entity(format!("The {kind} policy with name {policy_name} cannot be found."))
}
