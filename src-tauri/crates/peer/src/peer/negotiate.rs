//! Offers and answers of a peer.

use std::net::SocketAddr;
use std::time::Instant;

use super::{Peer, Stage};
use crate::sdp::{Candidate, CandidateKind, Local, MediaSection, Remote, agree, answer, offer};
use crate::{Event, PeerError, Role, Wanted};

impl Peer {
    /// # Errors
    /// [`PeerError::State`] while an offer of ours is not answered, and after the first negotiation:
    /// [`Self::restart_ice`] makes later offers.
    pub fn create_offer(&mut self, now: Instant, wanted: &Wanted) -> Result<String, PeerError> {
        self.now = self.now.max(now);
        if self.stage != Stage::New {
            return Err(PeerError::State("there was an offer before"));
        }
        let sections = offer(&wanted.media, &self.config.codecs);
        if sections.iter().all(|section| section.declined) {
            return Err(PeerError::NoCommonCodecs);
        }
        self.name_stream(&wanted.stream);
        self.transport.offer(now, false)?;
        self.sections = sections;
        self.give_flows();
        self.stage = Stage::Offered;
        self.begin(now);
        Ok(self.text())
    }

    /// Answers an offer: the first one, or a later one of the same session, such as an ICE restart.
    ///
    /// # Errors
    /// [`PeerError::Description`] with the line, [`PeerError::NoCommonCodecs`], [`PeerError::State`].
    pub fn accept_offer(&mut self, now: Instant, sdp: &str, wanted: &Wanted) -> Result<String, PeerError> {
        self.now = self.now.max(now);
        if self.stage == Stage::Offered {
            return Err(PeerError::State("an offer of ours waits for its answer"));
        }
        let remote = Remote::parse(sdp)?;
        let sections = answer(&remote, &wanted.media, &self.config.codecs)?;
        if self.stage == Stage::New {
            self.name_stream(&wanted.stream);
        }
        self.transport.answer(now, &remote.transport)?;
        self.sections = sections;
        self.give_flows();
        if self.stage == Stage::New {
            self.begin(now);
        }
        self.agreed(remote);
        Ok(self.text())
    }

    /// # Errors
    /// As [`Self::accept_offer`].
    pub fn accept_answer(&mut self, now: Instant, sdp: &str) -> Result<(), PeerError> {
        self.now = self.now.max(now);
        if self.stage != Stage::Offered {
            return Err(PeerError::State("there is no offer to answer"));
        }
        let remote = Remote::parse(sdp)?;
        self.sections = agree(&self.sections, &remote)?;
        self.transport.accept_answer(now, &remote.transport)?;
        self.agreed(remote);
        Ok(())
    }

    /// An offer with new credentials; media goes on meanwhile. The host candidates are those of `hosts` from now on.
    ///
    /// # Errors
    /// [`PeerError::State`] before the first negotiation, while an offer is not answered, and for a gateway.
    pub fn restart_ice(&mut self, now: Instant, hosts: Vec<SocketAddr>) -> Result<String, PeerError> {
        self.now = self.now.max(now);
        if self.stage != Stage::Stable || self.config.role == Role::Gateway {
            return Err(PeerError::State("only a client whose first offer was answered restarts"));
        }
        self.transport.offer(now, true)?;
        self.stage = Stage::Offered;
        if self.config.hosts != hosts {
            // Where the servers are reached from now is not known.
            self.config.ice_servers.iter_mut().for_each(|server| server.local = None);
        }
        self.config.hosts = hosts;
        self.candidates.clear();
        self.add_hosts()?;
        self.begin(now);
        Ok(self.text())
    }

    /// A candidate of the far end, with or without `a=`, or an SDP fragment (RFC 8840) of several lines. mDNS names and
    /// what is not UDP are passed over.
    ///
    /// # Errors
    /// [`PeerError::Candidate`], [`PeerError::State`] before there is a description of the far end.
    pub fn add_remote_candidate(&mut self, now: Instant, candidate: &str) -> Result<(), PeerError> {
        self.now = self.now.max(now);
        let known = self.remote.as_ref().map(|remote| remote.transport.candidates.len());
        let mut known = known.ok_or(PeerError::State("there is no description of the far end"))?;
        for line in candidate.lines().filter(|line| line.contains("candidate:")) {
            let Some(candidate) = Candidate::parse(line)? else { continue };
            if known >= crate::sdp::CANDIDATES {
                return Err(PeerError::State("the far end has too many candidates"));
            }
            known += 1;
            self.transport.add_remote(&candidate)?;
            if let Some(remote) = &mut self.remote {
                remote.transport.candidates.push(candidate);
            }
        }
        Ok(())
    }

    pub(super) fn add_hosts(&mut self) -> Result<(), PeerError> {
        if self.config.relay_only && self.config.role == Role::Client {
            return Ok(());
        }
        let mut ranks = 0..;
        // Told alone: what comes there arrives at one of our own.
        for (host, rank) in self.config.advertised.iter().zip(&mut ranks).take(8) {
            self.candidates.push(Candidate::local(CandidateKind::Host, *host, None, rank));
        }
        for (host, rank) in self.config.hosts.iter().zip(ranks).take(32) {
            let candidate = Candidate::local(CandidateKind::Host, *host, None, rank);
            self.transport.add_local(&candidate)?;
            self.candidates.push(candidate);
        }
        Ok(())
    }

    fn begin(&mut self, now: Instant) {
        if !self.transport.is_connected() {
            self.deadline = Some(now + self.config.connect_within);
            self.events.push_back(Event::Connecting);
        }
        self.gather.begin(now, &self.config);
        if !self.gather.is_gathering() {
            self.events.push_back(Event::GatheringDone);
        }
    }

    fn name_stream(&mut self, name: &str) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let name: String = name.chars().filter(|c| plain(*c)).take(64).collect();
        if !name.is_empty() {
            self.stream = name;
        }
        self.session.set_cname(&self.stream);
    }

    /// SSRCs of what we send: those of before where there are.
    fn give_flows(&mut self) {
        for section in &mut self.sections {
            if section.declined || !section.direction.sends() || !section.sends.is_empty() {
                continue;
            }
            let has_rtx = section.codecs.iter().any(|codec| codec.rtx.is_some());
            let known = self.session.flow(&section.mid);
            let random = &mut self.random;
            let flow = known.unwrap_or_else(|| (random.u32(..), has_rtx.then(|| random.u32(..))));
            section.flows = vec![flow];
        }
    }

    fn agreed(&mut self, remote: Remote) {
        self.stage = Stage::Stable;
        let random = &mut self.random;
        let flows: Vec<_> = remote.sections.iter().map(|section| &section.flows[..]).collect();
        self.session.configure(&self.sections, &flows, || random.u32(..));
        self.remote = Some(remote);
        let patience = self.config.patience;
        self.transport.set_patience(if self.session.receives() { patience } else { 4 * patience });
    }

    fn text(&mut self) -> String {
        self.version += 1;
        let sections: &[MediaSection] = &self.sections;
        let said = self.transport.said();
        Local {
            session: self.id,
            version: self.version,
            lite: self.config.role == Role::Gateway,
            ufrag: said.ufrag,
            pwd: said.pwd,
            fingerprint: said.fingerprint,
            setup: said.setup,
            candidates: &self.candidates,
            complete: !self.gather.is_gathering(),
            stream: &self.stream,
            sections,
        }
        .text()
    }
}
