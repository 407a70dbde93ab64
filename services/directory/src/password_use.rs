//! When the password of a user last let it in. It has a record of its own, because decisions rest on the user's.

use reeve_proto::store::v1::PasswordUseRecord;
use reeve_storage::Transaction;

use crate::{Result, tables};

/// Writes a use, unless a later one is written or the user is gone. (Of a root, whose id is its account's, the account.)
pub async fn put(transaction: &mut Transaction, account: &str, principal_id: &str, at: i64) -> Result<()> {
    let key = (account.to_owned(), principal_id.to_owned());
    let is_there = match principal_id == account {
        true => tables::ACCOUNTS.get(transaction, &(account.to_owned(),)).await?.is_some(),
        false => tables::USERS.get(transaction, &key).await?.is_some(),
    };
    let known = tables::PASSWORD_USES.get(transaction, &key).await?;
    if is_there && known.is_none_or(|known| known.last_used < at) {
        tables::PASSWORD_USES.put(transaction, &key, &PasswordUseRecord { last_used: at }).await?;
    }
    Ok(())
}

/// The last use that is written, in Unix seconds. Nothing rests on it: it is not proved.
pub async fn get(transaction: &mut Transaction, account: &str, principal_id: &str) -> Result<Option<i64>> {
    let key = (account.to_owned(), principal_id.to_owned());
    Ok(tables::PASSWORD_USES.get(transaction, &key).await?.map(|used| used.last_used))
}
