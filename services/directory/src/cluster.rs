//! Which cluster the store is of, and which incarnation of it. It is there from the first start on.

use reeve_proto::store::v1::ClusterRecord;

use crate::{Result, part, tables};

part! {
    /// The record of the cluster.
    Cluster
}

impl Cluster<'_, '_> {
    /// The record; none in an empty store.
    pub async fn get(&mut self) -> Result<Option<ClusterRecord>> {
        Ok(tables::CLUSTER.get(self.0.transaction, &()).await?)
    }

    /// Puts the record in place of the one that may be there.
    pub async fn put(&mut self, record: &ClusterRecord) -> Result<()> {
        Ok(tables::CLUSTER.put(self.0.transaction, &(), record).await?)
    }
}
