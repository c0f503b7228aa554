//! The pictures of one played stream: a thread that orders, decodes and shows them.

mod decode;
mod recent;
mod thread;

use super::{
    Inlet, Own,
    packet::{Clock, Kind},
};
use bytes::Bytes;
use sidetone_media::video::VideoCodec;
use std::{
    io,
    sync::Arc,
    sync::mpsc::{self, Receiver, SyncSender, TrySendError},
    time::{Duration, Instant},
};

/// Packets that wait for a stream's threads: about a second of a large picture's.
const WAITING: usize = 2_048;

#[derive(Debug, Clone)]
pub(crate) enum Arrived {
    Packet {
        at: Instant,
        sequence: u16,
        timestamp: u32,
        marker: bool,
        payload: Bytes,
    },
    Clock {
        kind: Kind,
        clock: Clock,
    },
    /// To the sender and back, as it is measured.
    RoundTrip(Duration),
    /// What comes has nothing to do with what was before.
    Cut,
}

/// Where the stream thread puts what it has for a played stream.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    video: SyncSender<Arrived>,
    sound: SyncSender<Arrived>,
}

/// The other ends of a [`Sink`].
#[derive(Debug)]
pub(crate) struct Outlets {
    pub(crate) video: Receiver<Arrived>,
    pub(crate) sound: Receiver<Arrived>,
}

pub(crate) fn sink() -> (Sink, Outlets) {
    let (video, of_video) = mpsc::sync_channel(WAITING);
    let (sound, of_sound) = mpsc::sync_channel(WAITING);
    (Sink { video, sound }, Outlets { video: of_video, sound: of_sound })
}

impl Sink {
    /// False where there is no room: its thread is too slow. What nobody takes is no fault.
    pub(crate) fn offer(&self, kind: Kind, arrived: Arrived) -> bool {
        let queue = match kind {
            Kind::Audio => &self.sound,
            Kind::Video => &self.video,
        };
        !matches!(queue.try_send(arrived), Err(TrySendError::Full(_)))
    }

    /// What comes next has nothing to do with what came before.
    pub(crate) fn cut(&self) {
        let _ = self.video.try_send(Arrived::Cut);
        let _ = self.sound.try_send(Arrived::Cut);
    }

    /// The same of the pictures alone.
    pub(crate) fn cut_video(&self) {
        let _ = self.video.try_send(Arrived::Cut);
    }

    pub(super) fn round_trip(&self, time: Duration) {
        let _ = self.video.try_send(Arrived::RoundTrip(time));
    }

    /// Of either kind; the pictures follow the sound.
    pub(crate) fn clock(&self, kind: Kind, clock: Clock) {
        let _ = self.video.try_send(Arrived::Clock { kind, clock });
    }
}

/// What the pictures come as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) codec: VideoCodec,
    /// Hz, of the sound beside it.
    pub(crate) sound_clock: Option<u32>,
    /// Lost packets are asked for, and sent again.
    pub(crate) repair: bool,
    /// Of H.264, where the signalling has them; NAL units.
    pub(crate) parameter_sets: Arc<[Vec<u8>]>,
}

/// Decodes the pictures on a thread of its own, until the stream is closed.
///
/// # Errors
/// The system has no thread for it.
pub(crate) fn start(
    received: Received,
    arrived: Receiver<Arrived>,
    inlet: Inlet,
    own: Own,
) -> io::Result<()> {
    let thread = thread::Thread::new(received, arrived, inlet, own);
    std::thread::Builder::new().name("play stream".into()).spawn(move || thread.run()).map(drop)
}
