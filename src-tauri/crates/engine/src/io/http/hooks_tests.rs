//! Backends that do what they should, and those that do anything else, on real sockets.

use super::{Backend, Post, hooks::LONGEST_ANSWER, read_url};
use crate::hooks::{Hook, Trouble};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What is patient with a machine that tests.
const LIMIT: Duration = Duration::from_secs(5);
/// For those who are to be given up.
const SHORT: Duration = Duration::from_millis(300);

/// Serves each connection once.
async fn serve<F, S>(serve: S) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
    S: Fn(TcpStream) -> F + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// The request, up to the end of its body.
async fn request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    loop {
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).await.unwrap_or_default();
        text.extend_from_slice(&bytes[..read]);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = so_far.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0_usize) {
                return so_far;
            }
        }
        if read == 0 {
            return so_far;
        }
    }
}

/// One that answers with these bytes and closes.
async fn saying(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = Arc::new(answer.into());
    serve(move |mut stream| {
        let answer = Arc::clone(&answer);
        async move {
            request(&mut stream).await;
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

fn post() -> Post {
    Post {
        hook: Hook::Call,
        headers: vec![("idempotency-key", "g1".into())],
        body: r#"{"callId":"c1"}"#.into(),
    }
}

fn backend(address: SocketAddr) -> Backend {
    Backend::new(read_url(&format!("http://{address}/apps/Ours/")).unwrap(), None)
}

async fn outcome(address: SocketAddr, limit: Duration) -> Result<(u16, String, String), Trouble> {
    let outcome = backend(address).post(post(), limit).await.outcome;
    outcome.map(|answer| (answer.status, answer.reason, String::from_utf8(answer.body).unwrap()))
}

fn whole(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_hook_is_a_post_of_json_to_its_name() {
    let (told, mut heard) = tokio::sync::mpsc::channel(1);
    let address = serve(move |mut stream| {
        let told = told.clone();
        async move {
            let asked = request(&mut stream).await;
            let _ = stream.write_all(whole("200 OK", r#"{"callee":"eve"}"#).as_bytes()).await;
            let _ = told.send(asked).await;
        }
    })
    .await;
    let answer = outcome(address, LIMIT).await;
    assert_eq!(answer, Ok((200, "OK".into(), r#"{"callee":"eve"}"#.into())));
    let asked = heard.recv().await.unwrap();
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("POST /apps/Ours/call HTTP/1.1"));
    let lines: Vec<_> = lines.map(str::to_ascii_lowercase).collect();
    for line in
        ["content-type: application/json;charset=utf-8", "accept: application/json", "idempotency-key: g1"]
    {
        assert!(lines.iter().any(|other| other == line), "{line} in {head}");
    }
    assert_eq!(body, r#"{"callId":"c1"}"#);
}

#[tokio::test]
async fn the_reason_is_the_backends_own() {
    for (line, reason) in
        [("403 Not in working hours", "Not in working hours"), ("403 Forbidden", "Forbidden")]
    {
        let address = saying(whole(line, "")).await;
        assert_eq!(outcome(address, LIMIT).await, Ok((403, reason.into(), String::new())));
    }
    let long = format!("403 {}", "x".repeat(5_000));
    let (_, reason, _) = outcome(saying(whole(&long, "")).await, LIMIT).await.unwrap();
    assert_eq!(reason.len(), 256);
}

#[tokio::test]
async fn a_redirect_leads_nowhere() {
    let visits = Arc::new(AtomicUsize::new(0));
    let visited = Arc::clone(&visits);
    let elsewhere = serve(move |_| {
        visited.fetch_add(1, Ordering::SeqCst);
        async {}
    })
    .await;
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(outcome(saying(answer).await, LIMIT).await.unwrap().0, 307);
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn who_does_not_answer_is_given_up_in_time() {
    let silent = serve(|mut stream| async move {
        request(&mut stream).await;
        std::future::pending::<()>().await;
    });
    let drips = serve(|mut stream| async move {
        request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await;
        while stream.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let headers = serve(|mut stream| async move {
        request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"x: y\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    for address in [silent.await, drips.await, headers.await] {
        let began = Instant::now();
        assert_eq!(outcome(address, SHORT).await, Err(Trouble::TimedOut));
        assert!(began.elapsed() < SHORT + Duration::from_secs(1));
    }
}

#[tokio::test]
async fn an_endless_answer_is_not_read_further_than_it_may_be() {
    for head in ["Content-Length: 99999999999", "Transfer-Encoding: chunked"] {
        let written = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&written);
        let address = serve(move |mut stream| {
            let counter = Arc::clone(&counter);
            async move {
                request(&mut stream).await;
                let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes()).await;
                let block = [b'x'; 0x1000];
                while head.starts_with("Content") && stream.write_all(&block).await.is_ok()
                    || !head.starts_with("Content")
                        && stream.write_all(&[b"1000\r\n".as_slice(), &block, b"\r\n"].concat()).await.is_ok()
                {
                    counter.fetch_add(block.len(), Ordering::SeqCst);
                }
            }
        })
        .await;
        let Err(Trouble::Unusable(words)) = outcome(address, LIMIT).await else { panic!("{head}: taken") };
        assert!(words.contains("256 kB"), "{words}");
        // What the sockets hold besides.
        assert!(written.load(Ordering::SeqCst) < LONGEST_ANSWER + 16 * 1024 * 1024);
    }
}

#[tokio::test]
async fn endless_headers_and_rubbish_are_no_answer() {
    let endless = serve(|mut stream| async move {
        request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        let line = format!("x: {}\r\n", "y".repeat(1_000));
        while stream.write_all(line.as_bytes()).await.is_ok() {}
    });
    let rubbish = saying(vec![0_u8, 255, 13, 10, 13, 10]);
    let nothing = saying(Vec::new());
    let short = saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}");
    let negative = saying("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}");
    let status = saying("HTTP/1.1 9999 Odd\r\nContent-Length: 0\r\n\r\n");
    let other = saying("SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n");
    for address in
        [endless.await, rubbish.await, nothing.await, short.await, negative.await, status.await, other.await]
    {
        let outcome = outcome(address, LIMIT).await;
        assert!(matches!(outcome, Err(Trouble::Unreachable(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn who_lies_about_the_length_of_an_answer_is_believed_no_further_than_it_goes() {
    let short = saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}{\"callee\":\"eve\"}").await;
    assert_eq!(outcome(short, LIMIT).await, Ok((200, "OK".into(), "{}".into())));
    for length in ["99999999999", "3", "-1", "two", "18446744073709551616"] {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{{}}");
        let trouble = outcome(saying(answer).await, LIMIT).await.unwrap_err();
        assert!(trouble != Trouble::TimedOut, "{length}: {trouble}");
    }
    let twice = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ";
    assert!(outcome(saying(twice).await, LIMIT).await.is_err());
}

/// Nothing was asked for that is packed, and nothing is unpacked: a bomb stays as small as it came.
#[tokio::test]
async fn a_packed_answer_is_not_unpacked() {
    let packed = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b];
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", packed.len());
    let address = saying([head.as_bytes(), &packed].concat()).await;
    let answer = backend(address).post(post(), LIMIT).await.outcome.unwrap();
    assert_eq!((answer.body.as_slice(), answer.fields()), (&packed[..], None));
}

/// What is nested without an end is no JSON, and takes no stack to find out.
#[tokio::test]
async fn deep_and_odd_json_is_no_answer_that_counts() {
    for body in
        ["[".repeat(200_000), format!("{{\"a\":{}", "{\"a\":".repeat(20_000)), "null".into(), "[]".into()]
    {
        let answer = backend(saying(whole("200 OK", &body)).await).post(post(), LIMIT).await.outcome.unwrap();
        assert!(answer.is_ok() && answer.fields().is_none(), "{} bytes", body.len());
    }
}

#[tokio::test]
async fn nobody_there_is_said_without_the_path() {
    let address =
        SocketAddr::from(([127, 0, 0, 1], sidetone_testkit::free_port([127, 0, 0, 1].into()).unwrap()));
    let Err(Trouble::Unreachable(words)) = outcome(address, LIMIT).await else { panic!("somebody is there") };
    assert!(words.contains(&address.to_string()) && !words.contains("Ours"), "{words}");
    assert!(!backend(address).is_answering(LIMIT).await);
}

#[tokio::test]
async fn any_answer_is_a_sign_of_life() {
    let address = saying(whole("405 Method Not Allowed", "")).await;
    assert!(backend(address).is_answering(LIMIT).await);
}

#[test]
fn addresses_that_lead_nowhere_are_refused_in_words() {
    for (text, part) in [
        ("", "expected"),
        ("backend", "expected"),
        ("file:///etc/passwd", "is not spoken"),
        ("http://a:b@backend", "authentication"),
        ("http://backend/?q", "query"),
    ] {
        let words = read_url(text).unwrap_err();
        assert!(words.contains(part), "{text}: {words}");
    }
    assert_eq!(read_url(" https://backend/x ").unwrap().as_str(), "https://backend/x");
}
