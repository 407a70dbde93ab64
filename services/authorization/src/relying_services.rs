//! Registration of the services that rely on Reeve.

use prost_types::Timestamp;
use reeve_chassis::{Call, Handle};
use reeve_directory::record::RelyingServiceRecord;
use reeve_directory::relying_service::NewRelyingService;
use reeve_directory::resource::relying_service_arn;
use reeve_directory::{Error, Page};
use reeve_proto::authorization::v1::{
    DeregisterRelyingServiceRequest, DeregisterRelyingServiceResponse, GetRelyingServiceRequest,
    GetRelyingServiceResponse, ListRelyingServicesRequest, ListRelyingServicesResponse,
    RegisterRelyingServiceRequest, RegisterRelyingServiceResponse, RelyingService,
};

use crate::Authorization;

impl Handle<RegisterRelyingServiceRequest> for Authorization {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &RegisterRelyingServiceRequest,
    ) -> Result<RegisterRelyingServiceResponse, Error> {
        let new = NewRelyingService {
            name: op.name.clone(),
            hosts: op.hosts.clone(),
            scope_service: op.scope_service.clone(),
            resource_patterns: op.resource_patterns.clone(),
        };
        let record = call.directory().relying_services().create(new).await?;
        Ok(RegisterRelyingServiceResponse { relying_service: Some(shown(call, record)) })
    }
}

impl Handle<GetRelyingServiceRequest> for Authorization {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &GetRelyingServiceRequest,
    ) -> Result<GetRelyingServiceResponse, Error> {
        let record = call.directory().relying_services().get(&op.name).await?;
        Ok(GetRelyingServiceResponse { relying_service: Some(shown(call, record)) })
    }
}

impl Handle<ListRelyingServicesRequest> for Authorization {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ListRelyingServicesRequest,
    ) -> Result<ListRelyingServicesResponse, Error> {
        let page = call.page(&[], op.marker.as_deref(), op.max_items)?;
        let Page { items, next } =
            call.directory().relying_services().list(page.after.as_deref(), page.limit).await?;
        let marker = next.map(|last| call.marker(&[], &last)).transpose()?;
        Ok(ListRelyingServicesResponse {
            relying_services: items.into_iter().map(|record| shown(call, record)).collect(),
            is_truncated: marker.is_some(),
            marker,
        })
    }
}

impl Handle<DeregisterRelyingServiceRequest> for Authorization {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &DeregisterRelyingServiceRequest,
    ) -> Result<DeregisterRelyingServiceResponse, Error> {
        call.directory().relying_services().delete(&op.name).await?;
        Ok(DeregisterRelyingServiceResponse {})
    }
}

fn shown(call: &Call<'_>, record: RelyingServiceRecord) -> RelyingService {
    let partition = &call.environment.settings.partition;
    RelyingService {
        arn: relying_service_arn(partition, call.caller.account(), &record.name),
        name: record.name,
        hosts: record.hosts,
        scope_service: record.scope_service,
        resource_patterns: record.resource_patterns,
        create_date: Some(Timestamp { seconds: record.create_date, nanos: 0 }),
    }
}
