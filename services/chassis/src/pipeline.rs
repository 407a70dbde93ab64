//! What every call goes through, whatever its operation and its protocol: read the clock once, begin a transaction,
//! authenticate, check the members, authorize, handle, audit, commit, and again from the start when what was read has
//! changed. Written once, and not generic.

mod refuse;
mod secrets;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderValue, Method};
use reeve_directory::record::AuditRecord;
use reeve_directory::{Error, tables};
use reeve_proto::Gate;
use reeve_storage::{Revision, Transaction};
use tokio::time::Instant;

pub(crate) use refuse::Refused;

use crate::audit::Event;
use crate::authenticate::{Presented, Proof};
use crate::authorize::Authorized;
use crate::call::Call;
use crate::clock::{self, Moment};
use crate::environment::Environment;
use crate::password::{Done, Passwords};
use crate::random::{SystemRandom, request_id};
use crate::route::{Request, Route};
use crate::{authenticate, authorize, consistency, members, second_factor};

/// What the audit log says of a call whose client went away before it was answered: no code of AWS's, because nobody is
/// told.
const CANCELED: &str = "RequestCanceled";
/// How often a call is run before it is given up: what it reads keeps changing.
const ATTEMPTS_MAX: u32 = 20;
/// After so many conflicts a call stands in line with all others that met as many, and runs when they do not: whatever
/// many calls want at once, each of them gets on.
const ATTEMPTS_AT_WILL: u32 = 6;
/// The longest pause between two runs.
const PAUSE_MAX: Duration = Duration::from_millis(32);

/// A call as it came in, whatever the protocol.
pub struct Incoming {
    /// The HTTP method.
    pub method: Method,
    /// The path and the query, as they were sent.
    pub target: PathAndQuery,
    /// The request's headers, or metadata.
    pub headers: HeaderMap,
    /// The host the client called, as it named it.
    pub authority: Option<Authority>,
    /// What a signature covers: the body, or the gRPC message, uncompressed and without its prefix.
    pub payload: Bytes,
    /// The payload is on its way: what is stated of it counts until it is here.
    pub awaited: bool,
    /// How the operation's message lies in all this.
    pub encoding: Box<dyn Encoding>,
    /// Where it came from.
    pub source_ip: Arc<str>,
    /// It came over TLS.
    pub secure: bool,
    /// When it must be answered.
    pub deadline: Instant,
}

/// How a protocol writes the messages of operations. It is asked only when the caller is known: who is not learns
/// nothing of what was wrong with a message.
pub trait Encoding: Send + Sync {
    /// The operation's request message in protobuf's binary form.
    ///
    /// # Errors
    /// It is not one, or not of this operation.
    fn message(&self, incoming: &Incoming) -> Result<Bytes, Error>;

    /// Whether the payload lies in a frame of the protocol's: its hash is then stated by who signs, because nothing on the
    /// way that knows only HTTP could tell it.
    fn is_framed(&self) -> bool {
        false
    }
}

/// The payload is the message, in a frame of gRPC's.
pub(crate) struct Framed;

impl Encoding for Framed {
    fn message(&self, incoming: &Incoming) -> Result<Bytes, Error> {
        Ok(incoming.payload.clone())
    }

    fn is_framed(&self) -> bool {
        true
    }
}

/// What goes back, whatever the protocol.
pub struct Outcome {
    /// The encoded response, or why there is none.
    pub result: Result<Bytes, Error>,
    /// Names the call in the audit log.
    pub request_id: String,
    /// The `reeve-revision` that the answer rests on: of a refusal too, if it is known who is refused.
    pub revision: Option<HeaderValue>,
}

/// What a call leaves behind for its audit event, however it ends.
#[derive(Default)]
pub(crate) struct Trace {
    pub(crate) principal: String,
    pub(crate) access_key_id: String,
    pub(crate) resource: String,
    pub(crate) decision: &'static str,
    pub(crate) layer: &'static str,
    /// What a relying service asked and was told, as the event has it.
    pub(crate) asked: Vec<u8>,
    /// The event lies in the store, committed with the call's writes.
    committed: bool,
}

/// How a call ended, and the revision that its answer rests on.
struct Ended {
    result: Result<Bytes, Error>,
    revision: Revision,
}

/// The way of a call.
pub struct Pipeline {
    pub(crate) environment: Arc<Environment>,
}

/// One call on its way.
struct Run<'a> {
    environment: &'a Environment,
    route: &'a Route,
    incoming: &'a Incoming,
    now: Moment,
    request_id: uuid::Uuid,
    request_name: &'a str,
    passwords: Done,
}

impl Pipeline {
    /// A pipeline over what the server is made of.
    pub fn new(environment: Arc<Environment>) -> Self {
        Self { environment }
    }

    /// Runs a call to its end, and audits it.
    pub async fn run(&self, route: &Route, incoming: &Incoming) -> Outcome {
        let environment = &*self.environment;
        let now = environment.clock.now();
        let request_id = request_id(now);
        let request_name = request_id.to_string();
        let run = Run {
            environment,
            route,
            incoming,
            now,
            request_id,
            request_name: &request_name,
            passwords: Done::default(),
        };
        let mut audited = Audited { run: &run, trace: Trace::default(), done: false };
        let ended = run.to_deadline(&mut audited.trace).await;
        // How fast revisions follow one another tells of others' work: nothing that strangers are told.
        // Whom a call without credentials says that it comes from is not known yet.
        let is_known = route.spec.gate != Gate::Open
            && !audited.trace.principal.is_empty()
            && ended.revision > Revision::ZERO;
        let revision = (ended.result.is_ok() || is_known).then_some(ended.revision);
        let result = audited.end(ended).await;
        if !run.passwords.was_asked() {
            environment.passwords.note_bystander();
        }
        if let Err(error) = &result
            && let Some(detail) = &error.detail
        {
            tracing::error!(request_id = request_name, action = route.spec.action, detail, "a call failed");
        }
        let revision = revision.and_then(|revision| environment.revision_token(revision));
        Outcome { result, request_id: request_name, revision }
    }
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self { result: Err(error), revision: Revision::ZERO }
    }
}

fn late() -> Error {
    Error::request_timeout("The deadline of the request has passed.")
}

/// A call that has begun has its event, however it ends: also when its client goes away, and its future with it.
struct Audited<'a> {
    run: &'a Run<'a>,
    trace: Trace,
    done: bool,
}

impl Audited<'_> {
    /// Audits the call's end. A call that cannot be audited has failed.
    async fn end(mut self, ended: Ended) -> Result<Bytes, Error> {
        let code = ended.result.as_ref().err().map_or("", |error| error.reason.answer().code);
        let event = self.run.event(&self.trace, code, ended.revision);
        let appended = self.run.environment.audit.append(&event).await;
        self.done = true;
        match appended {
            Err(error) if self.trace.committed => {
                // The write is done, and its event lies in the store with it.
                let request_id = self.run.request_name;
                tracing::error!(request_id, %error, "a write's event is missing in the audit log");
            }
            appended => appended?,
        }
        ended.result
    }
}

impl Drop for Audited<'_> {
    fn drop(&mut self) {
        if !self.done {
            let code = if self.trace.committed { "" } else { CANCELED };
            let event = self.run.event(&self.trace, code, Revision::ZERO);
            self.run.environment.audit.append_late(&event);
        }
    }
}

impl Run<'_> {
    /// Runs the call to its end, or to its deadline. What panics has failed, and brings nothing else down.
    async fn to_deadline(&self, trace: &mut Trace) -> Ended {
        // Boxed: it holds all that a call ever holds, and would be moved with every future around it.
        let mut attempts = Box::pin(self.attempts(trace));
        let ended = clock::by(self.incoming.deadline, attempts.as_mut());
        match AssertUnwindSafe(ended).catch_unwind().await {
            Ok(Ok(ended)) => ended,
            Ok(Err(_)) => late().into(),
            Err(_) => Error::internal_failure(format!("{} panicked", self.route.spec.action)).into(),
        }
    }

    /// Runs the call until what it read holds at its end.
    async fn attempts(&self, trace: &mut Trace) -> Ended {
        let mut request = None;
        let mut _in_line = None;
        for attempt in 0..ATTEMPTS_MAX {
            if attempt == ATTEMPTS_AT_WILL {
                _in_line = Some(self.environment.contended.lock().await);
            }
            // Nothing is begun, and nothing written, for a caller who has given up.
            if Instant::now() >= self.incoming.deadline {
                return late().into();
            }
            *trace = Trace::default();
            match self.attempt(&mut request, trace).await {
                Err(error) if error.is_conflict() => pause(attempt).await,
                Err(error) => return error.into(),
                Ok(ended) => return ended,
            }
        }
        Error::service_unavailable("the call met too many concurrent changes").into()
    }

    async fn attempt(
        &self,
        request: &mut Option<Box<dyn Request>>,
        trace: &mut Trace,
    ) -> Result<Ended, Error> {
        let mut transaction = Transaction::begin(Arc::clone(&self.environment.engine));
        match self.answer(&mut transaction, request, trace).await {
            Ok(message) => {
                let writes = !transaction.is_read_only();
                if writes {
                    let mut line = Vec::with_capacity(512);
                    self.event(trace, "", Revision::ZERO).encode(&mut line);
                    let event = String::from_utf8_lossy(&line).into_owned();
                    let key = self.request_id.into_bytes();
                    tables::AUDIT.put(&mut transaction, &key, &AuditRecord { event }).await?;
                }
                let revision = transaction.finish().await?;
                // Only now: of a commit that the deadline cuts off nobody knows whether it carries the event.
                trace.committed = writes;
                Ok(Ended { result: Ok(message), revision })
            }
            Err(error) if error.is_conflict() => Err(error),
            Err(error) => {
                // A refusal too must rest on what held at one instant.
                let revision = transaction.finish_without_writes().await?;
                Ok(Ended { result: Err(error), revision })
            }
        }
    }

    async fn answer(
        &self,
        transaction: &mut Transaction,
        request: &mut Option<Box<dyn Request>>,
        trace: &mut Trace,
    ) -> Result<Bytes, Error> {
        let spec = self.route.spec;
        let proof = Proof::presented(spec, self.incoming)?;
        proof.access_key_id().clone_into(&mut trace.access_key_id);
        let presented = Presented { proof: &proof, incoming: self.incoming, spec, now: self.now.seconds() };
        let mut caller = authenticate::authenticate(self.environment, transaction, &presented).await?;
        caller.arn().clone_into(&mut trace.principal);
        caller.access_key_id().clone_into(&mut trace.access_key_id);
        consistency::wait(self.environment, &self.incoming.headers).await?;
        authorize::admit(spec, &caller)?;
        let request = match request {
            Some(request) => request,
            None => {
                let decoded = self.route.decode(self.incoming.encoding.message(self.incoming)?)?;
                secrets::refuse_readable(self.environment, self.incoming, decoded.as_fields())?;
                members::check(decoded.as_fields())?;
                request.insert(decoded)
            }
        };
        if spec.second_factor {
            let from = (&*self.incoming.source_ip, self.now.seconds());
            second_factor::show(self.environment, transaction, &mut caller, request.as_fields(), from)
                .await?;
        }
        let surroundings = authorize::Surroundings {
            now: self.now.seconds(),
            source_ip: &self.incoming.source_ip,
            secure: self.incoming.secure,
            user_agent: self
                .incoming
                .headers
                .get(http::header::USER_AGENT)
                .and_then(|value| value.to_str().ok()),
            region: proof.region(),
        };
        let authorized = match spec.gate {
            Gate::Policy => {
                let question = authorize::Question {
                    spec,
                    request: request.as_fields(),
                    caller: &caller,
                    surroundings,
                    is_forced: false,
                };
                authorize::authorize(self.environment, transaction, &question, trace).await?
            }
            Gate::Authenticated | Gate::Open => Authorized::default(),
        };
        let mut call = Call {
            spec,
            now: self.now.seconds(),
            caller,
            transaction,
            random: SystemRandom::new(),
            passwords: Passwords::new(&self.environment.passwords, &self.passwords),
            surroundings,
            authorized,
            environment: self.environment,
            trace,
        };
        self.route.handle(&mut call, request.as_ref()).await
    }

    fn event<'e>(&'e self, trace: &'e Trace, error_code: &'e str, revision: Revision) -> Event<'e> {
        Event {
            time_milliseconds: self.now.milliseconds,
            request_id: self.request_name,
            action: self.route.spec.action,
            principal: &trace.principal,
            access_key_id: &trace.access_key_id,
            resource: &trace.resource,
            source_ip: &self.incoming.source_ip,
            decision: trace.decision,
            layer: trace.layer,
            error_code,
            revision: revision.into(),
            asked: &trace.asked,
        }
    }
}

/// Lets the call that won go on; longer each time, and not the same for two calls.
async fn pause(attempt: u32) {
    let mut drawn = [0; 2];
    reeve_directory::Random::fill(&mut SystemRandom::new(), &mut drawn);
    let most = Duration::from_micros(250).saturating_mul(1 << attempt.min(10)).min(PAUSE_MAX);
    let share = u32::from(u16::from_le_bytes(drawn));
    tokio::time::sleep(most.saturating_mul(share) / u32::from(u16::MAX)).await;
}
