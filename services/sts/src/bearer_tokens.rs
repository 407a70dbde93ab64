//! Bearer tokens, for callers that cannot sign. Who presents one cannot ask for another: that was decided before.

use prost_types::Timestamp;
use reeve_chassis::{Call, Handle, bearer};
use reeve_directory::Error;
use reeve_directory::resource::relying_service_arn;
use reeve_evaluator::Arn;
use reeve_proto::sts::v1::{GetServiceBearerTokenRequest, GetServiceBearerTokenResponse};

use crate::Sts;

/// How long a token lasts when the caller does not say, in seconds.
const DURATION_DEFAULT_SECONDS: i32 = 3_600;

impl Handle<GetServiceBearerTokenRequest> for Sts {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &GetServiceBearerTokenRequest,
    ) -> Result<GetServiceBearerTokenResponse, Error> {
        let audience = match &op.audience {
            Some(service) => audience(call, service).await?,
            None => bearer::AUDIENCE_REEVE.to_owned(),
        };
        let duration = op.duration_seconds.unwrap_or(DURATION_DEFAULT_SECONDS);
        let (bearer_token, expires_at) =
            bearer::issue_bearer(call, &audience, call.now + i64::from(duration))?;
        let expiration = Some(Timestamp { seconds: expires_at, nanos: 0 });
        Ok(GetServiceBearerTokenResponse { bearer_token, expiration, audience })
    }
}

/// The ARN of a registered service: of the caller's account, or of the management account, whose services serve all.
async fn audience(call: &mut Call<'_>, service: &str) -> Result<String, Error> {
    let environment = call.environment;
    let partition = &environment.settings.partition;
    let own = call.caller.account().to_owned();
    let (account, name) = named(service).unwrap_or((&own, service));
    let missing =
        || Error::no_such_entity(format!("The relying service with name {service} cannot be found."));
    if account != own && account != environment.cluster.management_account_id {
        return Err(missing());
    }
    let found = call.directory_of(account).relying_services().get(name).await.map_err(|error| match error
        .is_conflict()
    {
        true => error,
        false => missing(),
    })?;
    Ok(relying_service_arn(partition, account, &found.name))
}

/// The account and the name that the ARN of a relying service holds.
fn named(arn: &str) -> Option<(&str, &str)> {
    let arn = Arn::parse(arn).ok().filter(|arn| arn.service == "reeve")?;
    Some((arn.account, arn.resource.strip_prefix("relying-service/")?))
}
