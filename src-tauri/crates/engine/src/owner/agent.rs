//! A SIP user agent with its sockets.

use super::wire;
use crate::io::{
    clock,
    dns::Names,
    names::Finder,
    sip::{FromNetwork, Inbox, SipSockets, Stack},
    transport::Link,
};
use crate::journal::Tap;
use sidetone_api::SignallingView;
use sidetone_sip::{Authority, Config, Event, Hop, Input, Output, UserAgent};
use std::{io, net::IpAddr, sync::Arc, time::Instant};

pub(super) struct Agent {
    pub(super) ua: UserAgent,
    sockets: SipSockets,
    stack: Stack,
    tap: Tap,
}

impl Agent {
    pub(super) async fn open(
        stack: Stack,
        address: Option<IpAddr>,
        port: u16,
        config: Config,
        names: Arc<Names>,
        (inbox, tap): (Inbox, Tap),
    ) -> io::Result<Self> {
        let sockets = SipSockets::open(stack, address, port, names, inbox).await?;
        let seed = clock::random().map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self { ua: UserAgent::new(config, seed), sockets, stack, tap })
    }

    /// For errands of the owner's own.
    pub(super) fn finder(&self) -> Finder {
        self.sockets.finder()
    }

    /// Under what an account's requests go out.
    pub(super) fn authority(&self, link: Link) -> Authority {
        self.sockets.authority(link)
    }

    /// The truth about a first hop.
    pub(super) fn signalling(&self, hop: &Hop) -> SignallingView {
        wire::signalling(hop, self.sockets.info(hop))
    }

    /// Nobody has anything to say any more.
    pub(super) fn is_idle(&self) -> bool {
        self.ua.is_idle()
    }

    /// The local address that was asked for; `None` for all.
    pub(super) fn bind(&self) -> Option<IpAddr> {
        self.sockets.bound_to()
    }

    pub(super) fn port(&self) -> u16 {
        self.sockets.port()
    }

    pub(super) fn handle(&mut self, now: Instant, message: FromNetwork) {
        match message {
            FromNetwork::Datagram { hop, bytes } => {
                self.tap.received(self.stack, &hop, &bytes);
                self.ua.handle_input(now, Input::Datagram { hop, bytes: &bytes })
            }
            FromNetwork::Stream { hop, bytes } => {
                self.tap.received_piece(self.stack, &hop, &bytes);
                self.ua.handle_input(now, Input::Stream { hop, bytes: &bytes })
            }
            FromNetwork::StreamClosed { hop, reason } => {
                self.tap.closed(&hop);
                self.ua.handle_input(now, Input::StreamClosed { hop, reason });
            }
            FromNetwork::SendFailed { hop, reason } => {
                self.ua.handle_input(now, Input::SendFailed { hop, reason })
            }
            FromNetwork::Idle { hop } => {
                if !self.ua.is_in_use(&hop) {
                    self.sockets.close(hop);
                }
            }
            FromNetwork::Resolved { query, result } => {
                self.ua.handle_input(now, Input::Resolved { query, result })
            }
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.ua.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.ua.handle_timeout(now);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.ua.poll_timeout()
    }

    /// Does what the user agent asks of the network; stops at its next event.
    pub(super) fn poll(&mut self) -> Option<Event> {
        while let Some(output) = self.ua.poll_output() {
            match output {
                Output::Transmit { hop, bytes } => {
                    self.tap.sent(self.stack, &hop, &bytes);
                    self.sockets.transmit(hop, bytes);
                }
                Output::Resolve { query, uri, transport, authority } => {
                    self.sockets.resolve(query, uri, transport, authority);
                }
                Output::Close { hop } => self.sockets.close(hop),
                Output::Event(event) => return Some(event),
            }
        }
        None
    }
}
