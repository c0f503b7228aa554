//! Responses out: RFC 3261 sections 8.2.6, 8.2.7 and 18.2, RFC 3581.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use crate::message::{HeaderName, Headers, Host, Method, Request, Response, Via};
use crate::transaction::ServerStep;
use crate::transaction::servers::ServerId;

use super::hop::{Hop, Transport};
use super::{Due, UserAgent};

/// Seconds after which a peer may try again when we are full.
const RETRY_AFTER: u32 = 5;

impl UserAgent {
    /// Answers a request once and for all, with a transaction that repeats the answer.
    pub(super) fn respond_once(&mut self, now: Instant, request: &Request, hop: Hop, status: u16) {
        let tag = self.stateless_tag(&request.headers);
        let response = Response::to(request, status, Some(&tag));
        self.respond_with(now, request, hop, response);
    }

    pub(super) fn respond_with(&mut self, now: Instant, request: &Request, hop: Hop, response: Response) {
        match self.start_server(request, hop) {
            Some(server) => self.send_response(now, server, response),
            None => self.respond_stateless(hop, response),
        }
    }

    pub(super) fn servers_are_full(&self) -> bool {
        self.servers.len() >= self.config.max_transactions
            || self.servers.size() >= self.config.max_transaction_bytes
    }

    /// `None` if the transactions are at their limit.
    pub(super) fn start_server(&mut self, request: &Request, hop: Hop) -> Option<ServerId> {
        if self.servers_are_full() {
            return None;
        }
        let via = request.headers.top_via().ok()?;
        let fallback = SocketAddr::new(hop.remote.ip(), via.port.unwrap_or(hop.transport.default_port()));
        self.servers.start(self.config.timers, request, response_hop(&via, hop), fallback)
    }

    pub(super) fn send_response(&mut self, now: Instant, id: ServerId, mut response: Response) {
        self.add_capabilities(&mut response);
        let Some(server) = self.servers.get_mut(id) else { return };
        if server.on_send(now, response.status) == ServerStep::Transmit {
            let (hop, bytes) = (server.hop, response.to_bytes());
            self.servers.keep_response(id, bytes.clone());
            self.transmit(hop, bytes);
        }
        self.refresh_server(id);
    }

    /// Leaves nothing behind: a repetition of the request gets the same response again (RFC 3261 section 8.2.7).
    pub(super) fn respond_stateless(&mut self, hop: Hop, mut response: Response) {
        self.add_capabilities(&mut response);
        let Ok(via) = response.headers.top_via() else { return };
        self.transmit(response_hop(&via, hop), response.to_bytes());
    }

    pub(super) fn respond_full(&mut self, request: &Request, hop: Hop) {
        let tag = self.stateless_tag(&request.headers);
        let mut response = Response::to(request, 503, Some(&tag));
        response.headers.push(HeaderName::RETRY_AFTER, RETRY_AFTER);
        self.respond_stateless(hop, response);
    }

    /// A To tag that depends on the request alone.
    pub(super) fn stateless_tag(&self, headers: &Headers) -> String {
        let mut hasher = DefaultHasher::new();
        self.secret.hash(&mut hasher);
        headers.top_via().ok().and_then(|via| via.branch().map(str::to_owned)).hash(&mut hasher);
        for name in [HeaderName::CALL_ID, HeaderName::FROM] {
            headers.get(&name).hash(&mut hasher);
        }
        format!("{:016x}", hasher.finish())
    }

    /// Server, and what the status wants to be said besides.
    pub(super) fn add_capabilities(&self, response: &mut Response) {
        if !self.config.product.is_empty() {
            response.headers.set(HeaderName::SERVER, &self.config.product);
        }
        match response.status {
            489 => response.headers.set(HeaderName::ALLOW_EVENTS, "dialog, message-summary, presence, refer"),
            405 | 501 => response.headers.set(HeaderName::ALLOW, self.allow()),
            415 if !response.headers.has(&HeaderName::ACCEPT) => {
                let is_message = response.headers.cseq().is_ok_and(|cseq| cseq.method == Method::Message);
                let accept = if is_message { "*/*" } else { super::headers::SDP };
                response.headers.set(HeaderName::ACCEPT, accept);
                response.headers.set(HeaderName::ACCEPT_ENCODING, "identity");
            }
            _ => {}
        }
    }

    pub(super) fn refresh_server(&mut self, id: ServerId) {
        let Some(server) = self.servers.get(id) else { return };
        let deadline = server.next_deadline();
        self.deadlines.set(Due::Server(id), deadline);
        if server.is_terminated() {
            self.servers.remove(id);
        }
    }

    pub(super) fn on_server_timer(&mut self, now: Instant, id: ServerId) {
        loop {
            let Some(server) = self.servers.get_mut(id) else { return };
            if server.next_deadline().is_none_or(|at| at > now) {
                break;
            }
            if server.on_timer(now) == ServerStep::Transmit {
                let (hop, bytes) = (server.hop, server.last_response().to_vec());
                self.transmit(hop, bytes);
            }
        }
        self.refresh_server(id);
    }
}

/// Writes the source address of a request into its top Via (RFC 3261 section 18.2.1, RFC 3581 section 4). `None` if there is no
/// Via that can be read: such a request cannot be answered.
pub(super) fn stamp_via(headers: &mut Headers, hop: &Hop) -> Option<()> {
    let mut via = headers.top_via().ok()?;
    let source = hop.remote;
    let is_source = via.host.ip() == Some(source.ip());
    via.params.remove("received");
    if via.has_rport() {
        via.set_rport(source.port());
        via.set_received(source.ip());
    } else if !is_source {
        via.set_received(source.ip());
    }
    headers.replace_first_element(&HeaderName::VIA, via);
    Some(())
}

/// Where the response to a request with this (stamped) Via goes (RFC 3261 section 18.2.2).
fn response_hop(via: &Via, source: Hop) -> Hop {
    if source.transport != Transport::Udp {
        return source;
    }
    let port = via.port.unwrap_or(source.transport.default_port());
    let maddr = via.maddr().and_then(|maddr| Host::parse(maddr).ok()).and_then(|host| host.ip());
    let remote = match maddr {
        Some(group @ IpAddr::V4(address)) if address.is_multicast() => SocketAddr::new(group, port),
        Some(group @ IpAddr::V6(address)) if address.is_multicast() => SocketAddr::new(group, port),
        _ if via.has_rport() => source.remote,
        _ => SocketAddr::new(source.remote.ip(), port),
    };
    Hop { remote, ..source }
}
