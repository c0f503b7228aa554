//! How statuses and ends of calls are told.

use super::{
    super::{Owner, text},
    Call,
};
use crate::io::clock;
use sidetone_api::{CallDirection, CallId, CallStatus, Event, HistoryEntry};
use sidetone_media::tone::CallProgress;
use std::time::{Duration, Instant};

/// How long the busy tone is played.
const END_TONE: Duration = Duration::from_secs(3);

impl Owner {
    /// 200 sent or received: media runs both ways.
    pub(in super::super) fn establish(&mut self, id: &CallId, info: &str) {
        let Some(call) = self.calls.get_mut(id) else { return };
        call.established_at = Some(clock::wallclock_ms());
        call.audible = true;
        self.sound(id);
        self.set_status(id, CallStatus::Established, info);
        self.report_transfer(id, 200, "OK");
        self.want_devices();
        self.on_agreed(id, false);
        self.dial_on(id, Instant::now());
    }

    pub(in super::super) fn set_status(&mut self, id: &CallId, status: CallStatus, info: &str) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let news = call.status != status || !call.announced;
        call.announced = true;
        call.status = status;
        call.info = text::shown(info);
        let event = Event::CallStatusEvent {
            status,
            call_id: id.clone(),
            session_id: call.session_id.clone(),
            info: call.info.clone(),
        };
        if news {
            self.publish(event);
        }
        self.publish_call(id);
        self.update_tone();
        self.want_devices();
    }

    pub(in super::super) fn publish_call(&mut self, id: &CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        call.look_at_video();
        let call = call.view();
        self.publish(Event::CallChanged { call });
    }

    /// The one place where calls end.
    pub(in super::super) fn end_call(&mut self, id: &CallId, status: CallStatus, info: &str) {
        self.end_transfer(id);
        // Only where nothing else has been reported.
        self.report_transfer(id, 480, "Temporarily Unavailable");
        self.set_status(id, status, info);
        let Some(call) = self.calls.remove(id) else { return };
        if let Some(video) = &call.video {
            video.close();
        }
        if let Some(leg) = &call.leg {
            leg.close(&self.media);
        }
        self.dissolve_conference();
        if call.is_ours() {
            self.add_history(call.entry());
            self.end_tone = end_tone(&call);
        }
        self.update_tone();
        self.want_devices();
        self.close_when_left(&call.session_id);
    }

    /// What the user should hear besides voices: ringback, ringing.
    pub(in super::super) fn update_tone(&mut self) {
        if !self.tones {
            return;
        }
        let is_quiet = !self.calls.values().any(Call::is_ours);
        let mut tone = self.end_tone.filter(|_| is_quiet).map(|(tone, _)| tone);
        for call in self.calls.values().filter(|call| call.is_ours() && !call.hung_up) {
            match (call.direction, call.status) {
                (CallDirection::Incoming, CallStatus::Ring) => tone = Some(CallProgress::Ring),
                (CallDirection::Outgoing, CallStatus::Ring) if !call.is_heard_early() => {
                    tone = tone.or(Some(CallProgress::Ringback));
                }
                _ => {}
            }
        }
        let is_spoken = |call: &Call| call.is_ours() && call.is_established();
        if tone == Some(CallProgress::Ring) && self.calls.values().any(is_spoken) {
            tone = Some(CallProgress::CallWaiting);
        }
        self.desk.progress(tone, &self.media);
    }
}

impl Call {
    /// As it is kept after its end.
    pub(super) fn entry(&self) -> HistoryEntry {
        let seconds = |since: u64| {
            u32::try_from(clock::wallclock_ms().saturating_sub(since) / 1000).unwrap_or(u32::MAX)
        };
        HistoryEntry {
            call_id: self.id.clone(),
            account_id: self.account_id.clone(),
            direction: self.direction,
            remote: self.shown_far(),
            remote_name: self.far_name(),
            status: self.status,
            info: self.info.clone(),
            started_at: self.started_at,
            seconds: self.established_at.map(seconds),
            missed: self.is_missed(),
            recording: None,
        }
    }
}

/// Why an outgoing call came to nothing, as a tone, and until when it is played.
fn end_tone(call: &Call) -> Option<(CallProgress, Instant)> {
    let tone = match call.status {
        CallStatus::Busy => CallProgress::Busy,
        CallStatus::Failed if call.direction == CallDirection::Outgoing => CallProgress::Congestion,
        _ => return None,
    };
    Some((tone, Instant::now() + END_TONE))
}
