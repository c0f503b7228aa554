//! Whether our packets arrive, by what the far end reports (RFC 3550 section 6.4).

use std::time::{Duration, Instant};

use super::Observation;

/// The far end's report block about us.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FarReport {
    pub at: Instant,
    /// Of the time since its report before, 0 to 1.
    pub fraction_lost: f32,
}

/// As good as nothing arrived.
const ALL: f32 = 0.98;
/// Something did.
const SOME: f32 = 0.9;
/// Reports of the far end without a word about us, after which we are sure; one may be of the time before we sent.
const SILENT_REPORTS: u32 = 2;
/// A report soon after we began speaks of the time before.
const SETTLING: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Default)]
pub(super) struct Arrival {
    sending_since: Option<Instant>,
    packets: u64,
    far_sent: Option<u32>,
    last_report: Option<Instant>,
    silent_reports: u32,
    lost: bool,
}

impl Arrival {
    /// True while nothing of what we send arrives, as far as the far end tells. It is known as soon as its report says so;
    /// one that sends no reports tells nothing.
    pub(super) fn observe(&mut self, now: Instant, seen: &Observation) -> bool {
        if !seen.sends || (self.sending_since.is_none() && seen.packets_sent == self.packets) {
            self.packets = seen.packets_sent;
            self.restart();
            return false;
        }
        self.packets = seen.packets_sent;
        let since = *self.sending_since.get_or_insert(now);
        let fresh = seen.report.filter(|report| self.last_report.is_none_or(|last| report.at > last));
        if let Some(report) = fresh.filter(|report| report.at > since + SETTLING) {
            (self.last_report, self.silent_reports) = (Some(report.at), 0);
            self.lost = report.fraction_lost >= if self.lost { SOME } else { ALL };
        } else if seen.far_sent.is_some() && seen.far_sent != self.far_sent {
            // A sender report; whether a block about us is still to be noted is seen in this very look.
            self.silent_reports += u32::from(fresh.is_none() && now > since + SETTLING);
            self.lost |= self.silent_reports > SILENT_REPORTS;
        }
        self.far_sent = seen.far_sent;
        self.lost
    }

    pub(super) fn restart(&mut self) {
        let (packets, far_sent, last_report) = (self.packets, self.far_sent, self.last_report);
        *self = Self { packets, far_sent, last_report, ..Self::default() };
    }
}
