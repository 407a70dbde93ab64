//! The account as an issuer of tokens for others.

use reeve_chassis::{Call, Handle, outbound};
use reeve_directory::{Error, outbound_federation};
use reeve_proto::iam::v1::{
    DisableOutboundWebIdentityFederationRequest, DisableOutboundWebIdentityFederationResponse,
    EnableOutboundWebIdentityFederationRequest, EnableOutboundWebIdentityFederationResponse,
    GetOutboundWebIdentityFederationInfoRequest, GetOutboundWebIdentityFederationInfoResponse,
};

use crate::Iam;

impl Handle<EnableOutboundWebIdentityFederationRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        _: &EnableOutboundWebIdentityFederationRequest,
    ) -> Result<EnableOutboundWebIdentityFederationResponse, Error> {
        let federation = call.directory().outbound_federations().enable().await?;
        let issuer_identifier = outbound::issuer(call, &federation)?;
        // Last, because it takes longest where there are none yet.
        outbound::provide_keys(call).await?;
        Ok(EnableOutboundWebIdentityFederationResponse { issuer_identifier })
    }
}

impl Handle<GetOutboundWebIdentityFederationInfoRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        _: &GetOutboundWebIdentityFederationInfoRequest,
    ) -> Result<GetOutboundWebIdentityFederationInfoResponse, Error> {
        let federation = call.directory().outbound_federations().enabled().await?;
        let federation = federation.ok_or_else(outbound_federation::disabled)?;
        let issuer_identifier = outbound::issuer(call, &federation)?;
        Ok(GetOutboundWebIdentityFederationInfoResponse { issuer_identifier, jwt_vending_enabled: true })
    }
}

impl Handle<DisableOutboundWebIdentityFederationRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        _: &DisableOutboundWebIdentityFederationRequest,
    ) -> Result<DisableOutboundWebIdentityFederationResponse, Error> {
        call.directory().outbound_federations().disable().await?;
        Ok(DisableOutboundWebIdentityFederationResponse {})
    }
}
