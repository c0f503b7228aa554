//! The thread's loop.

use super::super::{Inlet, Own, standin::Assembler};
use super::Arrived;
use crate::io::streams::{Unit, UnitMedia};
use sidetone_media::video::{VideoCodec, VideoDecoder, VideoError};
use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

/// Between two looks at whether the stream is over.
const LOOK: Duration = Duration::from_millis(100);
/// Between two requests for a key frame.
const BETWEEN_REQUESTS: Duration = Duration::from_millis(500);

pub(super) struct Thread {
    codec: VideoCodec,
    arrived: Receiver<Arrived>,
    inlet: Inlet,
    own: Own,
    assembler: Assembler,
    decoder: Option<Box<dyn VideoDecoder>>,
    shown: bool,
    asked: Option<Instant>,
}

impl Thread {
    pub(super) fn new(
        codec: VideoCodec,
        _sound_clock: Option<u32>,
        arrived: Receiver<Arrived>,
        inlet: Inlet,
        own: Own,
    ) -> Self {
        let assembler = Assembler::new();
        Self { codec, arrived, inlet, own, assembler, decoder: None, shown: false, asked: None }
    }

    /// Until the stream thread has nothing more for it, or the owner wants no more.
    pub(super) fn run(mut self) {
        loop {
            let arrived = match self.arrived.recv_timeout(LOOK) {
                Ok(arrived) => arrived,
                Err(RecvTimeoutError::Timeout) if self.own.is_closed() => return,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if self.own.taps.take_wants_key() {
                self.inlet.want_key_frame();
            }
            match arrived {
                Arrived::Packet { at, sequence, timestamp, marker, payload } => {
                    if let Some(encoded) = self.assembler.push(at, sequence, timestamp, marker, &payload) {
                        self.own.taps.offer(&Unit { at, media: UnitMedia::Video(encoded.clone()) });
                        match self.decode(&encoded) {
                            Ok(()) => {}
                            Err(error) => {
                                tracing::debug!("a picture cannot be decoded: {error}");
                                self.own.counters.dropped.add(1);
                                self.want_key(at);
                            }
                        }
                    }
                }
                Arrived::Clock { .. } | Arrived::RoundTrip(_) => {}
                Arrived::Cut => {
                    self.assembler.reset();
                    self.shown = false;
                }
            }
        }
    }

    fn decode(&mut self, encoded: &sidetone_media::video::Encoded) -> Result<(), VideoError> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            empty => empty.insert(self.codec.decoder()?),
        };
        let Some(picture) = decoder.decode(encoded)? else { return Ok(()) };
        self.own.counters.set_size(picture.width(), picture.height());
        self.own.counters.frames.add(1);
        self.own.counters.key_frames.add(u64::from(encoded.key));
        self.own.show(picture);
        if !std::mem::replace(&mut self.shown, true) {
            self.inlet.shown();
        }
        Ok(())
    }

    fn want_key(&mut self, now: Instant) {
        if self.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= BETWEEN_REQUESTS) {
            self.asked = Some(now);
            self.own.counters.key_requests.add(1);
            self.inlet.want_key_frame();
        }
    }
}
