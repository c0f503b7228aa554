use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtp;

use super::extensions::{Ids, read_extensions};
use super::log::{Arrival, Log};
use super::queue::Queue;
use crate::sdp::MediaSection;
use crate::{
    CodecParameters, Kind, Received, ReceivingStatistics, ReceivingTrack, RtpPacket, SenderClock, TrackId,
};

/// Streams of one peer.
const TRACKS: usize = 64;
/// Between two requests for a key frame.
const KEY_FRAME: Duration = Duration::from_millis(300);

/// Where packets belong, and what has arrived of each stream.
#[derive(Debug, Default)]
pub(crate) struct Receiving {
    lines: Vec<Line>,
    tracks: Vec<Inbound>,
    sources: HashMap<u32, Source>,
    /// An SSRC of the far end's, for feedback about all of them.
    pub(crate) any: u32,
}

/// A media section that we receive.
#[derive(Debug)]
struct Line {
    mid: String,
    kind: Kind,
    codecs: Vec<CodecParameters>,
    rids: Vec<String>,
    flows: Vec<(u32, Option<u32>)>,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Media(usize),
    Repair(usize),
}

#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) id: TrackId,
    pub(crate) ssrc: u32,
    line: String,
    kind: Kind,
    rid: Option<String>,
    pub(crate) log: Log,
    pub(crate) feedback: crate::Feedback,
    asked: Option<Instant>,
    fir: u8,
    clock_rate: u32,
    last_pair: Option<(Instant, u32)>,
    pub(super) queue: Queue,
    jitter: f64,
    /// First arrivals that were no retransmissions.
    original: u64,
    repaired: u64,
    packets: u64,
    bytes: u64,
    key_frame_requests: u64,
    last: Option<Instant>,
    /// The middle bits of the last sender report's time, and when it came.
    report: Option<(u32, Instant)>,
    reported: (u64, u64),
}

/// What a packet turned out to be.
pub(crate) enum Outcome {
    Track(ReceivingTrack, Received),
    Packet(Received),
    Nothing,
}

impl Receiving {
    pub(crate) fn configure(&mut self, sections: &[MediaSection], flows: &[&[(u32, Option<u32>)]]) {
        self.lines.clear();
        for (section, flows) in sections.iter().zip(flows) {
            let Some(kind) = section.kind.filter(|_| section.direction.receives() && !section.declined)
            else {
                continue;
            };
            self.lines.push(Line {
                mid: section.mid.clone(),
                kind,
                codecs: section.codecs.clone(),
                rids: section.receives.clone(),
                flows: flows.to_vec(),
            });
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn logs(&self) -> impl Iterator<Item = &Log> {
        self.tracks.iter().map(|track| &track.log)
    }

    pub(crate) fn tracks(&mut self) -> impl Iterator<Item = &mut Inbound> {
        self.tracks.iter_mut()
    }

    pub(crate) fn track(&mut self, id: TrackId) -> Option<&mut Inbound> {
        self.tracks.iter_mut().find(|track| track.id == id)
    }

    pub(crate) fn by_ssrc(&mut self, ssrc: u32) -> Option<&mut Inbound> {
        self.tracks.iter_mut().find(|track| track.ssrc == ssrc)
    }

    pub(crate) fn handle(
        &mut self,
        now: Instant,
        mut packet: rtp::Packet,
        ids: &Ids,
        next: &mut u32,
    ) -> Outcome {
        let Some((source, is_new)) = self.source(&packet.header, ids, next) else { return Outcome::Nothing };
        let (Source::Media(place) | Source::Repair(place)) = source;
        let repaired = matches!(source, Source::Repair(_));
        let Some(track) = self.tracks.get_mut(place) else { return Outcome::Nothing };
        let Some(line) = self.lines.iter().find(|line| line.mid == track.line) else {
            return Outcome::Nothing;
        };
        let mut number = packet.header.payload_type;
        if repaired {
            // RFC 4588 section 4: the original sequence number stands before the payload; padding has neither.
            let Some(primary) = line.codecs.iter().find(|codec| codec.rtx == Some(number)) else {
                return Outcome::Nothing;
            };
            let [high, low, ..] = packet.payload[..] else { return Outcome::Nothing };
            packet.header.sequence_number = u16::from_be_bytes([high, low]);
            packet.payload = packet.payload.slice(2..);
            number = primary.payload_type;
        }
        let Some(codec) = line.codecs.iter().find(|codec| codec.payload_type == number) else {
            return Outcome::Nothing;
        };
        if !track.arrived(now, &packet, codec, repaired) {
            return Outcome::Nothing;
        }
        let extensions = read_extensions(&packet.header, ids);
        let received = Received {
            track: track.id,
            packet: RtpPacket {
                payload_type: number,
                sequence: packet.header.sequence_number,
                timestamp: packet.header.timestamp,
                marker: packet.header.marker,
                extensions,
                payload: packet.payload,
            },
            repaired,
            codec: codec.codec,
        };
        if !is_new {
            return Outcome::Packet(received);
        }
        let announced = ReceivingTrack {
            id: track.id,
            mid: track.line.clone(),
            kind: track.kind,
            rid: track.rid.clone(),
            codec: codec.clone(),
        };
        Outcome::Track(announced, received)
    }

    /// Whose packet it is: by its SSRC, its identifiers, what the description told of SSRCs, its payload type.
    fn source(&mut self, header: &rtp::Header, ids: &Ids, next: &mut u32) -> Option<(Source, bool)> {
        let ssrc = header.ssrc;
        if let Some(source) = self.sources.get(&ssrc) {
            return Some((*source, false));
        }
        let text = |id: Option<u8>| {
            let bytes: Bytes = id.and_then(|id| header.get_extension(id))?;
            Some(std::str::from_utf8(&bytes).ok()?.trim_end_matches('\0').to_owned())
        };
        let (mid, rid, repaired) = (text(ids.mid), text(ids.rid), text(ids.repaired_rid));
        let number = header.payload_type;
        let carries =
            |line: &&Line| line.codecs.iter().any(|c| c.payload_type == number || c.rtx == Some(number));
        let told =
            |line: &&Line| line.flows.iter().any(|(flow, repair)| *flow == ssrc || *repair == Some(ssrc));
        let line = match &mid {
            Some(mid) => self.lines.iter().find(|line| line.mid == *mid),
            None => self.lines.iter().find(told).or_else(|| {
                let mut lines = self.lines.iter().filter(carries);
                lines.next().filter(|_| lines.next().is_none())
            }),
        }?;
        if !carries(&line) {
            return None;
        }
        let is_repair = line.codecs.iter().any(|codec| codec.rtx == Some(number));
        let primary = line.flows.iter().find(|(_, repair)| *repair == Some(ssrc)).map(|(flow, _)| *flow);
        let mid = line.mid.clone();
        if is_repair {
            let of_line = |track: &Inbound| track.line == mid;
            let place = match (&repaired, primary) {
                (Some(rid), _) => self.tracks.iter().position(|t| of_line(t) && t.rid.as_ref() == Some(rid)),
                (None, Some(primary)) => self.tracks.iter().position(|t| t.ssrc == primary),
                (None, None) => {
                    let mut places = (0..).zip(&self.tracks).filter(|(_, track)| of_line(track));
                    places.next().map(|(place, _)| place).filter(|_| places.next().is_none())
                }
            }?;
            self.sources.insert(ssrc, Source::Repair(place));
            return Some((Source::Repair(place), false));
        }
        let rid = rid.filter(|rid| line.rids.contains(rid));
        if !line.rids.is_empty() && rid.is_none() {
            // Of which layer it is comes with a later packet.
            return None;
        }
        let codec = line.codecs.iter().find(|codec| codec.payload_type == number)?;
        let (kind, feedback, clock_rate) = (line.kind, codec.feedback, codec.codec.clock_rate());
        let known = self.tracks.iter().position(|track| track.line == mid && track.rid == rid);
        self.any = ssrc;
        if let Some(place) = known {
            // The far end has begun it again with another SSRC.
            if let Some(track) = self.tracks.get_mut(place) {
                self.sources.retain(
                    |_, source| !matches!(source, Source::Media(p) | Source::Repair(p) if *p == place),
                );
                track.ssrc = ssrc;
                track.log = Log::new(feedback.nack);
                track.queue = Queue::default();
                (track.last_pair, track.report, track.original, track.reported) = (None, None, 0, (0, 0));
            }
            self.sources.insert(ssrc, Source::Media(place));
            return Some((Source::Media(place), false));
        }
        if self.tracks.len() >= TRACKS {
            return None;
        }
        let place = self.tracks.len();
        self.tracks.push(Inbound::new(TrackId(*next), ssrc, mid, kind, rid, feedback, clock_rate));
        *next += 1;
        self.sources.insert(ssrc, Source::Media(place));
        Some((Source::Media(place), true))
    }
}

impl Inbound {
    fn new(
        id: TrackId,
        ssrc: u32,
        line: String,
        kind: Kind,
        rid: Option<String>,
        feedback: crate::Feedback,
        clock_rate: u32,
    ) -> Self {
        Self {
            id,
            ssrc,
            line,
            kind,
            rid,
            log: Log::new(feedback.nack),
            feedback,
            asked: None,
            fir: 0,
            clock_rate,
            last_pair: None,
            queue: Queue::default(),
            jitter: 0.0,
            original: 0,
            repaired: 0,
            packets: 0,
            bytes: 0,
            key_frame_requests: 0,
            last: None,
            report: None,
            reported: (0, 0),
        }
    }

    /// Whether it is to be handed on.
    fn arrived(
        &mut self,
        now: Instant,
        packet: &rtp::Packet,
        codec: &CodecParameters,
        repaired: bool,
    ) -> bool {
        let number = packet.header.sequence_number;
        let arrival =
            if repaired { self.log.record_repair(now, number) } else { self.log.record(now, number) };
        self.last = Some(now);
        if arrival == Arrival::Again {
            return false;
        }
        self.packets += 1;
        self.bytes += packet.payload.len() as u64;
        if repaired {
            self.repaired += 1;
            return true;
        }
        self.original += 1;
        self.clock_rate = codec.codec.clock_rate();
        self.jitter(now, packet.header.timestamp);
        self.queue.arrived(now, packet.header.timestamp, self.clock_rate);
        true
    }

    /// RFC 3550 appendix A.8, in units of the clock.
    fn jitter(&mut self, now: Instant, timestamp: u32) {
        let Some((before, stamp)) = self.last_pair.replace((now, timestamp)) else { return };
        let rate = f64::from(self.clock_rate);
        let arrived = now.saturating_duration_since(before).as_secs_f64() * rate;
        let difference = (arrived - f64::from(timestamp.wrapping_sub(stamp) as i32)).abs();
        if difference < rate * 10.0 {
            self.jitter += (difference - self.jitter) / 16.0;
        }
    }

    pub(crate) fn handle_sender_report(&mut self, now: Instant, clock: SenderClock) {
        self.report = Some(((clock.ntp >> 16) as u32, now));
    }

    /// What a receiver report tells of it (RFC 3550 section 6.4.1).
    pub(crate) fn report(&mut self, now: Instant) -> ReceptionReport {
        let expected = self.log.expected();
        let (since_expected, since_original) =
            (expected.saturating_sub(self.reported.0), self.original.saturating_sub(self.reported.1));
        self.reported = (expected, self.original);
        let lost = since_expected.saturating_sub(since_original);
        let fraction = (lost * 256).checked_div(since_expected).unwrap_or(0).min(255);
        let (last, delay) = self.report.map_or((0, 0), |(middle, at)| {
            let delay = now.saturating_duration_since(at).as_secs_f64() * 65_536.0;
            (middle, delay as u32)
        });
        ReceptionReport {
            ssrc: self.ssrc,
            fraction_lost: fraction as u8,
            total_lost: expected.saturating_sub(self.original).min(0x7f_ffff) as u32,
            last_sequence_number: self.log.extended(),
            jitter: self.jitter as u32,
            last_sender_report: last,
            delay,
        }
    }

    /// Whether one may be asked for now; the number that goes with a FIR.
    pub(crate) fn may_request_key_frame(&mut self, now: Instant) -> Option<u8> {
        if self.asked.is_some_and(|asked| now.saturating_duration_since(asked) < KEY_FRAME) {
            return None;
        }
        self.asked = Some(now);
        self.key_frame_requests += 1;
        self.fir = self.fir.wrapping_add(1);
        Some(self.fir)
    }

    pub(crate) fn is_video(&self) -> bool {
        self.kind == Kind::Video
    }

    pub(crate) fn statistics(&self) -> ReceivingStatistics {
        ReceivingStatistics {
            track: self.id,
            rid: self.rid.clone(),
            packets: self.packets,
            bytes: self.bytes,
            repaired: self.repaired,
            duplicates: self.log.duplicates,
            nacked: self.log.nacked,
            nacks: self.log.nacks,
            lost: self.log.lost,
            key_frame_requests: self.key_frame_requests,
            jitter: Duration::from_secs_f64(self.jitter / f64::from(self.clock_rate)),
            last_received: self.last,
        }
    }
}
