use std::net::SocketAddr;
use std::time::Instant;

use super::dtls::{Dtls, DtlsRole, Fingerprint, Outcome};
use super::ice::{Agent, Gathering, IceEvent, Transmit};
use super::srtp::{MediaKind, Protector, Unprotector};
use super::{Component, DtlsIdentity, Event, Failure, Security};

/// Addresses that may fail the handshake before the call does.
const OTHERS: usize = 3;

/// One component: its socket's ICE, DTLS and SRTP.
pub(super) struct Channel {
    pub(super) component: Component,
    pub(super) ice: Option<Agent>,
    /// The signalling agreed on ICE.
    pub(super) uses_ice: bool,
    pub(super) gathering: Option<Gathering>,
    security: Security,
    dtls: Option<Dtls>,
    identity: Option<DtlsIdentity>,
    /// Where the signalling says that the handshake's datagrams go; None with ICE.
    signalled: Option<SocketAddr>,
    /// Where they come from, and go to without ICE.
    dtls_peer: Option<SocketAddr>,
    /// Addresses other than the signalled one whose handshakes failed, and how the last one did.
    banned: Vec<SocketAddr>,
    failure: Option<Failure>,
    /// With keys from the signalling that of RTP protects RTCP too.
    outbound: Option<Protector>,
    inbound: Option<Unprotector>,
    pub(super) events: Vec<Event>,
}

impl Channel {
    pub(super) fn new(component: Component, ice: Option<Agent>) -> Self {
        Self {
            component,
            ice,
            uses_ice: false,
            gathering: None,
            security: Security::None,
            dtls: None,
            identity: None,
            signalled: None,
            dtls_peer: None,
            banned: Vec::new(),
            failure: None,
            outbound: None,
            inbound: None,
            events: Vec::new(),
        }
    }

    /// Keys that stay keep their place in the stream; others begin anew.
    pub(super) fn secure(
        &mut self,
        security: &Security,
        identity: Option<&DtlsIdentity>,
        peer: Option<SocketAddr>,
    ) {
        let peer = peer.filter(|_| !self.uses_ice);
        match security {
            Security::None => {
                self.dtls = None;
                // What protects what we send stays: were its keys agreed on again, it must not count from the beginning.
                self.inbound = None;
            }
            Security::Sdes { local, remote } => {
                self.dtls = None;
                let protects = self.outbound.as_ref().is_some_and(|outbound| outbound.key == *local);
                if self.component == Component::Rtp && !protects {
                    self.outbound = Protector::new(local.clone()).or_else(|| self.fail(Failure::Keys));
                }
                if self.inbound.as_ref().is_none_or(|inbound| inbound.key != *remote) {
                    self.inbound = Some(Unprotector::new(remote.clone()));
                }
            }
            Security::Dtls { role, fingerprints } => {
                let same = self.dtls.as_ref().is_some_and(|dtls| dtls.is(*role, fingerprints));
                if !same {
                    self.outbound = None;
                    self.inbound = None;
                    (self.signalled, self.dtls_peer) = (peer, peer);
                    (self.banned, self.failure) = (Vec::new(), None);
                    self.identity = identity.cloned();
                    self.dtls = self.associate(*role, fingerprints);
                } else if !self.dtls.as_ref().is_some_and(Dtls::is_done) {
                    self.signalled = peer;
                    self.dtls_peer = peer.or(self.dtls_peer);
                }
            }
        }
        self.security = security.clone();
    }

    fn associate(&mut self, role: DtlsRole, fingerprints: &[Fingerprint]) -> Option<Dtls> {
        match self.identity.as_ref().map(|identity| Dtls::new(identity, role, fingerprints.to_vec())) {
            Some(Ok(dtls)) => Some(dtls),
            Some(Err(failure)) => self.fail(failure),
            None => self.fail(Failure::Dtls("there is no certificate of ours".to_owned())),
        }
    }

    /// Begins the handshake as soon as there is a way to the peer.
    pub(super) fn start(&mut self, now: Instant) {
        let ready = match &self.ice {
            Some(ice) if self.uses_ice => ice.is_connected(),
            _ => self.dtls_peer.is_some(),
        };
        if ready && let Some(dtls) = &mut self.dtls {
            let outcome = dtls.start(now);
            self.conclude(now, outcome);
        }
    }

    pub(super) fn on_stun(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        if let Some(gathering) = &mut self.gathering {
            let (taken, found) = gathering.handle_datagram(now, from, datagram);
            if let Some(address) = found {
                self.events.push(Event::Gathered { component: self.component, address });
            }
            if taken {
                return;
            }
        }
        if let Some(ice) = &mut self.ice {
            ice.handle_datagram(now, from, datagram);
            self.on_ice(now);
        }
    }

    pub(super) fn on_dtls(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let known = match &self.ice {
            Some(ice) if self.uses_ice => ice.knows(from),
            _ => self.is_dtls_peer(from),
        };
        let Some(dtls) = self.dtls.as_mut().filter(|_| known) else { return };
        if !dtls.is_done() {
            self.dtls_peer = Some(from);
        }
        let outcome = dtls.handle_datagram(now, datagram);
        self.conclude(now, outcome);
    }

    /// Without ICE: the signalled address, or the first other one that is heard before it, as peers with several
    /// addresses or behind a NAT have it.
    fn is_dtls_peer(&self, from: SocketAddr) -> bool {
        let (Some(signalled), Some(peer)) = (self.signalled, self.dtls_peer) else { return false };
        let undecided = peer == signalled && !self.dtls.as_ref().is_some_and(Dtls::is_decided);
        from == peer || undecided && !self.banned.contains(&from)
    }

    /// Puts the plain packet in the place of what came; false where it is not to be taken.
    pub(super) fn open(&mut self, kind: MediaKind, from: SocketAddr, packet: &mut Vec<u8>) -> bool {
        if self.uses_ice && !self.ice.as_ref().is_some_and(|ice| ice.knows(from)) {
            return false;
        }
        match (&self.security, &mut self.inbound) {
            (Security::None, _) => true,
            (_, Some(inbound)) => inbound.unprotect(kind, packet),
            (_, None) => false,
        }
    }

    /// Both components have one key.
    pub(super) fn has_signalled_keys(&self) -> bool {
        matches!(self.security, Security::Sdes { .. })
    }

    /// Protects a packet; false where it must not go out.
    pub(super) fn close(&mut self, kind: MediaKind, packet: &mut Vec<u8>) -> bool {
        match (&self.security, &mut self.outbound) {
            (Security::None, _) => true,
            // A keep-alive without content.
            (_, Some(_)) if packet.is_empty() => true,
            (_, Some(outbound)) => outbound.protect(kind, packet),
            (_, None) => false,
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let ice = self.ice.as_ref().and_then(Agent::poll_timeout);
        let dtls = self.dtls.as_ref().and_then(Dtls::poll_timeout);
        let gathering = self.gathering.as_ref().and_then(Gathering::poll_timeout);
        ice.into_iter().chain(dtls).chain(gathering).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, transmits: &mut Vec<Transmit>) {
        if let Some(gathering) = &mut self.gathering {
            let (transmit, found) = gathering.handle_timeout(now);
            transmits.extend(transmit);
            if let Some(address) = found {
                self.events.push(Event::Gathered { component: self.component, address });
            }
        }
        if let Some(ice) = &mut self.ice {
            ice.handle_timeout(now);
            self.on_ice(now);
        }
        let outcome = self.dtls.as_mut().and_then(|dtls| dtls.handle_timeout(now));
        self.conclude(now, outcome);
    }

    /// What is to be sent besides media.
    pub(super) fn collect(&mut self, transmits: &mut Vec<Transmit>) {
        if let Some(ice) = &mut self.ice {
            transmits.extend(std::iter::from_fn(|| ice.poll_transmit()));
        }
        let to = match &self.ice {
            // The peer may begin before a path is chosen.
            Some(ice) if self.uses_ice => ice.target().or(self.dtls_peer),
            _ => self.dtls_peer,
        };
        if let Some(dtls) = &mut self.dtls {
            while let Some(data) = dtls.poll_transmit() {
                transmits.extend(to.map(|to| Transmit { to, data }));
            }
        }
    }

    fn on_ice(&mut self, now: Instant) {
        while let Some(event) = self.ice.as_mut().and_then(Agent::poll_event) {
            match event {
                IceEvent::Selected(address) => {
                    self.gathering = None;
                    self.events.push(Event::Selected { component: self.component, address });
                    self.start(now);
                }
                IceEvent::Silent => self.events.push(Event::Silent(self.component)),
                IceEvent::Failed { candidates } => {
                    self.events.push(Event::Failed(self.component, Failure::NoPath { candidates }));
                }
            }
        }
    }

    fn conclude(&mut self, now: Instant, outcome: Option<Outcome>) {
        match outcome {
            Some(Outcome::Keys(keys)) => {
                let suite = keys.local.suite();
                self.outbound = Protector::new(keys.local).or_else(|| self.fail(Failure::Keys));
                self.inbound = Some(Unprotector::new(keys.remote));
                if self.outbound.is_some() {
                    self.events.push(Event::Secured { component: self.component, suite });
                }
            }
            Some(Outcome::Failed(failure)) => self.on_failure(now, failure),
            None => {}
        }
    }

    /// What an address has done that was not signalled need not be the peer's doing: the peer gets another chance.
    fn on_failure(&mut self, now: Instant, failure: Failure) {
        let other = self.dtls_peer.filter(|_| !self.uses_ice && self.dtls_peer != self.signalled);
        match (other, self.security.clone()) {
            (Some(other), Security::Dtls { role, fingerprints }) if self.banned.len() < OTHERS => {
                self.banned.push(other);
                self.failure = Some(failure);
                self.dtls_peer = self.signalled;
                self.dtls = self.associate(role, &fingerprints);
                self.start(now);
            }
            _ => {
                let failure = self.failure.take().unwrap_or(failure);
                let _: Option<()> = self.fail(failure);
            }
        }
    }

    fn fail<T>(&mut self, failure: Failure) -> Option<T> {
        self.events.push(Event::Failed(self.component, failure));
        None
    }
}
