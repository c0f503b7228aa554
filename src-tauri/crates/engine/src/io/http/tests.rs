use super::{Client, Problem, Session};
use crate::io::tls::Trust;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use sidetone_peer::whip::{Cause, Endpoint, Fragment, Kind, MAX_BODY, Token};
use sidetone_testkit::{CertificateOptions, TestAuthority};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;

const OFFER: &str = "v=0\r\noffer\r\n";
const OPENED: &str = "HTTP/1.1 201 Created\r\nContent-Type: application/sdp\r\nLocation: /s/1\r\nETag: \"1\"\r\n\
                      Link: <stun:s.example>; rel=ice-server\r\nContent-Length: 13\r\n\r\nv=0\r\nanswer\r\n";
const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// A request as it was on the wire: its head in lower case, and its body.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    head: String,
    body: String,
}

/// A server that says what it is told to.
struct Server {
    url: String,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl Server {
    /// `say` gets the number of the request, from 0; the connection ends where nothing is said.
    async fn start(
        tls: Option<Arc<ServerConfig>>,
        say: impl Fn(usize) -> String + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{}/whip/x?key=hidden", listener.local_addr().unwrap().port());
        let (news, seen) = mpsc::unbounded_channel();
        let (say, count) = (Arc::new(say), Arc::new(Mutex::new(0)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (say, count, news, tls) =
                    (Arc::clone(&say), Arc::clone(&count), news.clone(), tls.clone());
                tokio::spawn(async move {
                    let next = move || {
                        let mut count = count.lock().unwrap();
                        *count += 1;
                        say(*count - 1)
                    };
                    match tls {
                        None => talk(stream, next, news).await,
                        Some(tls) => {
                            let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await else { return };
                            talk(stream, next, news).await;
                        }
                    }
                });
            }
        });
        Self { url, seen }
    }

    async fn next(&mut self) -> Seen {
        tokio::time::timeout(Duration::from_secs(10), self.seen.recv()).await.expect("a request").unwrap()
    }
}

async fn talk<S>(mut stream: S, next: impl Fn() -> String, news: mpsc::UnboundedSender<Seen>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(seen) = read(&mut stream).await {
        let answer = next();
        let _ = news.send(seen);
        if answer.is_empty() || stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Seen> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    let text = String::from_utf8(bytes).unwrap();
    let (line, head) = text.split_once("\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen { line: line.to_owned(), head, body: String::from_utf8(body).unwrap() })
}

async fn client() -> Client {
    Client::new(&Trust::new(None)).await.unwrap()
}

fn endpoint(url: &str) -> Endpoint {
    Endpoint::new(Kind::Whip, url, Some(Token::new("S3cret").unwrap())).unwrap()
}

fn fragment(ufrag: &str) -> Fragment {
    Fragment::parse(&format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{}\r\n", "p".repeat(22))).unwrap()
}

/// What comes of an offer to a server that says `answer`.
async fn open(answer: &str) -> Result<super::Began, Problem> {
    let answer = answer.to_owned();
    let server = Server::start(None, move |_| answer.clone()).await;
    Session::open(client().await, endpoint(&server.url), OFFER.into()).await
}

#[tokio::test]
async fn a_session_from_its_offer_to_its_end() {
    let restarted = format!(
        "HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-Length: {}\r\n\r\n{}",
        fragment("them").to_string().len(),
        fragment("them")
    );
    let mut server = Server::start(None, move |number| match number {
        0 => OPENED.into(),
        2 => restarted.clone(),
        _ => NO_CONTENT.into(),
    })
    .await;
    let began = Session::open(client().await, endpoint(&server.url), OFFER.into()).await.unwrap();
    assert_eq!((began.sdp.as_str(), began.countered), ("v=0\r\nanswer\r\n", false));
    assert_eq!(began.ice_servers[0].to_string(), "stun:s.example:3478");
    assert!(began.extensions.is_empty());
    let post = server.next().await;
    assert_eq!(post.line, "POST /whip/x?key=hidden HTTP/1.1");
    assert!(
        post.head.contains("authorization: bearer s3cret\r\n")
            && post.head.contains("content-type: application/sdp\r\n")
    );
    assert!(post.head.contains("user-agent: sidetone/") && !post.head.contains("cookie"));
    assert_eq!(post.body, OFFER);

    let mut session = began.session;
    session.trickle(&fragment("abcd")).await.unwrap();
    let trickle = server.next().await;
    assert_eq!(trickle.line, "PATCH /s/1 HTTP/1.1");
    assert!(trickle.head.contains("if-match: \"1\"\r\n"), "{}", trickle.head);
    assert!(trickle.head.contains("content-type: application/trickle-ice-sdpfrag\r\n"));

    assert_eq!(session.restart(&fragment("efgh")).await.unwrap(), fragment("them"));
    assert!(server.next().await.head.contains("if-match: \"*\"\r\n"));
    session.trickle(&fragment("efgh")).await.unwrap();
    assert!(server.next().await.head.contains("if-match: \"2\"\r\n"));

    session.delete().await.unwrap();
    let delete = server.next().await;
    assert_eq!(delete.line, "DELETE /s/1 HTTP/1.1");
    assert!(delete.head.contains("authorization: bearer s3cret\r\n"));
}

#[tokio::test]
async fn a_session_that_is_dropped_is_deleted() {
    let mut server =
        Server::start(None, |number| if number == 0 { OPENED.into() } else { NO_CONTENT.into() }).await;
    drop(Session::open(client().await, endpoint(&server.url), OFFER.into()).await.unwrap());
    assert!(server.next().await.line.starts_with("POST"));
    assert_eq!(server.next().await.line, "DELETE /s/1 HTTP/1.1");
}

#[tokio::test]
async fn whoever_does_not_wait_for_the_answer_leaves_no_session_behind() {
    let mut server =
        Server::start(None, |number| if number == 0 { OPENED.into() } else { NO_CONTENT.into() }).await;
    let opening = Session::open(client().await, endpoint(&server.url), OFFER.into());
    tokio::select! {
        biased;
        seen = server.next() => assert!(seen.line.starts_with("POST")),
        _ = async { opening.await.map(|began| std::mem::forget(began.session)) } => {}
    }
    // Either the answer was still under way, and is dropped with its session, or the test has forgotten it.
    let deleted = tokio::time::timeout(Duration::from_secs(5), server.seen.recv()).await;
    assert!(deleted.is_ok_and(|seen| seen.unwrap().line.starts_with("DELETE")));
}

#[tokio::test]
async fn a_server_that_takes_no_candidates_is_asked_once() {
    let mut server = Server::start(None, |number| match number {
        0 => OPENED.into(),
        1 => "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n".into(),
        _ => NO_CONTENT.into(),
    })
    .await;
    let mut session =
        Session::open(client().await, endpoint(&server.url), OFFER.into()).await.unwrap().session;
    session.trickle(&fragment("abcd")).await.unwrap();
    session.trickle(&fragment("abcd")).await.unwrap();
    session.delete().await.unwrap();
    let lines: Vec<_> =
        [server.next().await, server.next().await, server.next().await].map(|seen| seen.line).into();
    assert_eq!(lines[1..], ["PATCH /s/1 HTTP/1.1", "DELETE /s/1 HTTP/1.1"]);
}

#[tokio::test]
async fn a_token_stays_with_its_server() {
    let mut there =
        Server::start(None, |number| if number == 0 { OPENED.into() } else { NO_CONTENT.into() }).await;
    let url = there.url.clone();
    let mut here = Server::start(None, move |_| {
        format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n")
    })
    .await;
    let began = Session::open(client().await, endpoint(&here.url), OFFER.into()).await.unwrap();
    assert!(here.next().await.head.contains("authorization"));
    let post = there.next().await;
    assert_eq!((post.line.split(' ').next(), post.body.as_str()), (Some("POST"), OFFER));
    assert!(!post.head.contains("authorization"));
    began.session.delete().await.unwrap();
    assert!(!there.next().await.head.contains("authorization"));
}

#[tokio::test]
async fn refusals_are_told_with_what_to_do_next() {
    let refused = open("HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n").await.unwrap_err();
    assert_eq!(refused.to_string(), "Stream name is already in use");
    assert!(refused.may_pass());
    let refused = open("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await.unwrap_err();
    assert_eq!((refused.cause(), refused.may_pass()), (Some(Cause::Token), false));
    let refused = open("HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n").await.unwrap_err();
    assert_eq!((refused.retry_after(), refused.may_pass()), (Some(Duration::from_secs(9)), true));
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let long = format!(
        "HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n{}",
        10 * MAX_BODY,
        "x".repeat(2 * MAX_BODY)
    );
    let problem = open(&long).await.unwrap_err();
    assert!(problem.to_string().contains("more than 64 kB"), "{problem}");
}

#[tokio::test]
async fn no_answer_is_told_in_words_that_name_the_server_and_no_path() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/hidden", listener.local_addr().unwrap().port());
    drop(listener);
    let refused = Session::open(client().await, endpoint(&url), OFFER.into()).await.unwrap_err();
    assert!(refused.to_string().starts_with("nobody listens at http://127.0.0.1:"), "{refused}");
    let unknown = Session::open(client().await, endpoint("http://nowhere.invalid/hidden"), OFFER.into())
        .await
        .unwrap_err();
    assert!(unknown.to_string().contains("nowhere.invalid"), "{unknown}");
    let broken = open("").await.unwrap_err();
    assert!(broken.to_string().contains("broke the connection"), "{broken}");
    let nonsense = open("SIP/2.0 200 OK\r\n\r\n").await.unwrap_err();
    for problem in [refused, unknown, broken, nonsense] {
        assert!(!problem.to_string().contains("hidden") && problem.may_pass(), "{problem}");
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let exchange = endpoint(&url).offer(OFFER).unwrap();
    let problem = client().await.carry_out(exchange, Duration::from_millis(50)).await.unwrap_err();
    assert!(problem.to_string().contains("did not answer"), "{problem}");
}

#[tokio::test]
async fn a_private_authority_is_believed_where_it_is_given() {
    let authority = TestAuthority::new("Example CA").unwrap();
    let own = authority
        .issue(&CertificateOptions { dns: &["localhost"], ..CertificateOptions::default() })
        .unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(own.certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap(),
        )
        .unwrap();
    let server =
        Server::start(
            Some(Arc::new(config)),
            |number| if number == 0 { OPENED.into() } else { NO_CONTENT.into() },
        )
        .await;
    let stranger = Session::open(client().await, endpoint(&server.url), OFFER.into()).await.unwrap_err();
    assert!(stranger.to_string().contains("the certificate of localhost is not accepted"), "{stranger}");
    assert!(!stranger.to_string().contains("hidden"));
    let trusting = Client::new(&Trust::new(Some(&authority.pem()))).await.unwrap();
    Session::open(trusting, endpoint(&server.url), OFFER.into()).await.unwrap();
}
