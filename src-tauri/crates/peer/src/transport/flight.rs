use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

/// Between two repetitions before the handshake is done.
const AGAIN: Duration = Duration::from_millis(400);
/// Between two answers to a far end that repeats itself.
const PATIENCE: Duration = Duration::from_millis(50);
const LONGEST: usize = 16;

type Datagram = (SocketAddr, SocketAddr, Bytes);

/// What we said last in the handshake (RFC 6347 section 4.2.4). The core takes its timer down at every record that
/// completes no flight, and says nothing more to a far end that lacks our last one.
#[derive(Debug, Default)]
pub(super) struct Flight {
    last: Vec<Datagram>,
    complete: bool,
    again: Option<Instant>,
    repeated: Option<Instant>,
    repeats: VecDeque<Datagram>,
}

impl Flight {
    pub(super) fn sent(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr, datagram: &Bytes) {
        if std::mem::take(&mut self.complete) {
            self.last.clear();
        }
        if self.last.len() < LONGEST {
            self.last.push((local, remote, datagram.clone()));
        }
        self.again = Some(now + AGAIN);
    }

    /// A record came: what is sent now is another flight. `repeats`: it belongs to a handshake that is done for us.
    pub(super) fn heard(&mut self, now: Instant, repeats: bool) {
        self.complete = true;
        let recently = self.repeated.is_some_and(|at| now.saturating_duration_since(at) < PATIENCE);
        if repeats && !recently {
            self.repeat(now);
        }
    }

    fn repeat(&mut self, now: Instant) {
        self.repeated = Some(now);
        self.repeats = self.last.iter().cloned().collect();
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.again.is_some_and(|again| again <= now) {
            self.repeat(now);
            self.again = Some(now + AGAIN);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.again
    }

    pub(super) fn poll(&mut self) -> Option<Datagram> {
        self.repeats.pop_front()
    }
}
