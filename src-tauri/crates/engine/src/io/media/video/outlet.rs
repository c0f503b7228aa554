//! The pictures of a leg as a stream, for all who play it: passed on as they came.

use crate::io::streams::{
    Counters, Inlet, Kind, Own, Packet,
    packet::{is_later, is_newer},
    send::Control,
};
use bytes::Bytes;
use sidetone_media::video::{VideoCodec, codec::VIDEO_CLOCK_RATE, packet::begins_key_frame};
use sidetone_rtp::RtpPacket;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Between two times that the stream's clock is told.
const BETWEEN_CLOCKS: Duration = Duration::from_secs(1);
/// NAL units of H.264 (RFC 6184 sections 1.3 and 5.2).
const NAL_TYPE: u8 = 0x1f;
const IDR: u8 = 5;
const FRAGMENT: u8 = 28;

pub(crate) struct VideoOutlet {
    codec: VideoCodec,
    inlet: Inlet,
    counters: Arc<Counters>,
    /// Who plays it wants key frames.
    control: Control,
    /// What is added to the numbers of the source that sends now.
    shift: (u16, u32),
    /// The newest that went on.
    last: Option<(u16, u32, Instant)>,
    clock: Clock,
}

/// When a picture was taken is not known, but when it came: the least late one of each second tells.
#[derive(Default)]
struct Clock {
    told: Option<Instant>,
    /// Of the packet that was least late: its timestamp and when it came.
    best: Option<(u32, Instant)>,
}

impl VideoOutlet {
    pub(crate) fn new(codec: VideoCodec, inlet: Inlet, own: &Own, control: Control) -> Self {
        let counters = Arc::clone(&own.counters);
        let clock = Clock::default();
        Self { codec, inlet, counters, control, shift: (0, 0), last: None, clock }
    }

    /// True once where somebody cannot see it without a key frame.
    pub(super) fn take_wants_key(&self) -> bool {
        self.control.take_key(0)
    }

    /// A packet in another codec goes nowhere. `parameter_sets` are those of the far end's description, for players who get no
    /// description of it.
    pub(super) fn pass(
        &mut self,
        now: Instant,
        codec: VideoCodec,
        parameter_sets: &[Vec<u8>],
        packet: &RtpPacket<'_>,
    ) {
        if codec != self.codec {
            return;
        }
        if packet.source_changed {
            self.go_on(now, packet);
        }
        let timestamp = packet.timestamp.wrapping_add(self.shift.1);
        let is_bare = codec == VideoCodec::H264 && is_idr(packet.payload) && self.begins(timestamp);
        let is_described = is_bare && !parameter_sets.is_empty();
        if is_described {
            for (number, unit) in parameter_sets.iter().enumerate() {
                let sequence = packet.sequence.wrapping_add(self.shift.0);
                self.send(sequence, timestamp, false, number == 0, unit);
                self.shift.0 = self.shift.0.wrapping_add(1);
            }
        }
        let sequence = packet.sequence.wrapping_add(self.shift.0);
        let key = begins_key_frame(codec, packet.payload) && !is_described;
        self.send(sequence, timestamp, packet.marker, key, packet.payload);
        if self.last.is_none_or(|(last, ..)| is_newer(sequence, last)) {
            self.last = Some((sequence, timestamp, now));
            self.tell_clock(now, timestamp);
        }
    }

    /// Another source begins anywhere: it goes on behind the one before.
    fn go_on(&mut self, now: Instant, packet: &RtpPacket<'_>) {
        let Some((sequence, timestamp, at)) = self.last else { return };
        let passed = now.saturating_duration_since(at).as_secs_f64() * f64::from(VIDEO_CLOCK_RATE);
        let timestamp = timestamp.wrapping_add((passed as u32).max(1));
        self.shift = (
            sequence.wrapping_add(1).wrapping_sub(packet.sequence),
            timestamp.wrapping_sub(packet.timestamp),
        );
        self.clock = Clock::default();
    }

    /// Nothing of this picture has come.
    fn begins(&self, timestamp: u32) -> bool {
        self.last.is_none_or(|(_, last, _)| is_later(timestamp, last))
    }

    fn send(&self, sequence: u16, timestamp: u32, marker: bool, key: bool, payload: &[u8]) {
        self.counters.packets.add(1);
        self.counters.video_octets.add(payload.len() as u64);
        self.inlet.packet(Packet {
            kind: Kind::Video,
            layer: 0,
            sequence,
            timestamp,
            marker,
            key,
            extensions: Default::default(),
            payload: Bytes::copy_from_slice(payload),
        });
    }

    fn tell_clock(&mut self, now: Instant, timestamp: u32) {
        let clock = &mut self.clock;
        // How much earlier than the best one this came, for when it was taken.
        let is_better = clock.best.is_none_or(|(best, at)| {
            let drawn = f64::from(timestamp.wrapping_sub(best) as i32) / f64::from(VIDEO_CLOCK_RATE);
            now.saturating_duration_since(at).as_secs_f64() <= drawn
        });
        if is_better {
            clock.best = Some((timestamp, now));
        }
        if clock.told.is_none_or(|told| now.saturating_duration_since(told) >= BETWEEN_CLOCKS)
            && let Some((timestamp, at)) = clock.best.take()
        {
            clock.told = Some(now);
            self.inlet.clock(Kind::Video, 0, timestamp, at);
        }
    }
}

/// A key frame begins, without what describes it.
fn is_idr(payload: &[u8]) -> bool {
    let of_unit = |byte: &u8| byte & NAL_TYPE;
    match payload.first().map(of_unit) {
        Some(IDR) => true,
        // The header of a fragment: the first has its highest bit (RFC 6184 section 5.8).
        Some(FRAGMENT) => payload.get(1).is_some_and(|byte| byte & 0x80 != 0 && of_unit(byte) == IDR),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::streams::inlet::Inward;
    use sidetone_rtp::PayloadClass;
    use tokio::sync::mpsc;

    fn outlet(
        codec: VideoCodec,
    ) -> (VideoOutlet, mpsc::Receiver<(crate::io::streams::Key, Inward)>, mio::Poll) {
        let poll = mio::Poll::new().unwrap();
        let waker = Arc::new(mio::Waker::new(poll.registry(), mio::Token(0)).unwrap());
        let (inward, taken) = mpsc::channel(64);
        let inlet = Inlet::new(crate::io::streams::Key(1), inward, waker);
        (VideoOutlet::new(codec, inlet, &Own::default(), Control::default()), taken, poll)
    }

    fn packet(sequence: u16, timestamp: u32, changed: bool, payload: &[u8]) -> RtpPacket<'_> {
        RtpPacket {
            payload_type: 96,
            class: PayloadClass::Video,
            clock_rate: 90_000,
            sequence,
            extended_sequence: sequence.into(),
            timestamp,
            marker: true,
            ssrc: 7,
            source_changed: changed,
            payload,
        }
    }

    fn sent(taken: &mut mpsc::Receiver<(crate::io::streams::Key, Inward)>) -> Vec<(u16, u32, bool, Vec<u8>)> {
        let packets = std::iter::from_fn(|| taken.try_recv().ok()).filter_map(|(_, inward)| match inward {
            Inward::Packet(packet) => {
                Some((packet.sequence, packet.timestamp, packet.key, packet.payload.to_vec()))
            }
            _ => None,
        });
        packets.collect()
    }

    #[test]
    fn another_source_goes_on_where_the_last_one_was() {
        let (mut outlet, mut taken, _poll) = outlet(VideoCodec::Vp8);
        let (start, key) = (Instant::now(), [0x10, 0x10, 0, 0]);
        outlet.pass(start, VideoCodec::Vp8, &[], &packet(65_535, 90, true, &key));
        outlet.pass(start, VideoCodec::Vp8, &[], &packet(0, 3_090, false, &[0x10, 0x11]));
        let later = start + Duration::from_millis(100);
        outlet.pass(later, VideoCodec::Vp8, &[], &packet(500, 7, true, &key));
        outlet.pass(later, VideoCodec::H264, &[], &packet(501, 8, false, &[0x65]));
        let sent = sent(&mut taken);
        let numbers = sent.iter().map(|(sequence, timestamp, key, _)| (*sequence, *timestamp, *key));
        let numbers: Vec<_> = numbers.collect();
        assert_eq!(numbers, [(65_535, 90, true), (0, 3_090, false), (1, 12_090, true)]);
    }

    #[test]
    fn a_key_frame_of_h264_that_describes_itself_in_the_signalling_alone_gets_its_description() {
        let (mut outlet, mut taken, _poll) = outlet(VideoCodec::H264);
        let (now, sets) = (Instant::now(), [vec![0x67, 1], vec![0x68, 2]]);
        outlet.pass(now, VideoCodec::H264, &sets, &packet(10, 90, true, &[0x65, 0]));
        outlet.pass(now, VideoCodec::H264, &sets, &packet(11, 90, false, &[0x65, 1]));
        outlet.pass(now, VideoCodec::H264, &sets, &packet(12, 3_090, false, &[0x41, 0]));
        // One that brings its own.
        outlet.pass(now, VideoCodec::H264, &sets, &packet(13, 6_090, false, &[0x67, 9]));
        outlet.pass(now, VideoCodec::H264, &sets, &packet(14, 6_090, false, &[0x65, 2]));
        let sent = sent(&mut taken);
        let told = sent.iter().map(|(sequence, _, key, payload)| (*sequence, *key, payload[0]));
        let told: Vec<_> = told.collect();
        let wanted = [
            (10, true, 0x67),
            (11, false, 0x68),
            (12, false, 0x65),
            (13, true, 0x65),
            (14, false, 0x41),
            (15, true, 0x67),
            (16, true, 0x65),
        ];
        assert_eq!(told, wanted);
    }
}
