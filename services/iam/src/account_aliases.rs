//! Account aliases.

use reeve_chassis::{Call, Handle};
use reeve_directory::Error;
use reeve_proto::iam::v1::{
    CreateAccountAliasRequest, CreateAccountAliasResponse, DeleteAccountAliasRequest,
    DeleteAccountAliasResponse, ListAccountAliasesRequest, ListAccountAliasesResponse,
};

use crate::Iam;

impl Handle<CreateAccountAliasRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &CreateAccountAliasRequest,
    ) -> Result<CreateAccountAliasResponse, Error> {
        call.directory().account_aliases().create(&op.account_alias).await?;
        Ok(CreateAccountAliasResponse {})
    }
}

impl Handle<ListAccountAliasesRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ListAccountAliasesRequest,
    ) -> Result<ListAccountAliasesResponse, Error> {
        // There is one page, but what is no marker of this listing's is refused all the same.
        let page = call.page(&[], op.marker.as_deref(), op.max_items)?;
        let alias = call.directory().account_aliases().get().await?;
        let account_aliases = alias.into_iter().filter(|alias| page.after.as_ref() < Some(alias)).collect();
        Ok(ListAccountAliasesResponse { account_aliases, is_truncated: false, marker: None })
    }
}

impl Handle<DeleteAccountAliasRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &DeleteAccountAliasRequest,
    ) -> Result<DeleteAccountAliasResponse, Error> {
        call.directory().account_aliases().delete(&op.account_alias).await?;
        Ok(DeleteAccountAliasResponse {})
    }
}
