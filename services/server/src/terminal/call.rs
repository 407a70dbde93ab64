//! Where a call goes, who signs it, and the call itself.

use std::time::Duration;

use clap::ArgMatches;
use prost::Message as _;
use prost_reflect::DynamicMessage;
use reeve_chassis::client::{CallError, Client, Credentials, REGION_DEFAULT};

use super::catalogue::Operation;
use super::command::{CA_FILE, ENDPOINT, PROFILE, REGION};
use super::failure::Failure;
use crate::profile::{self, Variables};

/// Where a server answers that was started without being told where.
const ENDPOINT_DEFAULT: &str = "127.0.0.1:7443";
/// How long an answer is waited for: twice what a server takes at most unless configured otherwise.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// A call, but for its message.
pub(crate) struct Call {
    endpoint: String,
    authority: Option<Vec<u8>>,
    region: String,
    credentials: Credentials,
}

impl Call {
    pub(crate) fn prepare(matches: &ArgMatches, variables: Variables<'_>) -> Result<Self, Failure> {
        let option = |name: &str| matches.get_one::<String>(name).cloned();
        let variable = |name: &str| variables(name).filter(|value| !value.is_empty());
        let authority = match option(CA_FILE) {
            Some(path) => Some(
                std::fs::read(&path)
                    .map_err(|error| Failure::Configuration(format!("--{CA_FILE}: {path}: {error}")))?,
            ),
            None => None,
        };
        Ok(Self {
            endpoint: with_scheme(option(ENDPOINT).or_else(|| variable("REEVE_ENDPOINT"))),
            authority,
            region: option(REGION)
                .or_else(|| variable("AWS_REGION"))
                .or_else(|| variable("AWS_DEFAULT_REGION"))
                .unwrap_or_else(|| REGION_DEFAULT.to_owned()),
            credentials: profile::find(option(PROFILE).as_deref(), variables)
                .map_err(Failure::Credentials)?,
        })
    }

    /// Makes the call and waits for its answer.
    pub(crate) fn make(
        self,
        operation: &Operation,
        request: &DynamicMessage,
    ) -> Result<DynamicMessage, Failure> {
        let method = operation.spec.method;
        let endpoint = self.endpoint.clone();
        let unanswered = |reason: String| Failure::Unanswered { method, endpoint: endpoint.clone(), reason };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::General(error.to_string()))?;
        let answered = runtime
            .block_on(async { tokio::time::timeout(ANSWER_MAX, self.answer(operation, request)).await });
        let answer =
            answered.map_err(|_| unanswered(format!("no answer within {} s", ANSWER_MAX.as_secs())))?;
        let answer = answer.map_err(|error| match error.code.is_empty() {
            true => unanswered(error.message),
            false => Failure::Refused { method, error },
        })?;
        DynamicMessage::decode(operation.output.clone(), answer)
            .map_err(|error| unanswered(error.to_string()))
    }

    async fn answer(
        self,
        operation: &Operation,
        request: &DynamicMessage,
    ) -> Result<bytes::Bytes, CallError> {
        let client = Client::connect_trusting(&self.endpoint, self.authority).await?;
        let client = client.signed(self.credentials).in_region(&self.region);
        client
            .call_bytes(operation.spec.prefix, operation.spec.grpc_path, request.encode_to_vec().into())
            .await
    }
}

/// The endpoint as a URL. A server says where it is ready as `host:port`, which means plain text.
fn with_scheme(endpoint: Option<String>) -> String {
    let endpoint = endpoint.unwrap_or_else(|| ENDPOINT_DEFAULT.to_owned());
    if endpoint.contains("://") { endpoint } else { format!("http://{endpoint}") }
}
