//! RTCP both ways.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rtc::rtcp;
use rtc::rtcp::goodbye::Goodbye;
use rtc::rtcp::payload_feedbacks::full_intra_request::{FirEntry, FullIntraRequest};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::source_description::{
    SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
};
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};

use super::receiving::{Inbound, Receiving};
use super::{Out, Session};
use crate::{Event, SenderClock};

type Packets = Vec<Box<dyn rtcp::Packet>>;

/// Numbers of one request.
const NUMBERS: usize = 200;
/// Streams of one report (RFC 3550 section 6.4.1).
const REPORTED: usize = 31;

/// A request for a key frame, where it is time for one: PLI (RFC 4585), else FIR (RFC 5104).
pub(super) fn key_frame(now: Instant, inbound: &mut Inbound, sender: u32) -> Option<Packets> {
    let feedback = inbound.feedback;
    if !inbound.is_video() || !(feedback.pli || feedback.fir) {
        return None;
    }
    let number = inbound.may_request_key_frame(now)?;
    let (sender_ssrc, media_ssrc) = (sender, inbound.ssrc);
    if feedback.pli {
        return Some(vec![Box::new(PictureLossIndication { sender_ssrc, media_ssrc })]);
    }
    let fir = vec![FirEntry { ssrc: media_ssrc, sequence_number: number }];
    Some(vec![Box::new(FullIntraRequest { sender_ssrc, media_ssrc: 0, fir })])
}

/// Asks for what is missing of a stream; what is gone for good costs a key frame.
pub(super) fn repair(
    now: Instant,
    inbound: &mut Inbound,
    sender: u32,
    round_trip: Option<Duration>,
    out: &mut VecDeque<Out>,
    events: &mut VecDeque<Event>,
) {
    inbound.log.set_queue(inbound.queue.wait());
    let requests = inbound.log.handle_timeout(now, round_trip);
    for numbers in requests.sequences.chunks(NUMBERS) {
        out.push_back(Out::Rtcp(vec![Box::new(TransportLayerNack {
            sender_ssrc: sender,
            media_ssrc: inbound.ssrc,
            nacks: nack_pairs_from_sequence_numbers(numbers),
        })]));
    }
    if requests.lost > 0 {
        events.push_back(Event::Lost { track: inbound.id, packets: requests.lost });
        out.extend(key_frame(now, inbound, sender).map(Out::Rtcp));
    }
}

impl Receiving {
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.logs().filter_map(|log| log.poll_timeout()).min()
    }
}

impl Session {
    pub(crate) fn handle_rtcp(&mut self, now: Instant, packets: &[Box<dyn rtcp::Packet>]) {
        for packet in packets {
            let packet = packet.as_any();
            if let Some(report) = packet.downcast_ref::<SenderReport>() {
                self.on_sender_report(now, report);
            } else if let Some(report) = packet.downcast_ref::<ReceiverReport>() {
                self.on_reports(now, &report.reports);
            } else if let Some(nack) = packet.downcast_ref::<TransportLayerNack>() {
                let numbers = nack.nacks.iter().flat_map(|pair| {
                    let bits = (0..16).filter(move |bit| pair.lost_packets >> bit & 1 == 1);
                    std::iter::once(pair.packet_id)
                        .chain(bits.map(move |bit| pair.packet_id.wrapping_add(bit + 1)))
                });
                self.resend(now, nack.media_ssrc, numbers);
            } else if let Some(report) = packet.downcast_ref::<TransportLayerCc>() {
                let results = self.departures.results(report);
                self.has_feedback = true;
                self.told = Some(now);
                self.estimate.handle(now, &results);
            } else if let Some(pli) = packet.downcast_ref::<PictureLossIndication>() {
                self.on_key_frame_request(pli.media_ssrc, None);
            } else if let Some(fir) = packet.downcast_ref::<FullIntraRequest>() {
                for entry in &fir.fir {
                    self.on_key_frame_request(entry.ssrc, Some(entry.sequence_number));
                }
            } else if let Some(remb) = packet.downcast_ref::<ReceiverEstimatedMaximumBitrate>() {
                // Beside times of each packet it is a ceiling: what a server lets one have.
                if remb.bitrate.is_finite() {
                    self.estimate.handle_remb(now, f64::from(remb.bitrate));
                }
            } else if let Some(goodbye) = packet.downcast_ref::<Goodbye>() {
                for ssrc in goodbye.sources.iter().take(REPORTED) {
                    if let Some(inbound) = self.receiving.by_ssrc(*ssrc) {
                        self.events.push_back(Event::Ended { track: inbound.id });
                    }
                }
            }
        }
        if let Some(bps) = self.estimate.poll().filter(|_| !self.sending.is_empty()) {
            self.events.push_back(Event::Estimate { bps });
        }
    }

    fn on_sender_report(&mut self, now: Instant, report: &SenderReport) {
        self.on_reports(now, &report.reports);
        let clock = SenderClock { ntp: report.ntp_time, timestamp: report.rtp_time };
        if let Some(inbound) = self.receiving.by_ssrc(report.ssrc) {
            inbound.handle_sender_report(now, clock);
            self.events.push_back(Event::SenderClock { track: inbound.id, clock });
        }
    }

    fn on_reports(&mut self, now: Instant, reports: &[ReceptionReport]) {
        let mut worst: Option<f64> = None;
        for report in reports {
            if let Some(outbound) = self.sending.iter_mut().find(|o| o.track.ssrc == report.ssrc) {
                outbound.handle_report(now, report);
                let loss = f64::from(report.fraction_lost) / 256.0;
                worst = Some(worst.map_or(loss, |worst| worst.max(loss)));
            }
        }
        if let Some(loss) = worst.filter(|_| !self.has_feedback) {
            let (bytes, since) = self.told_loss.replace((self.bytes_sent, now)).unwrap_or((0, self.epoch));
            let seconds = now.saturating_duration_since(since).as_secs_f64().max(0.1);
            let sent = self.bytes_sent.saturating_sub(bytes) as f64 * 8.0 / seconds;
            self.estimate.handle_loss(now, loss, sent);
        }
    }

    fn on_key_frame_request(&mut self, ssrc: u32, fir: Option<u8>) {
        let Some(outbound) = self.sending.iter_mut().find(|o| o.track.ssrc == ssrc) else { return };
        // A FIR is repeated with its number until it is obeyed (RFC 5104 section 4.3.1).
        if fir.is_some() && outbound.fir == fir {
            return;
        }
        outbound.fir = fir.or(outbound.fir);
        outbound.key_frame_requests += 1;
        let event = Event::KeyFrameRequested { track: outbound.track.id };
        if !self.events.contains(&event) {
            self.events.push_back(event);
        }
    }

    /// Sender reports of what we send, receiver reports of what we get, and our name.
    pub(super) fn report(&mut self, now: Instant) {
        let ntp = self.ntp(now);
        let mut reports: Vec<ReceptionReport> =
            self.receiving.tracks().take(REPORTED).map(|inbound| inbound.report(now)).collect();
        let mut sent = false;
        for outbound in &mut self.sending {
            let Some(mut report) = outbound.sender_report(now, ntp) else { continue };
            report.reports = std::mem::take(&mut reports);
            let name = name(report.ssrc, &self.cname);
            self.out.push_back(Out::Rtcp(vec![Box::new(report), Box::new(name)]));
            sent = true;
        }
        if !sent {
            let ssrc = self.own_ssrc();
            let report = ReceiverReport { ssrc, reports, ..Default::default() };
            self.out.push_back(Out::Rtcp(vec![Box::new(report), Box::new(name(ssrc, &self.cname))]));
        }
        if let Some(bps) = self.ceiling {
            self.tell_ceiling(bps);
        }
    }

    /// What the far end may send of all that it sends (draft-alvestrand-rmcat-remb-03), where it knows how to be told.
    pub(super) fn tell_ceiling(&mut self, bps: u64) {
        let told = self.receiving.tracks().filter(|inbound| inbound.is_video() && inbound.feedback.remb);
        let ssrcs: Vec<u32> = told.map(|inbound| inbound.ssrc).take(REPORTED).collect();
        if !ssrcs.is_empty() {
            let (sender_ssrc, bitrate) = (self.own_ssrc(), bps as f32);
            let remb = ReceiverEstimatedMaximumBitrate { sender_ssrc, bitrate, ssrcs };
            self.out.push_back(Out::Rtcp(vec![Box::new(remb)]));
        }
    }

    /// Says that our streams end.
    pub(crate) fn goodbye(&mut self) {
        let sources: Vec<u32> =
            self.sending.iter().map(|outbound| outbound.track.ssrc).take(REPORTED).collect();
        if !sources.is_empty() {
            let report = ReceiverReport { ssrc: self.own_ssrc(), ..Default::default() };
            let goodbye = Goodbye { sources, ..Default::default() };
            self.out.push_back(Out::Rtcp(vec![Box::new(report), Box::new(goodbye)]));
        }
    }
}

fn name(ssrc: u32, cname: &str) -> SourceDescription {
    let item = SourceDescriptionItem { sdes_type: SdesType::SdesCname, text: cname.to_owned().into() };
    SourceDescription { chunks: vec![SourceDescriptionChunk { source: ssrc, items: vec![item] }] }
}
