//! RTP and RTCP of one peer, in the clear: streams, repair both ways, feedback and the estimate.

mod answers;
mod arrivals;
mod departures;
pub(crate) mod estimate;
mod extensions;
mod feedback;
mod log;
mod pace;
mod pacer;
mod queue;
mod receiving;
mod sending;
mod sequence;

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use rtc::rtcp;
use rtc::rtp;
use rtc::shared::marshal::MarshalSize as _;

use crate::sdp::MediaSection;
use crate::{BitrateLimits, Event, PeerError, RtpPacket, SenderClock, SendingTrack, Statistics, TrackId};
use arrivals::Arrivals;
use departures::Departures;
use estimate::Estimate;
use extensions::Ids;
use pacer::Pacer;
use receiving::{Outcome, Receiving};
use sending::Outbound;

/// A payload that fits a datagram beside our headers (RFC 8085: 1280 bytes everywhere, 1500 nearly).
const LONGEST: usize = 1_400;
/// Between two reports.
const REPORTS: Duration = Duration::from_secs(1);
const FIRST_REPORT: Duration = Duration::from_millis(300);
/// SRTP's and UDP's share of a packet.
const AROUND: usize = 16 + 28;
/// RTP's own.
const HEAD: usize = 12;
/// A ceiling that is none.
const UNLIMITED: u64 = 1_000_000_000;
/// NTP's epoch before Unix's, in seconds.
const NTP: u64 = 2_208_988_800;

pub(crate) enum Out {
    Rtp(rtp::Packet),
    Rtcp(Vec<Box<dyn rtcp::Packet>>),
}

#[derive(Debug)]
pub(crate) struct Session {
    epoch: Instant,
    wall: SystemTime,
    ids: Ids,
    /// Of feedback where we send nothing.
    ssrc: u32,
    cname: String,
    next_track: u32,
    receiving: Receiving,
    sending: Vec<Outbound>,
    tracks: Vec<SendingTrack>,
    arrivals: Arrivals,
    departures: Departures,
    pub(crate) estimate: Estimate,
    pacer: Pacer,
    padded: u16,
    report_due: Option<Instant>,
    /// Bytes that may be resent.
    repair: (f64, Option<Instant>),
    out: VecDeque<Out>,
    events: VecDeque<Event>,
    has_feedback: bool,
    /// When the far end last told of arrivals.
    told: Option<Instant>,
    /// How much had been sent when loss was last reported, where there is no better feedback.
    told_loss: Option<(u64, Instant)>,
    bytes_sent: u64,
    bytes_received: u64,
    packets: (u64, u64),
    /// Bits per second that the far end may send.
    ceiling: Option<u64>,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Out")
    }
}

impl Session {
    pub(crate) fn new(
        now: Instant,
        wall: SystemTime,
        limits: BitrateLimits,
        ssrc: u32,
        cname: String,
    ) -> Self {
        Self {
            epoch: now,
            wall,
            ids: Ids::default(),
            ssrc,
            cname,
            next_track: 0,
            receiving: Receiving::default(),
            sending: Vec::new(),
            tracks: Vec::new(),
            arrivals: Arrivals::new(now),
            departures: Departures::default(),
            estimate: Estimate::new(now, limits),
            pacer: Pacer::default(),
            padded: 0,
            report_due: None,
            repair: (0.0, None),
            out: VecDeque::new(),
            events: VecDeque::new(),
            has_feedback: false,
            told: None,
            told_loss: None,
            bytes_sent: 0,
            bytes_received: 0,
            packets: (0, 0),
            ceiling: None,
        }
    }

    pub(crate) fn set_cname(&mut self, cname: &str) {
        cname.clone_into(&mut self.cname);
    }

    /// Takes over what was negotiated: the sections, with the SSRCs that the far end announced for each. `random` makes SSRCs and first numbers of what is new.
    pub(crate) fn configure(
        &mut self,
        sections: &[MediaSection],
        flows: &[&[(u32, Option<u32>)]],
        mut random: impl FnMut() -> u32,
    ) {
        self.ids = Ids::of(sections);
        self.receiving.configure(sections, flows);
        let sends = |section: &&MediaSection| !section.declined && section.direction.sends();
        let gone = |mid: &String| !sections.iter().any(|section| section.mid == *mid && sends(&section));
        self.sending.retain(|outbound| !gone(&outbound.track.mid));
        for section in sections.iter().filter(sends) {
            let Some(kind) = section.kind else { continue };
            let layers: Vec<Option<String>> = match section.sends.is_empty() {
                true => vec![None],
                false => section.sends.iter().cloned().map(Some).collect(),
            };
            for rid in layers {
                let is =
                    |outbound: &&mut Outbound| outbound.track.mid == section.mid && outbound.track.rid == rid;
                if let Some(known) = self.sending.iter_mut().find(is) {
                    known.update(section);
                    continue;
                }
                let flow = section.flows.first().filter(|_| rid.is_none());
                let ssrc = flow.map_or_else(&mut random, |(ssrc, _)| *ssrc);
                let rtx = flow.and_then(|(_, rtx)| *rtx).unwrap_or_else(&mut random);
                let id = TrackId(self.next_track);
                self.next_track += 1;
                let track = SendingTrack {
                    id,
                    mid: section.mid.clone(),
                    kind,
                    rid,
                    ssrc,
                    codecs: section.codecs.clone(),
                };
                self.sending.push(Outbound::new(track, rtx, random() as u16));
            }
        }
        self.tracks = self.sending.iter().map(|outbound| outbound.track.clone()).collect();
    }

    pub(crate) fn tracks(&self) -> &[SendingTrack] {
        &self.tracks
    }

    /// SSRCs of a section that was negotiated before.
    pub(crate) fn flow(&self, mid: &str) -> Option<(u32, Option<u32>)> {
        let outbound = self.sending.iter().find(|o| o.track.mid == mid && o.track.rid.is_none())?;
        let has_rtx = outbound.track.codecs.iter().any(|codec| codec.rtx.is_some());
        Some((outbound.track.ssrc, has_rtx.then(|| outbound.rtx_ssrc())))
    }

    pub(crate) fn receives(&self) -> bool {
        !self.receiving.is_empty()
    }

    pub(crate) fn connected(&mut self, now: Instant) {
        self.report_due = Some(now + FIRST_REPORT);
    }

    pub(crate) fn write_rtp(
        &mut self,
        now: Instant,
        track: TrackId,
        packet: &RtpPacket,
    ) -> Result<(), PeerError> {
        let outbound = self.sending.iter().find(|outbound| outbound.track.id == track);
        let outbound = outbound.ok_or(PeerError::NoTrack(track.0))?;
        outbound.codec(packet.payload_type)?;
        if packet.payload.len() > LONGEST {
            return Err(PeerError::TooLong(packet.payload.len()));
        }
        if !outbound.is_video() {
            self.emit(now, track, packet);
            return Ok(());
        }
        self.fill_pacer(now);
        if self.pacer.is_empty() && self.pacer.may() {
            self.pacer.spend(packet.payload.len());
            self.emit(now, track, packet);
        } else {
            if self.pacer.backlog(now) > LATEST {
                self.pacer.clear(track);
                self.events.push_back(Event::Behind { track });
            }
            self.pacer.push(now, track, packet);
        }
        Ok(())
    }

    fn fill_pacer(&mut self, now: Instant) {
        self.pacer.fill(now, self.estimate.bps());
        // Where no report comes nothing is known: then time alone paces.
        let is_told = self.told.is_some_and(|told| now.saturating_duration_since(told) < UNTOLD);
        let window = self.estimate.window().filter(|_| is_told);
        self.pacer.set_full(window.is_some_and(|window| self.departures.in_flight() as f64 > window));
    }

    /// How long video has waited for the path to have room.
    pub(crate) fn backlog(&self, now: Instant) -> Duration {
        self.pacer.backlog(now)
    }

    /// Nothing of it goes on before the far end has told of what is on its way.
    pub(crate) fn is_path_full(&self) -> bool {
        self.pacer.is_full()
    }

    fn emit(&mut self, now: Instant, track: TrackId, packet: &RtpPacket) {
        let ids = self.ids;
        let Some(outbound) = self.sending.iter_mut().find(|o| o.track.id == track) else { return };
        let counted = outbound.codec(packet.payload_type).is_ok_and(|codec| codec.feedback.transport_cc);
        let made = outbound.write(now, packet, &ids);
        let probe = self.estimate.probes.current();
        self.send(now, made, counted, probe);
    }

    fn send(&mut self, now: Instant, mut packet: rtp::Packet, counted: bool, probe: Option<u32>) {
        if let Some(id) = self.ids.transport_cc.filter(|_| counted) {
            let number = self.departures.next();
            let set = packet.header.set_extension(id, Bytes::copy_from_slice(&number.to_be_bytes()));
            if set.is_ok() {
                let size = packet.header.marshal_size() + packet.payload.len() + AROUND;
                self.departures.record(now, size, probe);
                if probe.is_some() {
                    self.estimate.probes.sent(now, size);
                }
            }
        }
        self.bytes_sent += packet.payload.len() as u64;
        self.packets.0 += 1;
        self.out.push_back(Out::Rtp(packet));
    }

    pub(crate) fn handle_rtp(&mut self, now: Instant, packet: rtp::Packet) {
        self.bytes_received += packet.payload.len() as u64;
        self.packets.1 += 1;
        if let Some(number) = self.ids.transport_cc.and_then(|id| packet.header.get_extension(id))
            && let [high, low] = number[..]
        {
            self.arrivals.record(now, u16::from_be_bytes([high, low]));
        }
        let ids = self.ids;
        match self.receiving.handle(now, packet, &ids, &mut self.next_track) {
            Outcome::Track(track, received) => {
                self.events.push_back(Event::Track(track));
                self.events.push_back(Event::Rtp(received));
            }
            Outcome::Packet(received) => self.events.push_back(Event::Rtp(received)),
            Outcome::Nothing => {}
        }
    }

    fn resend(&mut self, now: Instant, ssrc: u32, sequences: impl Iterator<Item = u16>) {
        let (ids, round_trip) = (self.ids, self.round_trip());
        let (credit, filled) = self.repair;
        let rate = self.estimate.for_repair() / 8.0;
        let passed = filled.map_or(1.0, |at| now.saturating_duration_since(at).as_secs_f64());
        let mut credit = (credit + rate * passed).min(rate.max(30_000.0));
        for sequence in sequences.take(1_000) {
            let Some(outbound) = self.sending.iter_mut().find(|o| o.track.ssrc == ssrc) else { break };
            if credit <= 0.0 {
                break;
            }
            if let Some(packet) = outbound.resend(now, sequence, round_trip, &ids) {
                credit -= packet.payload.len() as f64;
                self.send(now, packet, true, None);
            }
        }
        self.repair = (credit, Some(now));
    }

    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.sending.iter().filter_map(Outbound::round_trip).next()
    }

    /// Asks for a key frame.
    pub(crate) fn request_key_frame(&mut self, now: Instant, track: TrackId) -> Result<(), PeerError> {
        let sender = self.own_ssrc();
        let inbound = self.receiving.track(track).ok_or(PeerError::NoTrack(track.0))?;
        self.out.extend(feedback::key_frame(now, inbound, sender).map(Out::Rtcp));
        Ok(())
    }

    pub(crate) fn octets(&self) -> (u64, u64) {
        let (sent, received) = self.packets;
        let around = (HEAD + AROUND) as u64;
        (self.bytes_sent + sent * around, self.bytes_received + received * around)
    }

    /// Told again with each report, as one may be lost.
    pub(crate) fn set_ceiling(&mut self, bps: Option<u64>) {
        if self.ceiling != bps {
            // Without a limit any more: more than anybody sends.
            let told = bps.unwrap_or(UNLIMITED);
            self.ceiling = bps;
            self.tell_ceiling(told);
        }
    }

    fn own_ssrc(&self) -> u32 {
        self.sending.first().map_or(self.ssrc, |outbound| outbound.track.ssrc)
    }

    pub(crate) fn set_sender_clock(
        &mut self,
        now: Instant,
        track: TrackId,
        clock: SenderClock,
    ) -> Result<(), PeerError> {
        let outbound = self.sending.iter_mut().find(|outbound| outbound.track.id == track);
        outbound.ok_or(PeerError::NoTrack(track.0))?.set_clock(now, clock);
        Ok(())
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, round_trip: Option<Duration>) {
        self.fill_pacer(now);
        while let Some((track, packet)) = self.pacer.pop() {
            self.pacer.spend(packet.payload.len());
            self.emit(now, track, &packet);
            self.fill_pacer(now);
        }
        let sender = self.own_ssrc();
        for inbound in self.receiving.tracks() {
            feedback::repair(now, inbound, sender, round_trip, &mut self.out, &mut self.events);
        }
        for report in self.arrivals.handle_timeout(now, sender, self.receiving.any) {
            self.out.push_back(Out::Rtcp(vec![Box::new(report)]));
        }
        if self.report_due.is_some_and(|due| due <= now) {
            self.report(now);
            self.report_due = Some(now + REPORTS);
        }
        self.estimate.handle_timeout(now);
        self.probe(now);
    }

    /// Fills probes with what went before.
    fn probe(&mut self, now: Instant) {
        let Some(place) = self.sending.iter().position(|o| o.is_video() && o.has_sent()) else { return };
        if !self.has_feedback {
            return;
        }
        if self.estimate.probes.current().is_none() && !self.estimate.begin_probe(now) {
            return;
        }
        let ids = self.ids;
        for _ in 0..40 {
            let Some((probe, due)) = self.estimate.probes.due(now).filter(|(_, due)| *due > 0) else { break };
            let _ = due;
            self.padded = (self.padded + 1) % 32;
            let padded = self.padded;
            let Some(outbound) = self.sending.get_mut(place) else { break };
            let Some(packet) = outbound.padding(now, padded, &ids).or_else(|| outbound.padding(now, 0, &ids))
            else {
                // Nothing to fill it with: what is sent anyway has to do.
                self.estimate.probes.hold(now, Duration::from_secs(1));
                break;
            };
            self.send(now, packet, true, Some(probe));
        }
    }

    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let repair = self.receiving.poll_timeout();
        let probing = self.has_feedback && self.sending.iter().any(|o| o.is_video() && o.has_sent());
        let probe = self.estimate.poll_timeout(now).filter(|_| probing).map(|at| at.max(now + PROBE_STEP));
        [self.pacer.poll_timeout(), repair, self.arrivals.poll_timeout(), self.report_due, probe]
            .into_iter()
            .flatten()
            .min()
    }

    pub(crate) fn poll_out(&mut self) -> Option<Out> {
        self.out.pop_front()
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Seconds since 1900, as RTCP counts them.
    fn ntp(&self, now: Instant) -> u64 {
        let since = self.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let since = since + now.saturating_duration_since(self.epoch);
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        (since.as_secs().wrapping_add(NTP)) << 32 | fraction
    }

    pub(crate) fn statistics(&mut self) -> Statistics {
        Statistics {
            estimate: self.estimate.bps() as u64,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            sending: self.sending.iter().map(Outbound::statistics).collect(),
            receiving: self.receiving.tracks().map(|inbound| inbound.statistics()).collect(),
            ..Statistics::default()
        }
    }
}

/// Video that has waited for longer is of no use any more.
const LATEST: Duration = Duration::from_secs(1);
/// Without a report for so long, one was lost or the path is dead.
const UNTOLD: Duration = Duration::from_millis(500);
const PROBE_STEP: Duration = Duration::from_millis(3);

#[cfg(test)]
mod tests;
