//! The load: a number of calls in flight over a number of connections, each followed by the next. One client for all
//! servers, Reeve's own: it signs every call afresh, whether anybody looks at the signature or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message as _;
use reeve_chassis::client::{Client, Credentials};
use reeve_proto::Operation;
use reeve_proto::iam::v1::{CreateUserRequest, Tag};

use crate::caller::{Caller, QueryCaller};
use crate::process::{Server, processor_time};
use crate::{Outcome, echo};

/// Load before it is measured: windows open, and caches fill.
pub(crate) const WARM: Duration = Duration::from_millis(200);

/// What is called, and how.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    prefix: &'static str,
    path: &'static str,
    message: Message,
    connections: Vec<Caller>,
}

#[derive(Clone)]
enum Message {
    /// The same each time.
    Same(Bytes),
    /// One after the other, and from the start again.
    InTurn(Arc<[Bytes]>, Arc<AtomicUsize>),
    /// The creation of one more user.
    NextUser(Arc<AtomicU64>),
}

/// What one measurement found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) calls_per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// The server's processor time for a call.
    pub(crate) processor: Duration,
    /// The client's.
    pub(crate) client_processor: Duration,
    pub(crate) resident_bytes: u64,
}

/// How many calls at a time, over how many connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) in_flight: usize,
    pub(crate) connections: usize,
}

/// Connects to a server, `count` times.
pub(crate) async fn connect_unsigned(endpoint: &str, count: usize) -> Outcome<Vec<Client>> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        connections.push(Client::connect(endpoint).await?);
    }
    Ok(connections)
}

/// Connects to a server, `count` times, and signs with `credentials`.
pub(crate) async fn connect(
    server: &Server,
    credentials: &Credentials,
    count: usize,
) -> Outcome<Vec<Client>> {
    let connections = connect_unsigned(&server.endpoint(), count).await?;
    Ok(connections.iter().map(|connection| connection.signed(credentials.clone())).collect())
}

/// Keeps the thread until `due`: a runtime's timers are too coarse to send a load evenly.
pub(crate) fn wait_until(due: Instant) {
    while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}

impl Target {
    /// An operation of Reeve's, asked for in the same words each time.
    pub(crate) fn operation<O: Operation>(
        name: &'static str,
        operation: &O,
        connections: Vec<Client>,
    ) -> Self {
        let message = Message::Same(operation.encode_to_vec().into());
        Self {
            name,
            prefix: O::SPEC.prefix,
            path: O::SPEC.grpc_path,
            message,
            connections: grpc(connections),
        }
    }

    /// A form of AWS's Query protocol, sent in the same words each time, each caller over a connection of its own.
    pub(crate) fn query(
        name: &'static str,
        prefix: &'static str,
        form: String,
        server: &Server,
        credentials: &Credentials,
    ) -> Self {
        let caller = QueryCaller::new(server.address().to_string(), Some(credentials.clone()));
        let connections = vec![Caller::Query(caller)];
        Self { name, prefix, path: "/", message: Message::Same(form.into()), connections }
    }

    /// An operation of Reeve's, asked for in several ways in turn.
    pub(crate) fn operations<O: Operation>(
        name: &'static str,
        operations: &[O],
        connections: Vec<Client>,
    ) -> Self {
        let messages = operations.iter().map(|operation| operation.encode_to_vec().into()).collect();
        let message = Message::InTurn(messages, Arc::default());
        let connections = grpc(connections);
        Self { name, prefix: O::SPEC.prefix, path: O::SPEC.grpc_path, message, connections }
    }

    /// An echo of the same lengths as the calls of `model`, signed as they are.
    pub(crate) async fn echo(name: &'static str, model: &Self, connections: Vec<Client>) -> Outcome<Self> {
        let (asked, answered) = model.lengths().await?;
        let message = Message::Same(echo::request(asked, answered)?);
        Ok(Self { name, prefix: model.prefix, path: echo::PATH, message, connections: grpc(connections) })
    }

    /// The creation of users whose names nobody has.
    pub(crate) fn create_user(name: &'static str, connections: Vec<Client>) -> Self {
        let spec = CreateUserRequest::SPEC;
        let message = Message::NextUser(Arc::default());
        Self { name, prefix: spec.prefix, path: spec.grpc_path, message, connections: grpc(connections) }
    }

    /// Bytes of the request and of its answer.
    pub(crate) async fn lengths(&self) -> Outcome<(usize, usize)> {
        let mut caller = self.connections.first().ok_or("no connection")?.clone();
        let asked = self.message.next();
        Ok((asked.len(), caller.call(self.prefix, self.path, asked).await?.len()))
    }

    /// Calls until `window` has passed, and tells of those that were answered in that time.
    pub(crate) async fn measure(&self, server: &Server, shape: Shape, window: Duration) -> Outcome<Sample> {
        let begin = Instant::now() + WARM;
        let end = begin + window;
        let mut callers = Vec::with_capacity(shape.in_flight);
        for caller in 0..shape.in_flight {
            let connection = self.connection(caller % shape.connections)?;
            callers.push(tokio::spawn(self.clone().call_until(connection, begin, end)));
        }
        tokio::time::sleep_until(begin.into()).await;
        let (server_before, client_before) = (server.processor_time()?, processor_time("self")?);
        let from = Instant::now();
        tokio::time::sleep_until(end.into()).await;
        let processor = server.processor_time()?.saturating_sub(server_before);
        let client_processor = processor_time("self")?.saturating_sub(client_before);
        let elapsed = from.elapsed();
        let mut latencies = Vec::new();
        for caller in callers {
            latencies.extend(caller.await??);
        }
        let calls_per_second = latencies.len() as f64 / window.as_secs_f64();
        if latencies.is_empty() {
            return Err(format!("{} answered nothing in {window:?}", self.name).into());
        }
        let calls_in_elapsed = calls_per_second * elapsed.as_secs_f64();
        latencies.sort_unstable();
        Ok(Sample {
            calls_per_second,
            p50: percentile(&latencies, 50),
            p99: percentile(&latencies, 99),
            processor: processor.div_f64(calls_in_elapsed),
            client_processor: client_processor.div_f64(calls_in_elapsed),
            resident_bytes: server.resident_bytes()?,
        })
    }

    /// Calls `rate` times a second, evenly, whatever becomes of the calls before, until `window` has passed. A latency counts
    /// from when its call was due, so that a server that holds calls up is not asked less for it.
    pub(crate) async fn measure_at(
        &self,
        rate: f64,
        connections: usize,
        window: Duration,
    ) -> Outcome<Sample> {
        let callers: Vec<_> = (0..connections).map(|place| self.connection(place)).collect::<Outcome<_>>()?;
        let (target, runtime) = (self.clone(), tokio::runtime::Handle::current());
        let asked = tokio::task::spawn_blocking(move || {
            let (gap, first) = (Duration::from_secs_f64(1.0 / rate), Instant::now());
            let mut calls = Vec::new();
            for (number, caller) in (0_u32..).zip(callers.iter().cycle()) {
                let due = first + gap * number;
                if due >= first + WARM + window {
                    break;
                }
                wait_until(due);
                let call = runtime.spawn(target.clone().call_due(caller.clone(), due));
                if due >= first + WARM {
                    calls.push(call);
                }
            }
            calls
        });
        let mut latencies = Vec::new();
        for call in asked.await? {
            latencies.push(call.await??);
        }
        latencies.sort_unstable();
        Ok(Sample {
            calls_per_second: latencies.len() as f64 / window.as_secs_f64(),
            p50: percentile(&latencies, 50),
            p99: percentile(&latencies, 99),
            ..Sample::default()
        })
    }

    async fn call_due(self, mut caller: Caller, due: Instant) -> Outcome<Duration> {
        let answer = caller.call(self.prefix, self.path, self.message.next()).await;
        answer.map_err(|error| format!("{}: {error}", self.name))?;
        Ok(due.elapsed())
    }

    /// Calls a number of times, as fast as `shape` lets it.
    pub(crate) async fn call_times(&self, shape: Shape, times: usize) -> Outcome {
        let mut callers = Vec::with_capacity(shape.in_flight);
        for caller in 0..shape.in_flight {
            let mut connection = self.connection(caller % shape.connections)?;
            let target = self.clone();
            let own = (caller..times).step_by(shape.in_flight).count();
            callers.push(tokio::spawn(async move {
                for _ in 0..own {
                    connection.call(target.prefix, target.path, target.message.next()).await?;
                }
                Outcome::Ok(())
            }));
        }
        for caller in callers {
            caller.await??;
        }
        Ok(())
    }

    /// The one at `place`; of a target with one alone, each gets its own like it.
    fn connection(&self, place: usize) -> Outcome<Caller> {
        let found = self.connections.get(place % self.connections.len().max(1));
        Ok(found.ok_or("no connection")?.clone())
    }

    async fn call_until(self, mut caller: Caller, begin: Instant, end: Instant) -> Outcome<Vec<Duration>> {
        let mut latencies = Vec::with_capacity(1024);
        let mut asked = Instant::now();
        while asked < end {
            let answer = caller.call(self.prefix, self.path, self.message.next()).await;
            answer.map_err(|error| format!("{}: {error}", self.name))?;
            let answered = Instant::now();
            if answered >= begin && answered < end {
                latencies.push(answered - asked);
            }
            asked = answered;
        }
        Ok(latencies)
    }
}

impl Message {
    fn next(&self) -> Bytes {
        match self {
            Self::Same(message) => message.clone(),
            Self::InTurn(messages, turn) => {
                let at = turn.fetch_add(1, Ordering::Relaxed) % messages.len().max(1);
                messages.get(at).cloned().unwrap_or_default()
            }
            Self::NextUser(number) => user(number.fetch_add(1, Ordering::Relaxed)).encode_to_vec().into(),
        }
    }
}

fn grpc(connections: Vec<Client>) -> Vec<Caller> {
    connections.into_iter().map(Caller::Grpc).collect()
}

/// The user of a number: what a user of a company looks like, and its place in the order of names drawn at random, as
/// people's names are.
pub(crate) fn user(number: u64) -> CreateUserRequest {
    let drawn = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    CreateUserRequest {
        user_name: format!("user-{drawn:08x}-{number}"),
        path: Some("/staff/".to_owned()),
        tags: vec![Tag { key: "team".to_owned(), value: "payments".to_owned() }],
        permissions_boundary: None,
    }
}

/// Of sorted values.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}
