use std::time::Instant;

use rtc::peer_connection::RTCPeerConnection;
use rtc::peer_connection::event::RTCPeerConnectionEvent;
use rtc::sansio::Protocol as _;
use rtc::shared::TaggedBytesMut;

/// The core, asked only where it may have an answer. Each question takes a walk through all of its layers, and a forwarded
/// packet needs one: without this it took five.
pub(super) struct Core {
    connection: RTCPeerConnection,
    /// Since it last had no more to say or to send, something came to it besides packets of ours.
    may_tell: bool,
    may_send: bool,
    /// Packets of ours that have not come out yet, each as one datagram.
    written: usize,
    due: Option<Option<Instant>>,
}

impl Core {
    pub(super) fn new(connection: RTCPeerConnection) -> Self {
        Self { connection, may_tell: true, may_send: true, written: 0, due: None }
    }

    /// To do anything with it that may change what it has to say.
    pub(super) fn stir(&mut self) -> &mut RTCPeerConnection {
        (self.may_tell, self.may_send, self.due) = (true, true, None);
        &mut self.connection
    }

    /// To look only.
    pub(super) fn look(&mut self) -> &mut RTCPeerConnection {
        &mut self.connection
    }

    /// A packet of ours waits where it takes them from.
    pub(super) fn has_packet(&mut self) {
        self.written += 1;
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|due| due <= now) {
            // What it cannot do at its time is not asked of it again.
            let _ = self.stir().handle_timeout(now);
        }
    }

    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        let connection = &mut self.connection;
        *self.due.get_or_insert_with(|| connection.poll_timeout())
    }

    pub(super) fn poll_event(&mut self) -> Option<RTCPeerConnectionEvent> {
        if !self.may_tell {
            return None;
        }
        // Telling may change it.
        (self.may_send, self.due) = (true, None);
        let event = self.connection.poll_event();
        self.may_tell = event.is_some();
        event
    }

    pub(super) fn poll_write(&mut self) -> Option<TaggedBytesMut> {
        if !self.may_send && self.written == 0 {
            return None;
        }
        let sent = self.connection.poll_write();
        match sent {
            Some(_) => self.written = self.written.saturating_sub(1),
            // What did not come out was dropped.
            None => (self.may_send, self.written) = (false, 0),
        }
        sent
    }
}
