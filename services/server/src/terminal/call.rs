//! Where a call goes, who signs it, and the call itself.

use std::time::Duration;

use bytes::Bytes;
use clap::ArgMatches;
use prost::Message as _;
use prost_reflect::DynamicMessage;
use reeve_chassis::client::{CallError, Client, Credentials, REGION_DEFAULT};
use reeve_proto::{Gate, Spec};

use super::catalogue::Operation;
use super::command::{CA_FILE, ENDPOINT, PROFILE, REGION};
use super::failure::Failure;
use crate::credentials::of_environment;
use crate::profile::{self, Variables};

/// Where a server answers that was started without being told where.
const ENDPOINT_DEFAULT: &str = "127.0.0.1:7443";
/// How long an answer is waited for: twice what a server takes at most unless configured otherwise.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// Where calls go, and the region that they are signed for.
pub(crate) struct Connection {
    pub(crate) endpoint: String,
    authority: Option<Vec<u8>>,
    region: String,
}

impl Connection {
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
        })
    }

    /// The credentials that the command line and the environment choose, in the order of the AWS SDKs: a profile that is named,
    /// the key variables, a web identity token, and the profiles of the environment.
    pub(crate) fn credentials(
        &self,
        matches: &ArgMatches,
        variables: Variables<'_>,
    ) -> Result<Credentials, Failure> {
        let profile = matches.get_one::<String>(PROFILE);
        let has_key = variables("AWS_ACCESS_KEY_ID").is_some_and(|id| !id.is_empty());
        if profile.is_none()
            && !has_key
            && let Some(given) = of_environment(self, variables)?
        {
            return Ok(given);
        }
        profile::find(profile.map(String::as_str), variables).map_err(Failure::Credentials)
    }

    /// Makes a call, signed with `credentials` if there are any, and waits for its answer.
    pub(crate) fn call<O: reeve_proto::Operation>(
        &self,
        credentials: Option<&Credentials>,
        request: &O,
    ) -> Result<O::Response, Failure> {
        let answer = self.call_bytes(credentials, O::SPEC, request.encode_to_vec().into())?;
        O::Response::decode(answer).map_err(|error| self.unanswered(O::SPEC, error.to_string()))
    }

    fn call_bytes(
        &self,
        credentials: Option<&Credentials>,
        spec: &'static Spec,
        message: Bytes,
    ) -> Result<Bytes, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::General(error.to_string()))?;
        let answered = runtime.block_on(async {
            tokio::time::timeout(ANSWER_MAX, self.answer(credentials, spec, message)).await
        });
        let answer = answered
            .map_err(|_| self.unanswered(spec, format!("no answer within {} s", ANSWER_MAX.as_secs())))?;
        answer.map_err(|error| match error.code.is_empty() {
            true => self.unanswered(spec, error.message),
            false => Failure::Refused { method: spec.method, error: Box::new(error) },
        })
    }

    async fn answer(
        &self,
        credentials: Option<&Credentials>,
        spec: &'static Spec,
        message: Bytes,
    ) -> Result<Bytes, CallError> {
        let mut client = Client::connect_trusting(&self.endpoint, self.authority.clone()).await?;
        if let Some(credentials) = credentials {
            client = client.signed(credentials.clone()).in_region(&self.region);
        }
        client.call_bytes(spec.prefix, spec.grpc_path, message).await
    }

    fn unanswered(&self, spec: &'static Spec, reason: String) -> Failure {
        Failure::Unanswered { method: spec.method, endpoint: self.endpoint.clone(), reason }
    }
}

/// A call of whichever operation, but for its message.
pub(crate) struct Call {
    connection: Connection,
    credentials: Option<Credentials>,
}

impl Call {
    pub(crate) fn prepare(
        operation: &Operation,
        matches: &ArgMatches,
        variables: Variables<'_>,
    ) -> Result<Self, Failure> {
        let is_open = operation.spec.gate == Gate::Open;
        let connection = Connection::prepare(matches, variables)?;
        let credentials = if is_open { None } else { Some(connection.credentials(matches, variables)?) };
        Ok(Self { connection, credentials })
    }

    /// Makes the call and waits for its answer.
    pub(crate) fn make(
        self,
        operation: &Operation,
        request: &DynamicMessage,
    ) -> Result<DynamicMessage, Failure> {
        let Self { connection, credentials } = self;
        let message = request.encode_to_vec().into();
        let answer = connection.call_bytes(credentials.as_ref(), operation.spec, message)?;
        DynamicMessage::decode(operation.output.clone(), answer)
            .map_err(|error| connection.unanswered(operation.spec, error.to_string()))
    }
}

/// The endpoint as a URL. A server says where it is ready as `host:port`, which means plain text.
fn with_scheme(endpoint: Option<String>) -> String {
    let endpoint = endpoint.unwrap_or_else(|| ENDPOINT_DEFAULT.to_owned());
    if endpoint.contains("://") { endpoint } else { format!("http://{endpoint}") }
}
