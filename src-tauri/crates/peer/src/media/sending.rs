use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::{BufMut as _, Bytes, BytesMut};
use rtc::rtp;

use super::extensions::{Ids, write_extensions};
use super::sequence::Unwrap;
use crate::sdp::MediaSection;
use crate::{CodecParameters, Kind, PeerError, RtpPacket, SenderClock, SendingStatistics, SendingTrack};

/// Packets that can be sent again, and for how long.
const KEPT: usize = 1_024;
const OLDEST: Duration = Duration::from_secs(3);
/// Of one packet.
const TIMES: u32 = 10;
const SOONEST: Duration = Duration::from_millis(15);

/// A stream that we send.
#[derive(Debug)]
pub(crate) struct Outbound {
    pub(crate) track: SendingTrack,
    rtx_ssrc: u32,
    rtx_sequence: u16,
    history: Vec<Option<Kept>>,
    newest: u16,
    packets: u64,
    octets: u64,
    resent: u64,
    nacked: u64,
    pub(crate) key_frame_requests: u64,
    pub(crate) fir: Option<u8>,
    /// The clock that was given, and when.
    clock: Option<(SenderClock, Instant)>,
    last: Option<(u32, Instant)>,
    last_codec: Option<u8>,
    highest: Unwrap,
    /// The middle bits of our last reports' times, and when they went.
    reports: VecDeque<(u32, Instant)>,
    loss: f32,
    lost: i64,
    jitter: u32,
    round_trip: Option<Duration>,
}

#[derive(Debug, Clone)]
struct Kept {
    packet: RtpPacket,
    sent: Instant,
    again: Option<Instant>,
    times: u32,
}

impl Outbound {
    pub(crate) fn new(track: SendingTrack, rtx_ssrc: u32, rtx_sequence: u16) -> Self {
        Self {
            track,
            rtx_ssrc,
            rtx_sequence,
            history: Vec::new(),
            newest: 0,
            packets: 0,
            octets: 0,
            resent: 0,
            nacked: 0,
            key_frame_requests: 0,
            fir: None,
            clock: None,
            last: None,
            last_codec: None,
            highest: Unwrap::default(),
            reports: VecDeque::new(),
            loss: 0.0,
            lost: 0,
            jitter: 0,
            round_trip: None,
        }
    }

    pub(crate) fn rtx_ssrc(&self) -> u32 {
        self.rtx_ssrc
    }

    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    pub(crate) fn update(&mut self, section: &MediaSection) {
        self.track.codecs.clone_from(&section.codecs);
    }

    pub(crate) fn codec(&self, number: u8) -> Result<&CodecParameters, PeerError> {
        let codec = self.track.codecs.iter().find(|codec| codec.payload_type == number);
        codec.ok_or(PeerError::PayloadType(number))
    }

    /// Makes the packet for the wire and remembers it.
    pub(crate) fn write(&mut self, now: Instant, packet: &RtpPacket, ids: &Ids) -> rtp::Packet {
        let header = self.header(packet, self.track.ssrc, packet.payload_type, packet.sequence, ids, false);
        self.packets += 1;
        self.octets += packet.payload.len() as u64;
        self.highest.unwrap(packet.sequence);
        self.last = Some((packet.timestamp, now));
        self.last_codec = Some(packet.payload_type);
        let keeps = self.codec(packet.payload_type).is_ok_and(|codec| codec.feedback.nack);
        if keeps {
            if self.history.is_empty() {
                self.history = vec![None; KEPT];
            }
            self.newest = packet.sequence;
            if let Some(place) = self.history.get_mut(usize::from(packet.sequence) % KEPT) {
                *place = Some(Kept { packet: packet.clone(), sent: now, again: None, times: 0 });
            }
        }
        rtp::Packet { header, payload: packet.payload.clone() }
    }

    fn header(
        &self,
        packet: &RtpPacket,
        ssrc: u32,
        payload_type: u8,
        sequence_number: u16,
        ids: &Ids,
        repair: bool,
    ) -> rtp::Header {
        let mut header = rtp::Header {
            version: 2,
            marker: packet.marker,
            payload_type,
            sequence_number,
            timestamp: packet.timestamp,
            ssrc,
            ..Default::default()
        };
        write_extensions(&mut header, &packet.extensions, ids);
        let mut text = |id: Option<u8>, text: &str| {
            if let Some(id) = id {
                // Too long for a one-byte header is not negotiated.
                let _ = header.set_extension(id, Bytes::copy_from_slice(text.as_bytes()));
            }
        };
        text(ids.mid.filter(|_| self.track.mid.len() <= 16), &self.track.mid);
        if let Some(rid) = &self.track.rid {
            text(if repair { ids.repaired_rid } else { ids.rid }, rid);
        }
        header
    }

    /// A packet that was asked for again, unless it has just gone.
    pub(crate) fn resend(
        &mut self,
        now: Instant,
        sequence: u16,
        round_trip: Option<Duration>,
        ids: &Ids,
    ) -> Option<rtp::Packet> {
        self.nacked += 1;
        let soon = SOONEST.max(round_trip.unwrap_or_default().min(Duration::from_millis(300)) * 3 / 4);
        let kept = self.history.get_mut(usize::from(sequence) % KEPT)?.as_mut()?;
        let fresh = kept.packet.sequence == sequence && now.saturating_duration_since(kept.sent) < OLDEST;
        let just = kept.again.is_some_and(|again| now.saturating_duration_since(again) < soon);
        if !fresh || just || kept.times >= TIMES {
            return None;
        }
        (kept.again, kept.times) = (Some(now), kept.times + 1);
        let packet = kept.packet.clone();
        self.resent += 1;
        Some(self.again(&packet, ids))
    }

    /// Something that does no harm to fill a probe with: what went before once more.
    pub(crate) fn padding(&mut self, now: Instant, back: u16, ids: &Ids) -> Option<rtp::Packet> {
        let sequence = self.newest.wrapping_sub(back);
        let kept = self.history.get(usize::from(sequence) % KEPT)?.as_ref()?;
        let fresh = kept.packet.sequence == sequence && now.saturating_duration_since(kept.sent) < OLDEST;
        let packet = kept.packet.clone();
        let has_rtx = self.codec(packet.payload_type).is_ok_and(|codec| codec.rtx.is_some());
        (fresh && has_rtx).then(|| self.again(&packet, ids))
    }

    fn again(&mut self, packet: &RtpPacket, ids: &Ids) -> rtp::Packet {
        let rtx = self.codec(packet.payload_type).ok().and_then(|codec| codec.rtx);
        let Some(number) = rtx else {
            let (ssrc, number, sequence) = (self.track.ssrc, packet.payload_type, packet.sequence);
            let header = self.header(packet, ssrc, number, sequence, ids, false);
            return rtp::Packet { header, payload: packet.payload.clone() };
        };
        let header = self.header(packet, self.rtx_ssrc, number, self.rtx_sequence, ids, true);
        self.rtx_sequence = self.rtx_sequence.wrapping_add(1);
        let mut payload = BytesMut::with_capacity(packet.payload.len() + 2);
        payload.put_u16(packet.sequence);
        payload.extend_from_slice(&packet.payload);
        rtp::Packet { header, payload: payload.freeze() }
    }

    pub(crate) fn set_clock(&mut self, now: Instant, clock: SenderClock) {
        self.clock = Some((clock, now));
    }

    /// NTP and RTP time of this moment, where anything has been sent.
    pub(crate) fn sender_report(
        &mut self,
        now: Instant,
        ntp: u64,
    ) -> Option<rtc::rtcp::sender_report::SenderReport> {
        let (stamp, at) = self.last?;
        let rate =
            self.last_codec.and_then(|number| self.codec(number).ok()).map(|c| c.codec.clock_rate())?;
        let (timestamp, ntp_time) = match self.clock {
            // The source's clock, put forward to now.
            Some((clock, since)) => {
                let passed = now.saturating_duration_since(since).as_secs_f64();
                (
                    clock.timestamp.wrapping_add((passed * f64::from(rate)) as u32),
                    clock.ntp.wrapping_add((passed * 4_294_967_296.0) as u64),
                )
            }
            None => {
                let passed = now.saturating_duration_since(at).as_secs_f64();
                (stamp.wrapping_add((passed * f64::from(rate)) as u32), ntp)
            }
        };
        self.reports.push_back(((ntp_time >> 16) as u32, now));
        if self.reports.len() > 8 {
            self.reports.pop_front();
        }
        Some(rtc::rtcp::sender_report::SenderReport {
            ssrc: self.track.ssrc,
            ntp_time,
            rtp_time: timestamp,
            packet_count: self.packets as u32,
            octet_count: self.octets as u32,
            reports: Vec::new(),
            profile_extensions: Bytes::new(),
        })
    }

    pub(crate) fn handle_report(
        &mut self,
        now: Instant,
        report: &rtc::rtcp::reception_report::ReceptionReport,
    ) {
        self.loss = f32::from(report.fraction_lost) / 256.0;
        // 24 bits with a sign.
        self.lost = i64::from((report.total_lost << 8) as i32 >> 8);
        self.jitter = report.jitter;
        let sent = self.reports.iter().find(|(middle, _)| *middle == report.last_sender_report);
        if let Some((_, sent)) = sent.filter(|_| report.last_sender_report != 0) {
            let held = Duration::from_secs_f64(f64::from(report.delay) / 65_536.0);
            self.round_trip = Some(now.saturating_duration_since(*sent).saturating_sub(held));
        }
    }

    pub(crate) fn is_video(&self) -> bool {
        self.track.kind == Kind::Video
    }

    pub(crate) fn has_sent(&self) -> bool {
        self.last.is_some()
    }

    pub(crate) fn statistics(&self) -> SendingStatistics {
        let rate = self.track.codecs.first().map_or(90_000, |codec| codec.codec.clock_rate());
        SendingStatistics {
            track: self.track.id,
            packets: self.packets,
            bytes: self.octets,
            resent: self.resent,
            nacked: self.nacked,
            key_frame_requests: self.key_frame_requests,
            loss: self.loss,
            lost: self.lost,
            jitter: Duration::from_secs_f64(f64::from(self.jitter) / f64::from(rate)),
            round_trip: self.round_trip,
        }
    }
}
