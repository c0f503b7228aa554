//! Requests for key frames, in and out (RFC 4585 section 6.3.1, RFC 5104 section 4.3.1).

use std::time::{Duration, Instant};

use super::Session;
use crate::rtcp::{
    PayloadFeedback, write_full_intra_request, write_picture_loss, write_receiver_report,
    write_source_description,
};

/// Between two requests of ours.
const LEAST: Duration = Duration::from_millis(500);

/// How a key frame is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFrameRequest {
    /// PLI
    PictureLoss,
    /// FIR
    FullIntra,
}

#[derive(Debug, Default)]
pub(super) struct Feedback {
    wanted: bool,
    /// Sender and number of the last full intra request that was obeyed.
    obeyed: Option<(u32, u8)>,
    number: u8,
    asked: Option<Instant>,
}

impl Session {
    /// Whether the peer has asked for a key frame since this was asked last.
    pub fn take_key_frame_request(&mut self) -> bool {
        std::mem::take(&mut self.feedback.wanted)
    }

    /// When the next request for a key frame may be written; None for at once.
    pub fn key_frame_request_deadline(&self, now: Instant) -> Option<Instant> {
        self.feedback.asked.map(|asked| asked + LEAST).filter(|next| *next > now)
    }

    /// Writes a request for a key frame of the heard source: true where there is one, the last request is 500 ms ago,
    /// and RTCP is not off.
    pub fn write_key_frame_request(
        &mut self,
        now: Instant,
        request: KeyFrameRequest,
        out: &mut Vec<u8>,
    ) -> bool {
        let early = self.key_frame_request_deadline(now).is_some();
        let source = self.inbound.active().map(|source| source.ssrc);
        let (Some(media), Some(_), false) = (source, &self.reports.interval, early || self.closed) else {
            return false;
        };
        self.feedback.asked = Some(now);
        out.clear();
        let ours = self.outbound.ssrc;
        write_receiver_report(ours, &[], out);
        write_source_description(ours, &self.cname, out);
        match request {
            KeyFrameRequest::PictureLoss => write_picture_loss(ours, media, out),
            KeyFrameRequest::FullIntra => {
                self.feedback.number = self.feedback.number.wrapping_add(1);
                write_full_intra_request(ours, media, self.feedback.number, out);
            }
        }
        true
    }

    /// Gateways between the peers change SSRCs and forget it in feedback; a call has one picture each way, so whatever is
    /// not our own is for us.
    pub(super) fn on_feedback(&mut self, packet_type: u8, format: u8, body: &[u8]) {
        match PayloadFeedback::parse(packet_type, format, body) {
            Ok(Some(PayloadFeedback::PictureLoss { sender, .. })) if !self.is_own(sender) => {
                self.feedback.wanted = true;
            }
            Ok(Some(PayloadFeedback::FullIntra { sender, entries })) if !self.is_own(sender) => {
                let ours = self.outbound.ssrc;
                let mine = entries.iter().find(|(media, _)| *media == ours).or_else(|| entries.iter().next());
                let Some((_, number)) = mine else { return };
                // The same number again is the same request, repeated until it is obeyed.
                if self.feedback.obeyed.replace((sender, number)) != Some((sender, number)) {
                    self.feedback.wanted = true;
                }
            }
            Ok(_) => {}
            Err(_) => self.reports.rejected += 1,
        }
    }
}
