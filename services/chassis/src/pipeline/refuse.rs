//! Requests that do not become calls, because their message does not come, is none, or is nobody's: named and audited all the
//! same. One event a request, as for every call: refusing fills the log no faster than calling does.

use std::sync::Arc;

use http::HeaderMap;
use reeve_directory::Error;
use reeve_proto::Spec;
use reeve_storage::Transaction;

use super::{Incoming, Outcome, Pipeline};
use crate::audit::Event;
use crate::authenticate::{Presented, Proof};
use crate::random::request_id;
use crate::signature::Authorization;
use crate::{authenticate, bearer, session};

/// What is known of such a request.
pub(crate) struct Refused<'a> {
    /// What it would have called: an operation's action, a path that is none's, or nothing.
    pub(crate) action: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) source_ip: &'a str,
}

impl<'a> Refused<'a> {
    /// A call of the operation whose message did not come.
    pub(crate) fn of(spec: &'static Spec, incoming: &'a Incoming) -> Self {
        Self { action: spec.action, headers: &incoming.headers, source_ip: &incoming.source_ip }
    }
}

impl Outcome {
    /// The error of a request that was refused, and its id.
    pub(crate) fn into_refusal(self) -> (Error, String) {
        let error =
            self.result.err().unwrap_or_else(|| Error::internal_failure("a refusal without an error"));
        (error, self.request_id)
    }
}

impl Pipeline {
    /// Names and audits a request that `error` keeps from becoming a call.
    pub(crate) async fn refuse(&self, refused: &Refused<'_>, error: Error) -> Outcome {
        let now = self.environment.clock.now();
        let request_id = request_id(now).to_string();
        let authorization = Authorization::find(refused.headers, "").ok();
        let event = Event {
            time_milliseconds: now.milliseconds,
            request_id: &request_id,
            action: refused.action,
            access_key_id: authorization.as_ref().map_or("", Authorization::access_key_id),
            source_ip: refused.source_ip,
            error_code: error.reason.answer().code,
            ..Event::default()
        };
        let audited = self.environment.audit.append(&event).await;
        Outcome { result: Err(audited.err().unwrap_or(error)), request_id, revision: None }
    }

    /// Whether the message of a call is worth waiting for: its headers alone show who makes it.
    ///
    /// # Errors
    /// As those of authentication.
    pub(crate) async fn admit(&self, spec: &'static Spec, incoming: &Incoming) -> Result<(), Error> {
        let environment = &*self.environment;
        let mut transaction = Transaction::begin(Arc::clone(&environment.engine));
        let proof = &Proof::presented(spec, incoming)?;
        let now = environment.clock.now().seconds();
        let presented = Presented { proof, incoming, spec, now };
        admitted(authenticate::authenticate(environment, &mut transaction, &presented).await.map(drop))
    }

    /// The same where the message itself names the operation: nothing is known then but whose credentials are shown.
    ///
    /// # Errors
    /// As those of authentication.
    pub(crate) async fn admit_unnamed(&self, headers: &HeaderMap, query: &str) -> Result<(), Error> {
        let environment = &*self.environment;
        let mut transaction = Transaction::begin(Arc::clone(&environment.engine));
        if let Some(token) = bearer::presented(headers)? {
            let now = environment.clock.now().seconds();
            let found = bearer::identify(environment, &mut transaction, token, bearer::AUDIENCE_REEVE, now);
            return admitted(found.await.map(drop));
        }
        let authorization = Authorization::find(headers, query)?;
        let id = authorization.access_key_id();
        if let Some(token) = authorization.security_token(headers) {
            let session = session::open(environment, token)?;
            return if session.access_key_id == id { Ok(()) } else { Err(session::invalid()) };
        }
        let found = environment.keys.find(environment, &mut transaction, id).await;
        admitted(found.and_then(|key| key.map(drop).ok_or_else(session::invalid)))
    }
}

/// Where what was read has changed meanwhile, the call itself finds out.
fn admitted(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(error) if error.is_conflict() => Ok(()),
        result => result,
    }
}
