use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rtc::interceptor::{AttributedPacket, Interceptor, Packet, Registry, Slot, StreamInfo, TaggedPacket};
use rtc::rtcp;
use rtc::rtp;
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::error::Error;

pub(crate) enum Incoming {
    Rtp(rtp::Packet),
    Rtcp(Vec<Box<dyn rtcp::Packet>>),
}

/// What has been opened and not yet looked at, and what is to be protected.
#[derive(Default)]
struct Queues {
    incoming: VecDeque<Incoming>,
    outgoing: VecDeque<TaggedPacket>,
}

/// Our end of the tap.
#[derive(Clone, Default)]
pub(super) struct Wire(Arc<Mutex<Queues>>);

impl Wire {
    fn with<T>(&self, act: impl FnOnce(&mut Queues) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn registry(&self) -> Registry {
        Registry::new().with(Slot::Custom(1), Tap(self.clone()))
    }

    pub(super) fn receive(&self) -> Option<Incoming> {
        self.with(|queues| queues.incoming.pop_front())
    }

    pub(super) fn send(&self, now: Instant, packet: Packet) {
        let transport = TransportContext::default();
        let message = AttributedPacket::new(packet);
        self.with(|queues| queues.outgoing.push_back(TaggedPacket { now, transport, message }));
    }
}

/// Takes RTP and RTCP out of the core where SRTP has opened them, and puts ours in where it protects them: what lies
/// behind in the core repairs losses and finds streams otherwise than we do.
struct Tap(Wire);

impl Protocol<TaggedPacket, TaggedPacket, ()> for Tap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        let incoming = match message.message.packet {
            Packet::Rtp(packet) => Incoming::Rtp(packet),
            Packet::Rtcp(packets) => Incoming::Rtcp(packets),
            _ => return Ok(()),
        };
        self.0.with(|queues| queues.incoming.push_back(incoming));
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        None
    }

    fn handle_write(&mut self, _: TaggedPacket) -> Result<(), Error> {
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.0.with(|queues| queues.outgoing.pop_front())
    }

    fn handle_timeout(&mut self, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        None
    }
}

impl Interceptor for Tap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
