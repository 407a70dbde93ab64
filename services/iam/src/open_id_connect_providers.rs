//! OpenID Connect providers, and what the claims of their tokens are good for.

use reeve_chassis::{Call, Handle};
use reeve_directory::Error;
use reeve_directory::oidc_provider::NewOidcProvider;
use reeve_directory::record::StoredClaimMapping;
use reeve_proto::iam::v1::{
    AddClientIdToOpenIdConnectProviderRequest, AddClientIdToOpenIdConnectProviderResponse, ClaimMapping,
    CreateOpenIdConnectProviderRequest, CreateOpenIdConnectProviderResponse,
    DeleteOpenIdConnectProviderClaimMappingRequest, DeleteOpenIdConnectProviderClaimMappingResponse,
    DeleteOpenIdConnectProviderRequest, DeleteOpenIdConnectProviderResponse,
    GetOpenIdConnectProviderClaimMappingRequest, GetOpenIdConnectProviderClaimMappingResponse,
    GetOpenIdConnectProviderRequest, GetOpenIdConnectProviderResponse, ListOpenIdConnectProvidersRequest,
    ListOpenIdConnectProvidersResponse, OpenIdConnectProviderListEntry,
    PutOpenIdConnectProviderClaimMappingRequest, PutOpenIdConnectProviderClaimMappingResponse,
    RemoveClientIdFromOpenIdConnectProviderRequest, RemoveClientIdFromOpenIdConnectProviderResponse,
    UpdateOpenIdConnectProviderThumbprintRequest, UpdateOpenIdConnectProviderThumbprintResponse,
};

use crate::{Iam, tags, timestamp};

impl Handle<CreateOpenIdConnectProviderRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &CreateOpenIdConnectProviderRequest,
    ) -> Result<CreateOpenIdConnectProviderResponse, Error> {
        let new = NewOidcProvider {
            url: op.url.clone(),
            client_ids: op.client_id_list.clone(),
            thumbprints: op.thumbprint_list.clone(),
            tags: tags::stored(&op.tags),
        };
        let mut directory = call.directory();
        let mut providers = directory.oidc_providers();
        let provider = providers.create(new).await?;
        Ok(CreateOpenIdConnectProviderResponse {
            open_id_connect_provider_arn: providers.arn(&provider),
            tags: tags::shown(provider.tags),
        })
    }
}

impl Handle<GetOpenIdConnectProviderRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &GetOpenIdConnectProviderRequest,
    ) -> Result<GetOpenIdConnectProviderResponse, Error> {
        let provider = call.directory().oidc_providers().get(&op.open_id_connect_provider_arn).await?;
        Ok(GetOpenIdConnectProviderResponse {
            url: provider.issuer,
            client_id_list: provider.client_ids,
            thumbprint_list: provider.thumbprints,
            create_date: timestamp(provider.create_date),
            tags: tags::shown(provider.tags),
        })
    }
}

impl Handle<ListOpenIdConnectProvidersRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        _: &ListOpenIdConnectProvidersRequest,
    ) -> Result<ListOpenIdConnectProvidersResponse, Error> {
        let mut directory = call.directory();
        let mut providers = directory.oidc_providers();
        let found = providers.list().await?;
        let shown =
            found.iter().map(|provider| OpenIdConnectProviderListEntry { arn: providers.arn(provider) });
        Ok(ListOpenIdConnectProvidersResponse { open_id_connect_provider_list: shown.collect() })
    }
}

impl Handle<DeleteOpenIdConnectProviderRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &DeleteOpenIdConnectProviderRequest,
    ) -> Result<DeleteOpenIdConnectProviderResponse, Error> {
        call.directory().oidc_providers().delete(&op.open_id_connect_provider_arn).await?;
        Ok(DeleteOpenIdConnectProviderResponse {})
    }
}

impl Handle<AddClientIdToOpenIdConnectProviderRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &AddClientIdToOpenIdConnectProviderRequest,
    ) -> Result<AddClientIdToOpenIdConnectProviderResponse, Error> {
        let arn = &op.open_id_connect_provider_arn;
        call.directory().oidc_providers().add_client_id(arn, &op.client_id).await?;
        Ok(AddClientIdToOpenIdConnectProviderResponse {})
    }
}

impl Handle<RemoveClientIdFromOpenIdConnectProviderRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &RemoveClientIdFromOpenIdConnectProviderRequest,
    ) -> Result<RemoveClientIdFromOpenIdConnectProviderResponse, Error> {
        let arn = &op.open_id_connect_provider_arn;
        call.directory().oidc_providers().remove_client_id(arn, &op.client_id).await?;
        Ok(RemoveClientIdFromOpenIdConnectProviderResponse {})
    }
}

impl Handle<UpdateOpenIdConnectProviderThumbprintRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &UpdateOpenIdConnectProviderThumbprintRequest,
    ) -> Result<UpdateOpenIdConnectProviderThumbprintResponse, Error> {
        let arn = &op.open_id_connect_provider_arn;
        call.directory().oidc_providers().set_thumbprints(arn, &op.thumbprint_list).await?;
        Ok(UpdateOpenIdConnectProviderThumbprintResponse {})
    }
}

impl Handle<PutOpenIdConnectProviderClaimMappingRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &PutOpenIdConnectProviderClaimMappingRequest,
    ) -> Result<PutOpenIdConnectProviderClaimMappingResponse, Error> {
        let stored = op.claim_mappings.iter().map(|mapping| StoredClaimMapping {
            claim: mapping.claim.clone(),
            tag_key: mapping.tag_key.clone().unwrap_or_default(),
            transitive: mapping.transitive,
        });
        let name = op.role_session_name_claim.as_deref().unwrap_or_default();
        let arn = &op.open_id_connect_provider_arn;
        call.directory().oidc_providers().set_claim_mappings(arn, stored.collect(), name).await?;
        Ok(PutOpenIdConnectProviderClaimMappingResponse {})
    }
}

impl Handle<GetOpenIdConnectProviderClaimMappingRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &GetOpenIdConnectProviderClaimMappingRequest,
    ) -> Result<GetOpenIdConnectProviderClaimMappingResponse, Error> {
        let provider = call.directory().oidc_providers().get(&op.open_id_connect_provider_arn).await?;
        let given = |text: String| Some(text).filter(|text| !text.is_empty());
        let shown = provider.claim_mappings.into_iter().map(|mapping| ClaimMapping {
            claim: mapping.claim,
            tag_key: given(mapping.tag_key),
            transitive: mapping.transitive,
        });
        Ok(GetOpenIdConnectProviderClaimMappingResponse {
            claim_mappings: shown.collect(),
            role_session_name_claim: given(provider.role_session_name_claim),
        })
    }
}

impl Handle<DeleteOpenIdConnectProviderClaimMappingRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &DeleteOpenIdConnectProviderClaimMappingRequest,
    ) -> Result<DeleteOpenIdConnectProviderClaimMappingResponse, Error> {
        let arn = &op.open_id_connect_provider_arn;
        call.directory().oidc_providers().set_claim_mappings(arn, Vec::new(), "").await?;
        Ok(DeleteOpenIdConnectProviderClaimMappingResponse {})
    }
}
