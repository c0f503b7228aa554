//! The sockets of a leg and what lies between them and its RTP session: ICE, DTLS, SRTP.

use crate::io::media::{Identities, LegId, News, RtpPair, TransportSetup};
use sidetone_rtp::{
    Config, Identity, Latching, Session,
    transport::{Component, Event, Failure, MediaKind, Options, Parameters, Transport},
};
use sidetone_sdp::Negotiated;
use std::{
    net::{SocketAddr, UdpSocket as StdUdpSocket},
    time::{Instant, SystemTime},
};
use tokio::sync::mpsc;

use super::types;

pub(in super::super) struct Wire {
    pub(in super::super) rtp: mio::net::UdpSocket,
    pub(in super::super) rtcp: mio::net::UdpSocket,
    transport: Transport,
}

impl Wire {
    /// The transport, and the session that runs over it. `adapt` changes what the session is like.
    pub(in super::super) fn open(
        setup: TransportSetup,
        now: Instant,
        adapt: impl FnOnce(Config) -> Config,
    ) -> (Self, Session) {
        let TransportSetup { pair, seed, cname, identities } = setup;
        let mut identity = [0; 10];
        identity.copy_from_slice(&seed[..10]);
        let mut spread = [0; 8];
        spread.copy_from_slice(&seed[16..24]);
        let config = adapt(Config::new(Identity::from_random(identity), cname, Vec::new()));
        let session = Session::new(config, now, u64::from_be_bytes(spread));
        (Self::new(pair, seed, identities, now), session)
    }

    fn new(pair: RtpPair, seed: [u8; 32], identities: Identities, now: Instant) -> Self {
        let mio = |socket: StdUdpSocket| mio::net::UdpSocket::from_std(socket);
        let ipv6 = pair.rtp.local_addr().is_ok_and(|address| address.is_ipv6());
        let options =
            Options { seed, latching: Latching::On, identity: identities.dtls, ice: identities.ice, ipv6 };
        Self { rtp: mio(pair.rtp), rtcp: mio(pair.rtcp), transport: Transport::new(now, options) }
    }

    /// Where RTP goes.
    pub(in super::super) fn remote(&self) -> Option<SocketAddr> {
        self.transport.remote()
    }

    pub(in super::super) fn gather(&mut self, now: Instant, server: SocketAddr) {
        self.transport.gather(now, server);
        self.transport.handle_timeout(now);
        self.flush();
    }

    pub(in super::super) fn configure(&mut self, now: Instant, negotiated: &Negotiated) {
        let parameters = Parameters {
            rtp: negotiated.remote.socket_addr(),
            rtcp: negotiated.remote_rtcp.as_ref().and_then(|endpoint| endpoint.socket_addr()),
            rtcp_mux: negotiated.rtcp_mux,
            security: types::security(&negotiated.security),
            ice: negotiated.ice.as_ref().map(types::ice),
        };
        self.transport.configure(now, &parameters);
        self.flush();
    }

    /// Takes a datagram; gives its kind where it is media, which then is plain in its place.
    pub(in super::super) fn receive(
        &mut self,
        now: Instant,
        is_rtcp: bool,
        from: SocketAddr,
        datagram: &mut Vec<u8>,
    ) -> Option<MediaKind> {
        let component = if is_rtcp { Component::Rtcp } else { Component::Rtp };
        let kind = self.transport.handle_input(now, component, from, datagram);
        if kind.is_none() {
            self.flush();
        }
        kind
    }

    /// Protects and sends a packet, which is of no use afterwards. False where there is no way yet, or no key.
    pub(in super::super) fn send(&mut self, kind: MediaKind, packet: &mut Vec<u8>) -> bool {
        let Some((component, to)) = self.transport.protect(kind, packet) else { return false };
        send(self.socket(component), packet, to);
        true
    }

    /// Sends the RTCP that is due, and what keeps the path open.
    pub(in super::super) fn report(&mut self, now: Instant, session: &mut Session, buffer: &mut Vec<u8>) {
        if session.poll_timeout().is_none_or(|deadline| deadline > now) {
            return;
        }
        if session.poll_rtcp(now, SystemTime::now(), buffer) {
            self.send(MediaKind::Rtcp, buffer);
        }
        if session.poll_keep_alive(now, buffer) {
            self.send(MediaKind::Rtp, buffer);
        }
    }

    pub(in super::super) fn poll_timeout(&self) -> Option<Instant> {
        self.transport.poll_timeout()
    }

    /// Does what is due, and tells what happened.
    pub(in super::super) fn tick(&mut self, now: Instant, leg: LegId, news: &mpsc::Sender<News>) {
        if self.transport.poll_timeout().is_some_and(|timeout| timeout <= now) {
            self.transport.handle_timeout(now);
            self.flush();
        }
        while let Some(event) = self.transport.poll_event() {
            match event {
                Event::Secured { component: Component::Rtp, suite } => {
                    let _ = news.try_send(News::Secured { leg, suite: suite.name() });
                }
                Event::Failed(Component::Rtp, failure) => {
                    let (reason, brief) = (failure.to_string(), brief(&failure));
                    let _ = news.try_send(News::NoMedia { leg, reason, brief });
                }
                Event::Silent(Component::Rtp) => {
                    let _ = news.try_send(News::Silent { leg });
                }
                Event::Silent(Component::Rtcp) => {}
                Event::Failed(Component::Rtcp, failure) => tracing::warn!("no RTCP: {failure}"),
                Event::Selected { component, address } => {
                    tracing::debug!("{component:?} goes to {address}, found by ICE");
                }
                Event::Gathered { component, address } => {
                    let component = if component == Component::Rtp { 1 } else { 2 };
                    let _ = news.try_send(News::Gathered { leg, component, address });
                }
                Event::Secured { .. } => {}
            }
        }
    }

    fn flush(&mut self) {
        while let Some((component, to, data)) = self.transport.poll_transmit() {
            send(self.socket(component), &data, to);
        }
    }

    fn socket(&self, component: Component) -> &mio::net::UdpSocket {
        match component {
            Component::Rtp => &self.rtp,
            Component::Rtcp => &self.rtcp,
        }
    }
}

/// In Web Call Server's words.
fn brief(failure: &Failure) -> &'static str {
    match failure {
        Failure::NoPath { .. } => "Failed by ICE error",
        Failure::Fingerprint => "Failed by DTLS fingerprint error",
        Failure::DtlsTimeout | Failure::Dtls(_) => "Failed by DTLS error",
        Failure::Keys => "Failed by error",
    }
}

/// Sends one datagram. One that cannot be sent now (no route, full buffer) is lost, as in the network: the far end's reports
/// and the silence watch tell of it.
fn send(socket: &mio::net::UdpSocket, datagram: &[u8], to: SocketAddr) {
    if let Err(error) = socket.send_to(datagram, to) {
        tracing::trace!("{to}: {error}");
    }
}
