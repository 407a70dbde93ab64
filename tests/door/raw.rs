//! HTTP/1.1 byte by byte, as no client would send it: what hides behind what, and what does not end.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::transport::wire::PATIENCE;
use crate::world::World;

/// Writes `sent` to the server, and reads until it closes or says nothing for a while.
async fn speak(world: &World, sent: &[u8]) -> String {
    let mut socket = TcpStream::connect(world.endpoint().trim_start_matches("http://")).await.unwrap();
    socket.write_all(sent).await.unwrap();
    let mut heard = Vec::new();
    let reading = socket.read_to_end(&mut heard);
    let _ = tokio::time::timeout(PATIENCE, reading).await;
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test]
async fn a_second_request_cannot_be_smuggled_behind_a_first() {
    let world = World::start().await;
    let hidden = "GET /?Action=Hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    let form = "Content-Type: application/x-www-form-urlencoded";
    for head in [
        format!(
            "POST / HTTP/1.1\r\nHost: x\r\n{form}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        format!(
            "POST / HTTP/1.1\r\nHost: x\r\n{form}\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
        ),
        format!(
            "POST / HTTP/1.1\r\nHost: x\r\n{form}\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"
        ),
        format!("POST / HTTP/1.1\r\nHost: x\r\n{form}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nHost: x\r\n{form}\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nHost: x\r\n{form}\r\nContent-Length: +5\r\n\r\n"),
        format!("POST / HTTP/1.0\r\nHost: x\r\n{form}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nHost: x\r\n{form}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nHost: x\r\n{form}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n{form}\r\nContent-Length: 0\r\n\r\n"),
    ] {
        let heard = speak(&world, format!("{head}{hidden}").as_bytes()).await;
        assert!(!heard.contains("Hidden"), "{head}: {heard}");
        assert!(heard.starts_with("HTTP/1.1 400") || heard.starts_with("HTTP/1.0 400"), "{head}: {heard}");
    }
}

#[tokio::test]
async fn what_is_too_large_or_too_slow_ends() {
    let world = World::configured(|config| {
        config.limits.message_bytes_max = 64 * 1024;
        config.limits.deadline_seconds_max = 1;
    })
    .await;
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let heard = speak(&world, format!("{head}Content-Length: 100000000\r\n\r\na=b").as_bytes()).await;
    assert!(heard.starts_with("HTTP/1.1 413") && heard.contains("RequestEntityTooLarge"), "{heard}");
    let chunk = format!("{head}Transfer-Encoding: chunked\r\n\r\n11000\r\n{}", "a".repeat(0x11000));
    let heard = speak(&world, chunk.as_bytes()).await;
    assert!(heard.starts_with("HTTP/1.1 403"), "nobody's body is read so far: {heard}");
    let heard = speak(&world, format!("{head}Content-Length: 10\r\n\r\na=b").as_bytes()).await;
    assert!(heard.starts_with("HTTP/1.1 408") && heard.contains("RequestTimeout"), "{heard}");
    let noise = "x".repeat(100_000);
    let heard =
        speak(&world, format!("GET / HTTP/1.1\r\nHost: x\r\nX-Noise: {noise}\r\n\r\n").as_bytes()).await;
    assert!(heard.starts_with("HTTP/1.1 431"), "{heard}");
    let heard = speak(&world, format!("GET /?{noise} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await;
    assert!(heard.starts_with("HTTP/1.1 414") || heard.starts_with("HTTP/1.1 431"), "{heard}");
    let many: String = (0..500).map(|at| format!("X-{at}: 1\r\n")).collect();
    let heard = speak(&world, format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n").as_bytes()).await;
    assert!(heard.starts_with("HTTP/1.1 431"), "{heard}");
}

#[tokio::test]
async fn the_connection_goes_on_after_a_refusal() {
    let world = World::start().await;
    let one = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n\r\nAction=a";
    let last = "GET /?Action=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answered = speak(&world, format!("{one}{one}{last}").as_bytes()).await;
    assert_eq!(answered.matches("InvalidAction").count(), 3, "{answered}");
}

#[tokio::test]
async fn half_a_head_keeps_no_connection() {
    let world = World::configured(|config| config.limits.idle_seconds_max = 1).await;
    let answered = "GET /?Action=b HTTP/1.1\r\nHost: x\r\n\r\n";
    for before in ["", answered] {
        let mut socket = TcpStream::connect(world.endpoint().trim_start_matches("http://")).await.unwrap();
        socket.write_all(format!("{before}GET / HTTP/1.1\r\nHost:").as_bytes()).await.unwrap();
        let mut heard = Vec::new();
        let read = tokio::time::timeout(PATIENCE, socket.read_to_end(&mut heard)).await;
        assert!(read.is_ok(), "the server lets go");
        assert_eq!(
            heard.starts_with(b"HTTP/1.1 400"),
            !before.is_empty(),
            "{}",
            String::from_utf8_lossy(&heard)
        );
    }
}
