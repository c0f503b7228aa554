use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::Session;
use super::inbound::Presence;
use super::interval::{Interval, Members};
use super::jitter::to_duration;
use super::stats::{RemoteView, SenderClock};
use crate::NtpTime;
use crate::error::Error;
use crate::ntp::{from_short, to_short};
use crate::rtcp::{
    Compound, Packet, ReportBlock, SenderInfo, write_goodbye, write_receiver_report, write_sender_report,
    write_source_description,
};

/// Sender reports kept to recognise an LSR.
const REMEMBERED: usize = 8;
/// A member that is silent for this many intervals is no longer counted (RFC 3550 section 6.3.5).
const TIME_OUT: u32 = 5;
/// A round trip beyond this is no measurement.
const LONGEST: Duration = Duration::from_secs(60);

/// RTCP state of a session.
#[derive(Debug)]
pub(super) struct Reports {
    pub(super) interval: Option<Interval>,
    /// Middle of the NTP time and moment of sending of our last sender reports.
    sent: VecDeque<(u32, Instant)>,
    /// The report before the last one.
    before: Option<Instant>,
    last: Option<Instant>,
    /// Last sign of life by RTCP.
    heard: Option<Instant>,
    pub(super) present: bool,
    /// An SSRC of ours that is to be given up with a BYE.
    pub(super) abandoned: Option<u32>,
    pub(super) remote_view: Option<RemoteView>,
    pub(super) round_trip: Option<Duration>,
    pub(super) cname: Option<Arc<str>>,
    pub(super) remote_sent: Option<u32>,
    pub(super) fraction_lost: u8,
    pub(super) rejected: u64,
}

impl Reports {
    pub(super) fn new(interval: Option<Interval>) -> Self {
        Self {
            interval,
            sent: VecDeque::with_capacity(REMEMBERED),
            before: None,
            last: None,
            heard: None,
            present: false,
            abandoned: None,
            remote_view: None,
            round_trip: None,
            cname: None,
            remote_sent: None,
            fraction_lost: 0,
            rejected: 0,
        }
    }
}

impl Session {
    /// Takes an RTCP datagram: the whole compound or, with an error, nothing of it.
    pub fn handle_rtcp(&mut self, now: Instant, datagram: &[u8]) -> Result<(), Error> {
        let compound = Compound::parse(datagram).inspect_err(|_| self.reports.rejected += 1)?;
        let mut from_peer = false;
        for packet in compound.packets() {
            from_peer |= self.on_rtcp(now, packet);
        }
        if !from_peer {
            return Ok(());
        }
        self.reports.heard = Some(now);
        if let Some(interval) = &mut self.reports.interval {
            interval.received(datagram.len());
        }
        Ok(())
    }

    /// Writes the compound that is due: report, CNAME, and a BYE for an SSRC given up after a collision.
    pub fn poll_rtcp(&mut self, now: Instant, wallclock: SystemTime, out: &mut Vec<u8>) -> bool {
        if let Some(ssrc) = self.reports.abandoned.take().filter(|_| self.reports.interval.is_some()) {
            out.clear();
            write_receiver_report(ssrc, &[], out);
            write_source_description(ssrc, &self.cname, out);
            write_goodbye(&[ssrc], None, out);
            return true;
        }
        self.time_out(now);
        let members = self.members();
        let due = self.reports.interval.as_mut().is_some_and(|interval| interval.expire(now, members));
        if !due || self.closed {
            return false;
        }
        out.clear();
        self.write_report(now, wallclock, out);
        self.reports.before = self.reports.last.replace(now);
        if let Some(interval) = &mut self.reports.interval {
            interval.sent(now, out.len(), members);
        }
        true
    }

    /// Ends the session with a last report and a BYE; false where nothing was ever sent (RFC 3550 section 6.3.7) or
    /// RTCP is off.
    pub fn goodbye(
        &mut self,
        now: Instant,
        wallclock: SystemTime,
        reason: Option<&str>,
        out: &mut Vec<u8>,
    ) -> bool {
        let silent = self.outbound.last_sent.is_none() && self.reports.last.is_none();
        if std::mem::replace(&mut self.closed, true) || silent || self.reports.interval.is_none() {
            return false;
        }
        out.clear();
        self.write_report(now, wallclock, out);
        write_goodbye(&[self.outbound.ssrc], reason, out);
        true
    }

    /// Whether it came from the peer, as far as we can know.
    fn on_rtcp(&mut self, now: Instant, packet: Packet<'_>) -> bool {
        let ours = self.outbound.ssrc;
        match packet {
            Packet::SenderReport { ssrc, .. } | Packet::ReceiverReport { ssrc, .. } if self.is_own(ssrc) => {
                false
            }
            Packet::SenderReport { ssrc, info, blocks } => {
                if let Some(source) = self.inbound.active_mut().filter(|source| source.ssrc == ssrc) {
                    source.last_sr = Some((info.ntp.middle(), now));
                    source.clock = Some(SenderClock { ntp: info.ntp, rtp_timestamp: info.rtp_timestamp });
                    self.reports.remote_sent = Some(info.packets);
                }
                self.reports.present = true;
                blocks.iter().filter(|block| block.ssrc == ours).for_each(|block| self.on_block(now, block));
                true
            }
            Packet::ReceiverReport { blocks, .. } => {
                self.reports.present = true;
                blocks.iter().filter(|block| block.ssrc == ours).for_each(|block| self.on_block(now, block));
                true
            }
            Packet::SourceDescription(chunks) => {
                let active = self.inbound.active().map(|source| source.ssrc);
                let chunk = chunks.iter().find(|chunk| Some(chunk.ssrc) == active && chunk.ssrc != ours);
                if let Some(cname) = chunk.and_then(|chunk| chunk.items.cname()) {
                    self.reports.cname = Some(String::from_utf8_lossy(cname).into());
                }
                false
            }
            Packet::Goodbye(goodbye) => {
                let source = self.inbound.active_mut().filter(|source| source.ssrc != ours);
                if let Some(source) = source.filter(|s| goodbye.sources().any(|ssrc| ssrc == s.ssrc)) {
                    source.presence = Presence::Left;
                    self.leave(now);
                }
                false
            }
            Packet::Other { packet_type, count, body } => {
                self.on_feedback(packet_type, count, body);
                false
            }
            Packet::Application { .. } => false,
        }
    }

    fn on_block(&mut self, now: Instant, block: ReportBlock) {
        let jitter = to_duration(block.jitter, self.outbound.clock_rate().unwrap_or(8000));
        self.reports.remote_view = Some(RemoteView {
            fraction_lost: f32::from(block.fraction_lost) / 256.0,
            lost: block.cumulative_lost,
            jitter: jitter.min(LONGEST),
            at: now,
        });
        let ours = self.reports.sent.iter().find(|(middle, _)| *middle == block.last_sr);
        let Some((_, at)) = ours.filter(|_| block.last_sr != 0) else { return };
        let elapsed = now.saturating_duration_since(*at);
        let held = from_short(block.delay);
        // The peer's clock may tick a little slower or faster than ours; more than 10 ms is nonsense.
        if held <= elapsed + Duration::from_millis(10) && elapsed <= LONGEST {
            self.reports.round_trip = Some(elapsed.saturating_sub(held));
        }
    }

    fn write_report(&mut self, now: Instant, wallclock: SystemTime, out: &mut Vec<u8>) {
        let block = self.report_block(now);
        let blocks = block.as_slice();
        let ssrc = self.outbound.ssrc;
        if self.members().we_sent {
            let ntp = NtpTime::from_wallclock(wallclock);
            let info = SenderInfo {
                ntp,
                rtp_timestamp: self.outbound.captured(now),
                packets: self.outbound.packets as u32,
                octets: self.outbound.octets as u32,
            };
            write_sender_report(ssrc, &info, blocks, out);
            if self.reports.sent.len() == REMEMBERED {
                self.reports.sent.pop_front();
            }
            self.reports.sent.push_back((ntp.middle(), now));
        } else {
            write_receiver_report(ssrc, blocks, out);
        }
        write_source_description(ssrc, &self.cname, out);
    }

    /// About the heard source, if it was heard since the report before the last one.
    fn report_block(&mut self, now: Instant) -> Option<ReportBlock> {
        let before = self.reports.before;
        let source = self.inbound.active_mut()?;
        if source.presence != Presence::Here || before.is_some_and(|before| source.last_heard < before) {
            return None;
        }
        let fraction_lost = source.sequence.take_fraction();
        self.reports.fraction_lost = fraction_lost;
        let (last_sr, delay) = match source.last_sr {
            Some((middle, at)) => (middle, to_short(now.saturating_duration_since(at))),
            None => (0, 0),
        };
        Some(ReportBlock {
            ssrc: source.ssrc,
            fraction_lost,
            cumulative_lost: source.sequence.lost().clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_sequence: source.sequence.highest_reported(),
            jitter: source.jitter.units(),
            last_sr,
            delay,
        })
    }

    fn members(&self) -> Members {
        let recent = |at: Option<Instant>| {
            at.is_some() && (self.reports.before.is_none() || at >= self.reports.before)
        };
        let we_sent = recent(self.outbound.last_sent);
        let here = self.inbound.active().filter(|source| source.presence == Presence::Here);
        let heard = here.map(|source| source.last_heard);
        let remote_sends = recent(heard);
        let members = 1 + u32::from(self.reports.present || heard.is_some());
        Members { members, senders: u32::from(we_sent) + u32::from(remote_sends), we_sent }
    }

    fn time_out(&mut self, now: Instant) {
        let members = self.members();
        let Some(interval) = &self.reports.interval else { return };
        let patience = interval.deterministic(members) * TIME_OUT;
        let rtp = self.inbound.active().map(|source| source.last_heard);
        let silent = |at: Option<Instant>| at.is_none_or(|at| now.saturating_duration_since(at) > patience);
        if members.members > 1 && silent(rtp) && silent(self.reports.heard) {
            if let Some(source) = self.inbound.active_mut() {
                source.presence = Presence::TimedOut;
            }
            self.leave(now);
        }
    }

    fn leave(&mut self, now: Instant) {
        self.reports.present = false;
        let members = self.members().members;
        if let Some(interval) = &mut self.reports.interval {
            interval.left(now, members);
        }
    }
}
