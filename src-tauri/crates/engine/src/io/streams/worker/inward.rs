//! What the threads of our own streams send.

use super::Worker;
use crate::io::streams::{Key, inlet::Inward, packet::Clock};
use std::time::Instant;

/// Messages taken before packets go out again.
const AT_ONCE: usize = 1_024;

impl Worker {
    pub(super) fn take_inward(&mut self) {
        self.is_behind = false;
        for _ in 0..AT_ONCE {
            let Some((key, inward)) = self.inbox.packet() else { return };
            let now = Instant::now();
            match inward {
                Inward::Packet(packet) => {
                    if !self.send_to_peer(now, key, &packet) {
                        self.router.handle(now, key, packet);
                    }
                }
                Inward::Clock { kind, layer, timestamp, at } => {
                    let clock = Clock { ntp: self.wall.ntp(at), timestamp };
                    if !self.tell_peer_clock(now, key, kind, layer, clock) {
                        self.router.set_clock(key, kind, layer, clock);
                    }
                }
                Inward::Alive => self.router.heard(now, key),
                // What was still on its way when the connection was lost is no sign of another one.
                Inward::Shown if self.is_reached(key) => self.on_flowing(key),
                Inward::Shown => {}
                Inward::WantKeyFrame => {
                    if !self.ask_peer_for_key(now, key) {
                        self.router.key_frame_wanted(now, key);
                    }
                }
            }
        }
        // Not drained: come back at once, after packets have gone out.
        self.is_behind = true;
    }

    /// It comes from the router, or has a connection.
    fn is_reached(&self, key: Key) -> bool {
        self.peers.sessions.contains_key(&key) || self.router.plays(key)
    }
}
