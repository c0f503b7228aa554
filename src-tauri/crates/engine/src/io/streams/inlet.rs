//! The way of our own streams' media and wishes into the stream thread.

use super::{
    packet::{Kind, Packet},
    router::Key,
};
use std::{fmt, sync::Arc, time::Instant};
use tokio::sync::mpsc;

/// Packets of all our own streams that may wait for the thread.
pub(crate) const PACKETS: usize = 4_096;

#[derive(Debug)]
pub(crate) enum Inward {
    Packet(Packet),
    /// The media that has this timestamp was captured then.
    Clock {
        kind: Kind,
        layer: u8,
        timestamp: u32,
        at: Instant,
    },
    /// It has nothing to send just now, and is there.
    Alive,
    /// A played one cannot be decoded without a key frame.
    WantKeyFrame,
    /// Its first picture is there.
    Shown,
}

/// One stream's way to the stream thread. Never waits: what finds no room is lost, as on a network.
#[derive(Clone)]
pub(crate) struct Inlet {
    key: Key,
    inward: mpsc::Sender<(Key, Inward)>,
    waker: Arc<mio::Waker>,
}

impl Inlet {
    pub(crate) fn new(key: Key, inward: mpsc::Sender<(Key, Inward)>, waker: Arc<mio::Waker>) -> Self {
        Self { key, inward, waker }
    }

    pub(crate) fn packet(&self, packet: Packet) {
        self.send(Inward::Packet(packet));
    }

    pub(crate) fn clock(&self, kind: Kind, layer: u8, timestamp: u32, at: Instant) {
        self.send(Inward::Clock { kind, layer, timestamp, at });
    }

    pub(crate) fn alive(&self) {
        self.send(Inward::Alive);
    }

    /// Of a played stream.
    pub(crate) fn want_key_frame(&self) {
        self.send(Inward::WantKeyFrame);
    }

    /// Of a played stream: its picture is seen.
    pub(crate) fn shown(&self) {
        self.send(Inward::Shown);
    }

    fn send(&self, inward: Inward) {
        if self.inward.try_send((self.key, inward)).is_ok() {
            let _ = self.waker.wake();
        }
    }
}

impl fmt::Debug for Inlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inlet").field("key", &self.key).finish_non_exhaustive()
    }
}
