//! A connection whose small frames leave together. To a socket that takes vectored writes, HTTP/2 hands every body of
//! 256 bytes by itself, so an answer (headers, a short body, trailers) is two system calls and two packets, and answers
//! that are ready at the same time are as many more. To one that does not it hands everything below a kilobyte a body in
//! one piece. Answers are short: copying them costs a tenth of what a system call does.
//!
//! And of calls that run at the same time the first to end would have its answer sent before the others are looked at:
//! the runtime runs the connection next that an answer was just given to. So a connection with little to send waits until
//! the tasks have run that are ready to, and takes along what they answer. Where none is ready that costs next to nothing.

use std::io::Result;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker, ready};

use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Who has more than this to send, a few packets, does not wait.
const SMALL: usize = 4096;

/// The stream, but for vectored writes, and with a pause before small ones.
pub(super) struct Gathering<S> {
    stream: S,
    pause: Arc<Pause>,
    /// The pause before the next write was begun.
    begun: bool,
}

/// Until the tasks have run that were ready.
#[derive(Default)]
struct Pause {
    over: AtomicBool,
    /// The connection's task: others than the end of the pause wake it too.
    connection: AtomicWaker,
}

impl Wake for Pause {
    fn wake(self: Arc<Self>) {
        self.over.store(true, Ordering::Release);
        self.connection.wake();
    }
}

impl<S> Gathering<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, pause: Arc::default(), begun: false }
    }

    fn poll_pause(&mut self, context: &Context<'_>) -> Poll<()> {
        self.pause.connection.register(context.waker());
        if !self.begun {
            self.begun = true;
            self.pause.over.store(false, Ordering::Relaxed);
            let waker = Waker::from(Arc::clone(&self.pause));
            // Polled once, it has the waker woken when the tasks have run that are ready.
            return pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(&waker));
        }
        if self.pause.over.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathering<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        if bytes.len() < SMALL {
            ready!(self.poll_pause(context));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        self.begun = false;
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::AtomicUsize;

    use bytes::Bytes;
    use http::Request;
    use http_body_util::{BodyExt as _, Empty};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::sync::Barrier;

    use super::*;
    use crate::transport::grpc;

    /// A stream that takes vectored writes, and counts the writes.
    struct Counted<S>(S, Arc<AtomicUsize>);

    impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<Result<()>> {
            Pin::new(&mut self.0).poll_read(context, buffer)
        }
    }

    impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<Result<usize>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            Pin::new(&mut self.0).poll_write(context, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
            Pin::new(&mut self.0).poll_flush(context)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(context)
        }

        fn is_write_vectored(&self) -> bool {
            true
        }
    }

    /// What `calls` at the same time, all answered at the same time, take to be written: the least of some rounds, since
    /// the two sides of the connection run beside each other.
    async fn writes_of(calls: usize) -> usize {
        let (here, there) = tokio::io::duplex(64 * 1024);
        let writes = Arc::new(AtomicUsize::new(0));
        let stream = TokioIo::new(Gathering::new(Counted(there, Arc::clone(&writes))));
        let together = Arc::new(Barrier::new(calls));
        let answer = hyper::service::service_fn(move |_| {
            let together = Arc::clone(&together);
            async move {
                together.wait().await;
                Ok::<_, Infallible>(grpc::response(&[7; 700]))
            }
        });
        tokio::spawn(
            hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(stream, answer),
        );
        let (client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(here)).await.unwrap();
        tokio::spawn(connection);
        let mut least = usize::MAX;
        for _ in 0..8 {
            let before = writes.load(Ordering::Relaxed);
            let calls = (0..calls).map(async |_| {
                let request = Request::post("http://x/").body(Empty::<Bytes>::new()).unwrap();
                let body = client.clone().send_request(request).await.unwrap().collect().await.unwrap();
                assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
                assert_eq!(body.to_bytes().len(), 705);
            });
            futures::future::join_all(calls).await;
            least = least.min(writes.load(Ordering::Relaxed) - before);
        }
        least
    }

    #[tokio::test]
    async fn an_answer_is_one_write() {
        assert_eq!(writes_of(1).await, 1);
    }

    /// Of the runtimes only this one runs a task that was just woken before those that waited longer.
    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn answers_that_are_ready_at_the_same_time_are_one_write() {
        assert_eq!(writes_of(4).await, 1);
    }
}
