//! One event a call, in a batched, bounded file with rotation. A write's event is committed with the write as well, so that
//! no crash parts the two. When the file cannot keep up calls wait, and then fail: no event is dropped in silence.

mod asked;
mod retention;
mod sink;

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use reeve_directory::Error;
use tokio::sync::Notify;

pub use asked::Asked;
use sink::Sink;

/// Most bytes of events that wait to be written.
pub const BUFFER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// As much again is there for calls that cannot wait for room.
const LATE_BYTES_MAX: usize = 2 * BUFFER_BYTES_MAX;
/// How long a call waits for room.
pub const WAIT_MAX: Duration = Duration::from_secs(1);
/// An event waits at most this long to be written together with others.
const GATHER: Duration = Duration::from_millis(20);

/// How long events are kept, and in how large files.
#[derive(Clone, Debug)]
pub struct Retention {
    /// The file is rotated when it has grown past this.
    pub file_bytes_max: u64,
    /// How many rotated files are kept beside it.
    pub files_kept_max: u32,
    /// How many days the store keeps the events of writes; for ever when 0.
    pub store_days_max: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { file_bytes_max: 256 * 1024 * 1024, files_kept_max: 8, store_days_max: 90 }
    }
}

/// What is known of a call when it ends. Nothing secret has a field here.
#[derive(Debug, Default)]
pub struct Event<'a> {
    /// Milliseconds since 1970-01-01 UTC.
    pub time_milliseconds: i64,
    /// Names the call, in its answer too.
    pub request_id: &'a str,
    /// `iam:CreateUser`.
    pub action: &'a str,
    /// The caller's ARN; empty when it was not authenticated.
    pub principal: &'a str,
    /// The key that signed, authenticated or not.
    pub access_key_id: &'a str,
    /// The ARN acted on.
    pub resource: &'a str,
    /// Where the call came from.
    pub source_ip: &'a str,
    /// `allowed`, `explicitDeny`, `implicitDeny`; empty when no decision was needed.
    pub decision: &'a str,
    /// The layer that decided.
    pub layer: &'a str,
    /// AWS's error code; empty for success.
    pub error_code: &'a str,
    /// The revision that the answer rests on, 0 for none.
    pub revision: u64,
    /// What a relying service asked and was told: see [`Asked::encode`].
    pub asked: &'a [u8],
}

impl Event<'_> {
    /// Appends the event as one line of JSON. Written by hand: it is done for every call.
    pub fn encode(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(b"{\"time\":");
        push_number(line, self.time_milliseconds.unsigned_abs());
        for (name, value) in [
            ("request_id", self.request_id),
            ("action", self.action),
            ("principal", self.principal),
            ("access_key_id", self.access_key_id),
            ("resource", self.resource),
            ("source_ip", self.source_ip),
            ("decision", self.decision),
            ("layer", self.layer),
            ("error", self.error_code),
        ] {
            if !value.is_empty() {
                line.push(b',');
                push_member(line, name, value);
            }
        }
        if !self.asked.is_empty() {
            line.extend_from_slice(b",\"asked\":[");
            line.extend_from_slice(self.asked);
            line.push(b']');
        }
        if self.revision > 0 {
            line.extend_from_slice(b",\"revision\":");
            push_number(line, self.revision);
        }
        line.extend_from_slice(b"}\n");
    }
}

/// Where events go that no commit carries.
#[derive(Clone)]
pub struct AuditLog {
    shared: Option<Arc<Shared>>,
}

struct Shared {
    buffer: Mutex<Buffer>,
    /// Wakes the writer.
    filled: Condvar,
    /// Wakes calls that wait for room.
    drained: Notify,
}

#[derive(Default)]
struct Buffer {
    lines: Vec<u8>,
    closed: bool,
    /// The writer has written everything and is gone.
    finished: bool,
}

impl AuditLog {
    /// A log that keeps nothing, for programs that embed the pipeline and audit by other means.
    pub fn none() -> Self {
        Self { shared: None }
    }

    /// Opens the file at `path`, mode 0600, and starts its writer.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(path: &Path, retention: &Retention) -> std::io::Result<Self> {
        let mut sink = Sink::open(path, retention)?;
        let shared = Arc::new(Shared {
            buffer: Mutex::new(Buffer::default()),
            filled: Condvar::new(),
            drained: Notify::new(),
        });
        let writer = Arc::clone(&shared);
        std::thread::Builder::new().name("audit".to_owned()).spawn(move || writer.write_to(&mut sink))?;
        Ok(Self { shared: Some(shared) })
    }

    /// Takes an event, waiting for room if there is none.
    ///
    /// # Errors
    /// `ServiceUnavailable` when there is no room in time.
    pub async fn append(&self, event: &Event<'_>) -> Result<(), Error> {
        let Some(shared) = &self.shared else { return Ok(()) };
        if shared.try_append(event, BUFFER_BYTES_MAX) {
            return Ok(());
        }
        let room = async {
            loop {
                let drained = shared.drained.notified();
                if shared.try_append(event, BUFFER_BYTES_MAX) {
                    return;
                }
                drained.await;
            }
        };
        // Boxed: hardly any call waits, and all would carry it.
        Box::pin(tokio::time::timeout(WAIT_MAX, room))
            .await
            .map_err(|_| Error::service_unavailable("The audit log does not keep up."))
    }

    /// Takes the event of a call that nobody waits for any more, and that cannot wait itself: even when there is no room,
    /// within bounds.
    pub(crate) fn append_late(&self, event: &Event<'_>) {
        if let Some(shared) = &self.shared
            && !shared.try_append(event, LATE_BYTES_MAX)
        {
            let request_id = event.request_id;
            tracing::error!(request_id, action = event.action, "the event of a cancelled call was lost");
        }
    }

    /// Writes what is left and ends the writer. Blocks until that is done.
    pub fn close(&self) {
        let Some(shared) = &self.shared else { return };
        let mut buffer = shared.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.closed = true;
        shared.filled.notify_all();
        while !buffer.finished {
            let waited = shared.filled.wait_timeout(buffer, WAIT_MAX);
            let (again, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            buffer = again;
            if timeout.timed_out() {
                tracing::error!("the audit log could not be written to its end");
                return;
            }
        }
    }
}

impl Shared {
    fn try_append(&self, event: &Event<'_>, bytes_max: usize) -> bool {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.closed || buffer.lines.len() >= bytes_max {
            return false;
        }
        let was_empty = buffer.lines.is_empty();
        event.encode(&mut buffer.lines);
        if was_empty {
            self.filled.notify_one();
        }
        true
    }

    fn write_to(&self, sink: &mut Sink) {
        let mut lines = Vec::new();
        loop {
            let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
            while buffer.lines.is_empty() && !buffer.closed {
                buffer = self.filled.wait(buffer).unwrap_or_else(PoisonError::into_inner);
            }
            if !buffer.closed {
                // Many events are worth one write; a reader of the file waits this much longer for them.
                let gathered = self.filled.wait_timeout_while(buffer, GATHER, |buffer| !buffer.closed);
                buffer = gathered.unwrap_or_else(PoisonError::into_inner).0;
            }
            std::mem::swap(&mut lines, &mut buffer.lines);
            let closed = buffer.closed;
            drop(buffer);
            self.drained.notify_waiters();
            let written = sink.write(&lines, || self.is_closed());
            lines.clear();
            if closed || !written {
                let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
                buffer.finished = true;
                self.filled.notify_all();
                return;
            }
        }
    }

    fn is_closed(&self) -> bool {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner).closed
    }
}

fn push_member(line: &mut Vec<u8>, name: &str, value: &str) {
    line.push(b'"');
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b"\":\"");
    push_escaped(line, value);
    line.push(b'"');
}

fn push_number(line: &mut Vec<u8>, number: u64) {
    let mut digits = [0_u8; 20];
    let mut rest = number;
    let mut length = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    line.extend(digits.iter().skip(digits.len() - length));
}

fn push_escaped(line: &mut Vec<u8>, text: &str) {
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1F);
    let mut rest = text.as_bytes();
    // Hardly any text holds one: a pass that the compiler vectorises spares the others the next.
    if !rest.iter().fold(false, |found, byte| found | is_special(byte)) {
        return line.extend_from_slice(rest);
    }
    while let Some(at) = rest.iter().position(is_special) {
        let Some((plain, [byte, after @ ..])) = rest.split_at_checked(at) else { break };
        line.extend_from_slice(plain);
        match byte {
            0..=0x1F => line.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => line.extend_from_slice(&[b'\\', *byte]),
        }
        rest = after;
    }
    line.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event<'a>() -> Event<'a> {
        Event {
            time_milliseconds: 1_700_000_000_123,
            request_id: "r",
            action: "iam:GetUser",
            ..Event::default()
        }
    }

    #[test]
    fn an_event_is_one_line_of_json_whatever_is_in_it() {
        let mut line = Vec::new();
        let hostile = "a\"b\\c\n\u{1}\u{7f}é\u{2028}{}";
        Event { resource: hostile, revision: 42, error_code: "AccessDenied", ..event() }.encode(&mut line);
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let json: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(json["resource"], hostile);
        assert_eq!(json["time"], 1_700_000_000_123_u64);
        assert_eq!(json["revision"], 42);
        assert_eq!(json["error"], "AccessDenied");
        assert!(json.get("principal").is_none());
    }

    #[tokio::test]
    async fn what_was_taken_is_written_before_the_log_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.log");
        let log = AuditLog::open(&path, &Retention::default()).unwrap();
        for _ in 0..1000 {
            log.append(&event()).await.unwrap();
        }
        log.close();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 1000);
        assert!(log.append(&event()).await.is_err(), "a closed log takes nothing more");
    }

    #[test]
    fn numbers() {
        for number in [0, 7, 10, 1_234_567_890, u64::MAX] {
            let mut line = Vec::new();
            push_number(&mut line, number);
            assert_eq!(line, number.to_string().into_bytes());
        }
    }
}
