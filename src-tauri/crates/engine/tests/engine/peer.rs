//! A far end that does what the test says: a SIP user agent on a socket, without media.

use crate::kit::{LOOPBACK, SOON};
use sidetone_sip::digest::Credentials;
use sidetone_sip::message::{NameAddr, Uri};
use sidetone_sip::{
    CallEvent, CallId, Cause, Config, DialogName, Event, Hop, Input, Invite, Output, RegistrarConfig,
    Registration, Side, Transport, UserAgent, Users,
};
use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{net::UdpSocket, time::timeout};

pub(crate) struct Peer {
    socket: UdpSocket,
    pub(crate) ua: UserAgent,
    events: VecDeque<Event>,
}

impl Peer {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    /// A registrar that knows one user.
    pub(crate) async fn registrar(user: &str, password: &str) -> Self {
        let users = Users::List(vec![Credentials::new(user.to_owned(), password)]);
        let registrar = Some(RegistrarConfig { users, ..RegistrarConfig::default() });
        Self::with(Config { registrar, ..Config::default() }).await
    }

    async fn with(config: Config) -> Self {
        let socket = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
        let mut seed = [7; 32];
        seed[..2].copy_from_slice(&socket.local_addr().unwrap().port().to_be_bytes());
        Self { socket, ua: UserAgent::new(config, seed), events: VecDeque::new() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub(crate) fn uri(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.address())
    }

    /// Registers and waits until that is done.
    pub(crate) async fn register(&mut self, user: &str, registrar: SocketAddr) {
        let aor = NameAddr::new(Uri::parse(&format!("sip:{user}@{registrar}")).unwrap());
        self.ua.register(Instant::now(), Registration::of(aor));
        self.wait("registration", |event| matches!(event, Event::Registered { .. }).then_some(())).await;
    }

    /// Calls `callee`; an empty `offer` leaves the offer to the far end.
    pub(crate) fn invite(&mut self, from: &str, callee: &str, offer: Option<&str>) -> CallId {
        let (from, to) = (from.parse_name(), Uri::parse(callee).unwrap());
        let offer = offer.unwrap_or_default().as_bytes().to_vec();
        self.ua.invite(Instant::now(), Invite::new(from, to, offer))
    }

    /// Waits for an INVITE.
    pub(crate) async fn called(&mut self) -> (CallId, String) {
        self.wait("a call", |event| match event {
            Event::Incoming { call, offer, .. } => {
                Some((*call, String::from_utf8(offer.clone().unwrap_or_default()).unwrap()))
            }
            _ => None,
        })
        .await
    }

    pub(crate) async fn told<T>(&mut self, what: &str, fits: impl Fn(&CallEvent) -> Option<T>) -> T {
        self.wait(what, |event| match event {
            Event::Call { event, .. } => fits(event),
            _ => None,
        })
        .await
    }

    /// Waits for the end of a call; gives its code.
    pub(crate) async fn ended(&mut self) -> u16 {
        self.end().await.code
    }

    pub(crate) async fn end(&mut self) -> Cause {
        self.told("the end", |event| match event {
            CallEvent::Ended { cause } => Some(cause.clone()),
            _ => None,
        })
        .await
    }

    /// Waits for the ACK.
    pub(crate) async fn confirmed(&mut self) {
        self.told("the ACK", |event| matches!(event, CallEvent::Confirmed { .. }).then_some(())).await;
    }

    pub(crate) async fn answered(&mut self) -> String {
        self.told("the answer", |event| match event {
            CallEvent::Answered { sdp, .. } => Some(String::from_utf8(sdp.clone()).unwrap()),
            _ => None,
        })
        .await
    }

    pub(crate) fn progress(&mut self, call: CallId, status: u16, sdp: Option<String>) {
        self.ua.progress(Instant::now(), call, status, sdp.map(String::into_bytes));
    }

    pub(crate) fn answer(&mut self, call: CallId, sdp: &str) {
        self.ua.answer(Instant::now(), call, sdp.as_bytes().to_vec());
    }

    pub(crate) fn reject(&mut self, call: CallId, status: u16, reason: &str) {
        self.ua.reject(Instant::now(), call, status, reason);
    }

    pub(crate) fn hang_up(&mut self, call: CallId) {
        self.ua.hang_up(Instant::now(), call, None);
    }

    pub(crate) async fn reinvite(&mut self, call: CallId, sdp: &str) -> String {
        loop {
            self.ua.reinvite(Instant::now(), call, sdp.as_bytes().to_vec());
            let answer = self.told("the answer to the re-INVITE", |event| match event {
                CallEvent::ReofferAnswered { sdp } => Some(Some(String::from_utf8(sdp.clone()).unwrap())),
                // The ACK of our own answer is still under way.
                CallEvent::ReofferFailed { cause } if cause.by == Side::Local => Some(None),
                _ => None,
            });
            match answer.await {
                Some(answer) => return answer,
                None => self.receive().await,
            }
        }
    }

    /// Calls with headers of its own.
    pub(crate) fn invite_with(&mut self, from: &str, callee: &str, headers: &[(&str, &str)]) -> CallId {
        let (from, to) = (from.parse_name(), Uri::parse(callee).unwrap());
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).to_owned())).collect();
        let offer = sdp("0 101", "sendrecv").into_bytes();
        self.ua.invite(Instant::now(), Invite { headers, ..Invite::new(from, to, offer) })
    }

    /// Waits for a REFER; gives whom to call and in place of what.
    pub(crate) async fn referred(&mut self) -> (CallId, Uri, Option<DialogName>) {
        self.wait("a REFER", |event| match event {
            Event::Call { call, event: CallEvent::ReferRequested { target, replaces, .. } } => {
                Some((*call, target.clone(), replaces.clone()))
            }
            _ => None,
        })
        .await
    }

    /// Waits for the outcome of its own REFER.
    pub(crate) async fn refer_final(&mut self) -> u16 {
        self.told("the outcome of a transfer", |event| match event {
            CallEvent::ReferFinal { status, .. } => Some(*status),
            CallEvent::ReferRefused { cause } => Some(cause.code),
            _ => None,
        })
        .await
    }

    /// Waits for a re-INVITE; gives its offer.
    pub(crate) async fn reoffered(&mut self) -> (CallId, String) {
        self.wait("a re-INVITE", |event| match event {
            Event::Call { call, event: CallEvent::Reoffer { offer } } => {
                Some((*call, String::from_utf8(offer.clone().unwrap_or_default()).unwrap()))
            }
            _ => None,
        })
        .await
    }

    /// Waits for a re-INVITE that says `direction` and answers it with `with`.
    pub(crate) async fn agree(&mut self, direction: &str, with: &str) {
        let (call, offer) = self.reoffered().await;
        assert!(offer.contains(&format!("a={direction}\r\n")), "{direction} in {offer}");
        self.answer(call, &sdp("0 101", with));
        self.send_all().await;
    }

    /// Runs until an event fits; those before it are lost.
    pub(crate) async fn wait<T>(&mut self, what: &str, fits: impl Fn(&Event) -> Option<T>) -> T {
        let found = timeout(SOON, async {
            loop {
                self.send_all().await;
                while let Some(event) = self.events.pop_front() {
                    if let Some(found) = fits(&event) {
                        return found;
                    }
                }
                self.receive().await;
            }
        });
        found.await.unwrap_or_else(|_| panic!("{what} did not come"))
    }

    /// Runs beside something else, which decides when it is over.
    pub(crate) async fn serve_while<T>(&mut self, other: impl Future<Output = T>) -> T {
        tokio::pin!(other);
        loop {
            self.send_all().await;
            tokio::select! {
                biased;
                done = &mut other => return done,
                () = self.receive() => {}
            }
        }
    }

    /// Sends what is due.
    pub(crate) async fn send_all(&mut self) {
        while let Some(output) = self.ua.poll_output() {
            match output {
                Output::Transmit { hop, bytes } => {
                    let _ = self.socket.send_to(&bytes, hop.remote).await;
                }
                Output::Resolve { query, uri, .. } => {
                    let remote = SocketAddr::new(uri.host.ip().unwrap(), uri.port.unwrap_or(5060));
                    let result = Ok(vec![self.hop(remote)]);
                    self.ua.handle_input(Instant::now(), Input::Resolved { query, result });
                }
                Output::Event(event) => self.events.push_back(event),
                Output::Close { .. } => {}
            }
        }
    }

    async fn receive(&mut self) {
        let now = Instant::now();
        let due = self.ua.poll_timeout().map(|due| due.saturating_duration_since(now));
        let mut buffer = vec![0; 65_536];
        match timeout(due.unwrap_or(Duration::from_secs(60)), self.socket.recv_from(&mut buffer)).await {
            Ok(Ok((length, remote))) => {
                let hop = self.hop(remote);
                let input = Input::Datagram { hop, bytes: &buffer[..length] };
                self.ua.handle_input(Instant::now(), input);
            }
            Ok(Err(_)) | Err(_) => self.ua.handle_timeout(Instant::now()),
        }
    }

    fn hop(&self, remote: SocketAddr) -> Hop {
        Hop::new(Transport::Udp, self.address(), remote)
    }
}

/// SDP of a peer that receives nowhere in particular.
pub(crate) fn sdp(formats: &str, direction: &str) -> String {
    let maps: String = formats
        .split(' ')
        .map(|number| match number {
            "0" => "a=rtpmap:0 PCMU/8000\r\n".to_owned(),
            "8" => "a=rtpmap:8 PCMA/8000\r\n".to_owned(),
            "18" => "a=rtpmap:18 G729/8000\r\n".to_owned(),
            "96" => "a=rtpmap:96 opus/48000/2\r\n".to_owned(),
            "101" => "a=rtpmap:101 telephone-event/8000\r\n".to_owned(),
            other => panic!("no format {other}"),
        })
        .collect();
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio 40000 RTP/AVP {formats}\r\n{maps}a={direction}\r\n"
    )
}

trait ParseName {
    fn parse_name(&self) -> NameAddr;
}

impl ParseName for str {
    fn parse_name(&self) -> NameAddr {
        NameAddr::parse(self).unwrap_or_else(|error| panic!("{self}: {error}"))
    }
}
