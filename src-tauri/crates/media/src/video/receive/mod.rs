//! What arrives as RTP becomes pictures to decode, each with the instant at which it is to be shown. Without sockets,
//! threads and clocks: packets and time go in, frames and requests for key frames come out.
//!
//! - Packets of one picture are put together when none is missing. A gap is waited for as long as its repair (NACK and
//!   RTX) may take, because a picture that refers to a missing one shows rubbish: what is shown stands still instead.
//! - When a gap is given up, or the decoder is lost, a key frame is asked for, with growing pauses, and everything up to
//!   it is left out.
//! - The delay of the buffer follows the jitter that was measured: up at once, down slowly.

mod assembler;
mod key_request;
mod playout;
#[cfg(test)]
mod tests;
mod timing;

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::codec::{Encoded, VideoCodec, h264, vp8};
use super::packet;
use super::picture::Size;
use assembler::{Assembler, Frame, Stored};
use key_request::KeyRequests;
use timing::Timing;

pub use playout::{Playout, PlayoutStatistics};

/// A packet of a video stream without its RTP header, decrypted, RTX unwrapped.
#[derive(Debug, Clone)]
pub struct VideoPacket {
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
    /// Empty for padding.
    pub payload: Bytes,
}

/// How a stream is received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoReceiverOptions {
    pub codec: VideoCodec,
    /// The buffer is never less deep; 0 for the least delay.
    pub min_delay: Duration,
    /// Never deeper, whatever the jitter.
    pub max_delay: Duration,
    /// Lost packets are asked for and sent again: gaps are worth waiting for.
    pub repair: bool,
    /// How long before it is shown a frame goes to the decoder.
    pub decode_lead: Duration,
}

impl VideoReceiverOptions {
    pub fn new(codec: VideoCodec) -> Self {
        Self {
            codec,
            min_delay: Duration::ZERO,
            max_delay: Duration::from_millis(800),
            repair: true,
            decode_lead: Duration::from_millis(10),
        }
    }
}

/// A frame to decode now and to show at its time.
#[derive(Debug, Clone)]
pub struct ReceivedFrame {
    /// `captured` is when its last packet arrived.
    pub encoded: Encoded,
    /// When to show it; in the past for a late one, which is shown at once unless a newer one is there.
    pub show_at: Instant,
}

/// Counters since the stream began.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ReceiveStatistics {
    pub packets: u64,
    /// Came twice, or too late for their frame.
    pub packets_discarded: u64,
    /// Gaps in the sequence that were never filled.
    pub packets_lost: u64,
    pub frames: u64,
    pub key_frames: u64,
    /// Complete or not, left out because what they refer to was missing.
    pub frames_dropped: u64,
    pub key_frame_requests: u64,
    /// Depth of the buffer.
    pub delay: Duration,
    /// Interarrival jitter of frames (RFC 3550, 6.4.1).
    pub jitter: Duration,
}

/// How long a gap is waited for where nothing is repaired: packets may only be out of order.
const REORDER_WAIT: Duration = Duration::from_millis(40);
/// Tries of a repair come about 20, 60 and 140 ms after the gap, each takes a round trip.
const REPAIR_WAIT: Duration = Duration::from_millis(180);
const LONGEST_WAIT: Duration = Duration::from_millis(1_000);

/// Receives one stream.
#[derive(Debug)]
pub struct VideoReceiver {
    options: VideoReceiverOptions,
    assembler: Assembler,
    timing: Timing,
    requests: KeyRequests,
    round_trip: Duration,
    sync_delay: Duration,
    /// Complete, in order, not yet due.
    next: Option<(Frame, Instant)>,
    size: Size,
    statistics: ReceiveStatistics,
}

impl VideoReceiver {
    pub fn new(options: VideoReceiverOptions) -> Self {
        Self {
            assembler: Assembler::new(options.codec),
            timing: Timing::new(options.min_delay, options.max_delay),
            options,
            requests: KeyRequests::default(),
            round_trip: Duration::from_millis(50),
            sync_delay: Duration::ZERO,
            next: None,
            size: Size::clamped(1, 1),
            statistics: ReceiveStatistics::default(),
        }
    }

    /// Takes a packet that arrived at `now`.
    pub fn handle_packet(&mut self, now: Instant, packet: VideoPacket) {
        self.statistics.packets += 1;
        match self.assembler.insert(now, packet) {
            Stored::New => {}
            Stored::Useless => self.statistics.packets_discarded += 1,
            Stored::Restarted => {
                // Another sender, or one that began anew: what was learned of the old one is worth nothing.
                self.next = None;
                self.timing.reset();
                self.requests.want();
            }
        }
        self.advance(now);
    }

    /// The round trip as it is measured now: it decides how long a repair may take and how often a key frame is asked
    /// for.
    pub fn handle_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip.min(LONGEST_WAIT);
        self.requests.handle_round_trip(self.round_trip);
    }

    /// The decoder could not use a frame: nothing can be decoded until a key frame comes.
    pub fn handle_decode_error(&mut self, now: Instant) {
        if self.next.as_ref().is_some_and(|(frame, _)| frame.key) {
            return;
        }
        self.statistics.frames_dropped += u64::from(self.next.take().is_some());
        self.drop_until_key(true);
        self.advance(now);
    }

    /// Playing begins, or goes on after a pause: only a key frame is of use, and what is in the buffer is old.
    pub fn restart(&mut self) {
        self.next = None;
        self.assembler.restart();
        self.timing.reset();
        self.requests.want();
    }

    /// Shows everything later by `delay`, so that it comes together with its sound.
    pub fn set_sync_delay(&mut self, delay: Duration) {
        self.sync_delay = delay.min(self.options.max_delay);
    }

    /// The next frame, once it is time to decode it. Call until it gives `None`.
    pub fn poll_frame(&mut self, now: Instant) -> Option<ReceivedFrame> {
        self.advance(now);
        let due = self.next.as_ref().is_some_and(|(_, show_at)| self.release_at(*show_at) <= now);
        let (frame, show_at) = if due { self.next.take()? } else { return None };
        let received = self.depacketized(frame, show_at);
        self.advance(now);
        received
    }

    /// True when a key frame is to be asked for now (PLI, or FIR where only that was agreed). Tells it once.
    pub fn poll_key_request(&mut self, now: Instant) -> bool {
        self.advance(now);
        let wanted = self.requests.poll(now);
        self.statistics.key_frame_requests += u64::from(wanted);
        wanted
    }

    /// When to call again at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let release = self.next.as_ref().map(|(_, show_at)| self.release_at(*show_at));
        // A gap behind a frame that waits is looked at when that frame is gone.
        let gap = self.assembler.blocked_since().filter(|_| self.next.is_none());
        let gap = gap.map(|since| since + self.patience());
        [release, gap, self.requests.poll_timeout()].into_iter().flatten().min()
    }

    pub fn statistics(&self) -> ReceiveStatistics {
        ReceiveStatistics { delay: self.timing.delay(), jitter: self.timing.jitter(), ..self.statistics }
    }

    /// Depth of the buffer now, without what synchronisation adds.
    pub fn delay(&self) -> Duration {
        self.timing.delay()
    }

    fn release_at(&self, show_at: Instant) -> Instant {
        show_at.checked_sub(self.options.decode_lead).unwrap_or(show_at)
    }

    fn patience(&self) -> Duration {
        let wait = if self.options.repair { REPAIR_WAIT + 2 * self.round_trip } else { REORDER_WAIT };
        wait.max(self.timing.delay()).min(LONGEST_WAIT)
    }

    fn drop_until_key(&mut self, with_next: bool) {
        let dropped = self.assembler.skip_to_key(with_next);
        self.statistics.frames_dropped += dropped.frames;
        self.statistics.packets_lost += dropped.missing;
        if self.assembler.needs_key() {
            self.requests.want();
        }
    }

    fn advance(&mut self, now: Instant) {
        while self.next.is_none() {
            if let Some(frame) = self.assembler.pop() {
                let show_at = self.timing.handle_frame(frame.timestamp, frame.complete_at);
                self.next = Some((frame, show_at + self.sync_delay));
                return;
            }
            if self.assembler.needs_key() {
                if self.assembler.has_packets() {
                    self.requests.want();
                }
                return;
            }
            let patience = self.patience();
            if self.assembler.blocked_since().is_none_or(|since| now < since + patience) {
                return;
            }
            self.drop_until_key(false);
            if self.assembler.needs_key() {
                return;
            }
        }
    }

    fn depacketized(&mut self, frame: Frame, show_at: Instant) -> Option<ReceivedFrame> {
        let codec = self.options.codec;
        let unpacked = packet::depacketize(codec, &frame.payloads);
        let Ok(data) = unpacked else {
            self.statistics.frames_dropped += 1;
            self.drop_until_key(true);
            return None;
        };
        let key = match codec {
            VideoCodec::H264 => h264::nal::has_idr(&data),
            VideoCodec::Vp8 => vp8::header::is_key(&data),
            VideoCodec::Vp9 => frame.key,
        };
        if key {
            self.requests.handle_key_frame();
            self.size = key_frame_size(codec, &data).unwrap_or(self.size);
        }
        self.statistics.frames += 1;
        self.statistics.key_frames += u64::from(key);
        let encoded = Encoded {
            codec,
            data,
            key,
            timestamp: frame.timestamp,
            size: self.size,
            captured: frame.complete_at,
        };
        Some(ReceivedFrame { encoded, show_at })
    }
}

fn key_frame_size(codec: VideoCodec, data: &[u8]) -> Option<Size> {
    match codec {
        VideoCodec::H264 => {
            let sps = h264::nal::units(data).find(|unit| h264::nal::kind(unit) == Some(h264::nal::SPS))?;
            h264::sps::Sps::parse(sps).ok().map(|sps| sps.size)
        }
        VideoCodec::Vp8 => match vp8::header::FrameHeader::parse(data).ok()? {
            vp8::header::FrameHeader::Key(size) => Some(size),
            vp8::header::FrameHeader::Delta => None,
        },
        VideoCodec::Vp9 => None,
    }
}
