//! WHIP and WHEP over HTTP in front of an engine, as small as it can be; and a WebRTC peer that is no engine.

use crate::kit::SOON;
use bytes::Bytes;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use sidetone_api::Secret;
use sidetone_engine::{
    Handle, StreamDeclined, StreamOffer, StreamPatch, StreamPatched,
    whip::{Fragment, IfMatch, Kind},
};
use sidetone_peer::{Certificate, Codec, Config, Direction, Event, Media, Peer, RtpPacket, TrackId, Wanted};
use sidetone_testkit::TestCertificate;
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, UdpSocket},
};
use tokio_rustls::TlsAcceptor;

pub(crate) struct Endpoint {
    address: SocketAddr,
    handle: Handle,
    resources: Arc<Mutex<Vec<String>>>,
    tasks: tokio::task::JoinSet<()>,
    links: Links,
    tls: Option<TlsAcceptor>,
}

/// Of the next answers.
type Links = Arc<Mutex<Vec<String>>>;

impl Endpoint {
    pub(crate) async fn start(handle: Handle) -> Self {
        Self::with(handle, None).await
    }

    pub(crate) async fn start_with_tls(handle: Handle, certificate: &TestCertificate) -> Self {
        let chain = CertificateDer::pem_slice_iter(certificate.certificate.as_bytes());
        let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
        Self::with(handle, Some(Arc::new(config).into())).await
    }

    async fn with(handle: Handle, tls: Option<TlsAcceptor>) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let (resources, links) = (Arc::default(), Links::default());
        let mut endpoint = Self { address, handle, resources, tasks: Default::default(), links, tls };
        endpoint.open(endpoint.handle.clone()).await;
        endpoint
    }

    /// Listens in front of this engine, at the address of before where it was shut.
    pub(crate) async fn open(&mut self, handle: Handle) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        self.handle = handle.clone();
        let (resources, links) = (Arc::clone(&self.resources), Arc::clone(&self.links));
        let tls = self.tls.clone();
        self.tasks.spawn(async move {
            let mut talks = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (handle, resources, links) = (handle.clone(), Arc::clone(&resources), Arc::clone(&links));
                match tls.clone() {
                    None => talks.spawn(talk(stream, handle, resources, links)),
                    Some(tls) => talks.spawn(async move {
                        if let Ok(stream) = tls.accept(stream).await {
                            talk(stream, handle, resources, links).await;
                        }
                    }),
                };
            }
        });
    }

    /// Nobody listens any more, connections are cut.
    pub(crate) async fn shut(&mut self) {
        self.tasks.shutdown().await;
        self.resources.lock().unwrap().clear();
    }

    pub(crate) fn whip(&self, name: &str) -> String {
        format!("{}://{}/whip/{name}", self.scheme(), self.address)
    }

    pub(crate) fn whep(&self, name: &str) -> String {
        format!("{}://{}/whep/{name}", self.scheme(), self.address)
    }

    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The next answers have this `Link`.
    pub(crate) fn link(&self, link: String) {
        *self.links.lock().unwrap() = vec![link];
    }

    /// Ends the last session, as a server does that wants no more of it.
    pub(crate) async fn end_last(&self) {
        let resource = self.resources.lock().unwrap().pop().expect("a session");
        self.handle.end_stream(resource, None).await.expect("a session");
    }

    /// Waits until there is a session.
    pub(crate) async fn opened(&self) {
        let there = async {
            while self.sessions() == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, there).await.expect("a session");
    }

    /// Sessions that were opened and not deleted.
    pub(crate) fn sessions(&self) -> usize {
        self.resources.lock().unwrap().len()
    }
}

async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    handle: Handle,
    resources: Arc<Mutex<Vec<String>>>,
    links: Links,
) {
    let mut bytes = Vec::new();
    while let Some((head, body)) = request(&mut stream, &mut bytes).await {
        let answer = answer(&head, body, &handle, &resources, &links).await;
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn request(stream: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> Option<(String, String)> {
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
            let length = header(&head, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let body = String::from_utf8(bytes[end + 4..end + 4 + length].to_vec()).ok()?;
                bytes.drain(..end + 4 + length);
                return Some((head, body));
            }
        }
        if stream.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    headers.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn said(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

async fn answer(
    head: &str,
    body: String,
    handle: &Handle,
    resources: &Mutex<Vec<String>>,
    links: &Mutex<Vec<String>>,
) -> String {
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let token = header(head, "authorization").and_then(|it| it.strip_prefix("Bearer ")).map(Secret::new);
    let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
    let declined = |declined: StreamDeclined| {
        let status = match declined {
            StreamDeclined::NameInUse => "409 Conflict",
            StreamDeclined::StreamNotFound | StreamDeclined::SessionNotFound => "404 Not Found",
            StreamDeclined::TokenNeeded | StreamDeclined::TokenRefused => "401 Unauthorized",
            _ => "400 Bad Request",
        };
        said(status, "Content-Type: text/plain\r\n", &declined.to_string())
    };
    match (method, parts.as_slice()) {
        ("POST", [kind, name]) => {
            let kind = if *kind == "whip" { Kind::Whip } else { Kind::Whep };
            let offer = StreamOffer { kind, name: (*name).to_owned(), sdp: body, token };
            match handle.offer_stream(offer).await {
                Ok(accepted) => {
                    resources.lock().unwrap().push(accepted.resource.clone());
                    let links: String =
                        links.lock().unwrap().iter().map(|link| format!("Link: {link}\r\n")).collect();
                    let headers = format!(
                        "Content-Type: application/sdp\r\nLocation: /session/{}\r\nETag: {}\r\n{links}",
                        accepted.resource, accepted.tag
                    );
                    said("201 Created", &headers, &accepted.answer)
                }
                Err(why) => declined(why),
            }
        }
        ("PATCH", ["session", resource]) => {
            let if_match = header(head, "if-match").and_then(IfMatch::parse);
            let fragment = Fragment::parse(&body).expect("a fragment");
            let patch = StreamPatch { resource: (*resource).to_owned(), if_match, fragment, token };
            match handle.patch_stream(patch).await {
                Ok(StreamPatched::Trickled) => "HTTP/1.1 204 No Content\r\n\r\n".into(),
                Ok(StreamPatched::Restarted { fragment, tag }) => {
                    let headers = format!("Content-Type: application/trickle-ice-sdpfrag\r\nETag: {tag}\r\n");
                    said("200 OK", &headers, &fragment.to_string())
                }
                Err(why) => declined(why),
            }
        }
        ("DELETE", ["session", resource]) => {
            resources.lock().unwrap().retain(|other| other != resource);
            match handle.end_stream((*resource).to_owned(), token).await {
                Ok(()) => said("200 OK", "", ""),
                Err(why) => declined(why),
            }
        }
        _ => said("405 Method Not Allowed", "", ""),
    }
}

/// What a [`FarPeer`] sends.
pub(crate) trait Sending {
    const KIND: sidetone_peer::Kind;
    const APART: Duration;

    fn codec(&self) -> Codec;

    /// The payloads of the next packets, with their timestamps and markers.
    fn next(&mut self) -> Vec<(u32, bool, Bytes)>;
}

/// A peer that publishes one track and is no engine. Dropped, it is gone without a word.
pub(crate) struct FarPeer<S> {
    peer: Peer,
    socket: UdpSocket,
    track: Option<TrackId>,
    sequence: u16,
    /// Of its session.
    pub(crate) resource: String,
    pub(crate) sending: S,
    /// Key frames that it was asked for.
    pub(crate) keys_asked: Arc<AtomicU32>,
}

impl<S: Sending> FarPeer<S> {
    pub(crate) async fn publish(handle: &Handle, name: &str, sending: S) -> Self {
        let (mut far, sdp) = Self::offer(sending, Direction::Send).await;
        let offer = StreamOffer { kind: Kind::Whip, name: name.into(), sdp, token: None };
        let accepted = handle.offer_stream(offer).await.expect("accepted");
        far.accept(&accepted.answer);
        far.resource = accepted.resource;
        far
    }

    /// One that has offered, for who brings the offer somewhere.
    pub(crate) async fn offer(sending: S, direction: Direction) -> (Self, String) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let hosts = vec![socket.local_addr().unwrap()];
        let now = Instant::now();
        let config = Config::client(Certificate::generate().unwrap(), hosts, 7);
        let mut peer = Peer::new(now, config).unwrap();
        let media = Media { codecs: vec![sending.codec()], ..Media::new(S::KIND, direction) };
        let wanted = Wanted { media: vec![media], stream: String::new() };
        let sdp = peer.create_offer(now, &wanted).unwrap();
        (
            Self {
                peer,
                socket,
                track: None,
                sequence: 0,
                resource: String::new(),
                sending,
                keys_asked: Arc::default(),
            },
            sdp,
        )
    }

    pub(crate) fn accept(&mut self, answer: &str) {
        self.peer.accept_answer(Instant::now(), answer).unwrap();
    }

    /// Closes its connection in order.
    pub(crate) async fn close(&mut self) {
        self.peer.close(Instant::now());
        self.flush().await;
    }

    /// Sends for so long, or for ever.
    pub(crate) async fn run(&mut self, time: Duration) {
        let end = Instant::now() + time;
        let mut next = Instant::now();
        let mut buffer = [0; 2_048];
        while Instant::now() < end {
            let now = Instant::now();
            if next <= now {
                next += S::APART;
                self.send(now);
            }
            self.flush().await;
            let due = self.peer.poll_timeout().map_or(next, |due| due.min(next));
            let wait = due.saturating_duration_since(Instant::now()).min(SOON);
            if let Ok(received) = tokio::time::timeout(wait, self.socket.recv_from(&mut buffer)).await {
                let (length, from) = received.or_else(ignore).unwrap();
                let local = self.socket.local_addr().unwrap();
                self.peer.handle_input(Instant::now(), local, from, &buffer[..length]);
            }
            self.peer.handle_timeout(Instant::now());
        }
    }

    fn send(&mut self, now: Instant) {
        let Some(track) = self.track else { return };
        let payload_type = self.peer.sending()[0].codecs[0].payload_type;
        for (timestamp, marker, payload) in self.sending.next() {
            let extensions = Default::default();
            let packet =
                RtpPacket { payload_type, sequence: self.sequence, timestamp, marker, extensions, payload };
            self.peer.write_rtp(now, track, &packet).unwrap();
            self.sequence = self.sequence.wrapping_add(1);
        }
    }

    async fn flush(&mut self) {
        while let Some(event) = self.peer.poll_event() {
            match event {
                Event::Connected => self.track = self.peer.sending().first().map(|track| track.id),
                Event::KeyFrameRequested { .. } => {
                    self.keys_asked.fetch_add(1, Relaxed);
                }
                _ => {}
            }
        }
        while let Some(transmit) = self.peer.poll_transmit() {
            let _ = self.socket.send_to(&transmit.data, transmit.remote).await;
        }
    }
}

/// Sound that nobody hears.
#[derive(Default)]
pub(crate) struct Silence {
    timestamp: u32,
}

impl Sending for Silence {
    const KIND: sidetone_peer::Kind = sidetone_peer::Kind::Audio;
    const APART: Duration = Duration::from_millis(20);

    fn codec(&self) -> Codec {
        Codec::Opus
    }

    fn next(&mut self) -> Vec<(u32, bool, Bytes)> {
        self.timestamp = self.timestamp.wrapping_add(960);
        // One silent frame of 20 ms.
        vec![(self.timestamp, false, Bytes::from_static(&[0xf8, 0xff, 0xfe]))]
    }
}

fn ignore(_: io::Error) -> io::Result<(usize, SocketAddr)> {
    Ok((0, SocketAddr::from(([127, 0, 0, 1], 9))))
}
