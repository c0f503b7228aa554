//! What devices, the media thread and openings that took their time have to say.

use super::super::moving::SILENCE;
use super::{
    super::{Owner, call::Call},
    Listed, Open, Opened, Role,
    list::is_hardware,
};
use crate::io::media::{Ask, LegId, News};
use sidetone_api::{CallId, CallProblem, CallProblemKind, CallStatus, Event, NoticeLevel};
use sidetone_media::device::Direction;
use sidetone_media::{DeviceFault, DeviceInfo, DeviceNews, SoundProblem};
use std::time::Instant;

impl Owner {
    pub(in super::super) fn on_device_opened(&mut self, opened: Opened) {
        let Opened { role, generation, result } = opened;
        let slot = self.desk.slot(role);
        if slot.generation != generation || !slot.wanted {
            // Nobody wants it any more, and closing it may take time.
            tokio::task::spawn_blocking(move || drop(result));
            return;
        }
        match result {
            Ok(open) => {
                let (ask, effective) = match open {
                    Open::Source(opened) => (Ask::Microphone(Some(opened.source)), opened.effective),
                    Open::Sink(opened) if role == Role::Ringer => {
                        (Ask::Ringer(Some(opened.sink)), opened.effective)
                    }
                    Open::Sink(opened) => (Ask::Speaker(Some(opened.sink)), opened.effective),
                };
                (slot.open, slot.effective, slot.problem) = (true, Some(effective.name), None);
                self.media.ask(ask);
            }
            Err(error) => {
                slot.problem = Some(error.to_string());
                let what = role.name();
                let else_ = if role == Role::Ringer { "; calls ring on the speaker" } else { "" };
                self.notice(
                    NoticeLevel::Error,
                    &format!("the {what} could not be opened: {error}{else_}"),
                    None,
                );
                if role == Role::Speaker {
                    self.end_speaker_test();
                }
            }
        }
        self.publish_devices();
    }

    pub(in super::super) fn on_devices_listed(&mut self, Listed(result): Listed) {
        let list: Vec<DeviceInfo> = match result {
            Ok(list) => list.into_iter().filter(is_hardware).collect(),
            Err(error) => {
                tracing::debug!("devices: {error}");
                Vec::new()
            }
        };
        if list != self.desk.list {
            self.desk.list = list;
            self.desk.try_again(&self.media);
            self.publish_devices();
        }
    }

    pub(in super::super) fn on_device_news(&mut self, news: DeviceNews) {
        let DeviceNews::Open { direction, text, device, trouble } = news else {
            return self.desk.read_list();
        };
        // The news does not say which of two open outputs it is about; of an idle speaker there is none.
        let role = match direction {
            Direction::Input => Role::Microphone,
            Direction::Output if self.desk.speaker.open || !self.desk.ringer.open => Role::Speaker,
            Direction::Output => Role::Ringer,
        };
        let (what, slot) = (role.name(), self.desk.slot(role));
        if !slot.wanted {
            return;
        }
        slot.effective = device.map(|device| device.name);
        slot.problem = trouble.then(|| text.clone());
        let level = if trouble { NoticeLevel::Warning } else { NoticeLevel::Info };
        self.notice(level, &format!("{what}: {text}"), None);
        self.publish_devices();
    }

    pub(in super::super) fn on_news(&mut self, news: News) {
        match news {
            News::Measured { leg, statistics } => {
                let call = self.calls.values_mut().find(|call| call.has_leg(leg));
                if let Some(call) = call {
                    call.statistics = Some(statistics);
                    let call_id = call.id.clone();
                    self.publish(Event::CallMeasured { call_id: call_id.clone(), statistics });
                    self.on_early_measured(&call_id, &statistics);
                }
            }
            News::KeyFrameWanted { leg } => self.ask_key_frame(leg),
            News::VideoShown { leg } => self.on_video_shown(leg),
            News::Digit { leg, digit } => {
                if let Some(call_id) = self.call_of_leg(leg) {
                    self.publish(Event::DtmfReceived { call_id, digit: digit.into() });
                } else if let Some(call) = self.exchange.call_of_leg(leg) {
                    // The other end of a bridge takes no telephone events.
                    self.send_key(call, digit);
                }
            }
            News::KeyLost { leg } => {
                if let Some(id) = self.call_of_leg(leg) {
                    let info = "some keys were not sent: too many wait; press fewer at a time";
                    self.notice(NoticeLevel::Warning, info, Some(&id));
                }
            }
            News::Sound { leg, problem } => self.on_sound(leg, problem),
            News::StreamSound { stream, problem } => self.on_stream_inputs(stream, problem),
            News::Recording { leg, status } => self.on_recording(leg, status),
            News::Recorded { recorded } => self.on_recorded(&recorded),
            News::Gathered { leg, component, address } => self.on_gathered(leg, component, address),
            News::Secured { leg, suite } => self.on_secured(leg, suite),
            News::NoMedia { leg, reason, brief } => self.on_no_media(leg, &reason, brief),
            News::Silent { leg } => self.on_silent(leg),
            News::MicrophoneLevel(level) => {
                self.publish(Event::MicrophoneLevel { level });
                if !self.publisher.has_readers() {
                    // Whoever tested has gone without switching it off.
                    let _ = self.test_microphone(false);
                }
            }
            News::TestToneEnded => self.end_speaker_test(),
            // Hardware tells its story through `Devices::watch`; what is left is a file that cannot be read or written.
            News::Microphone(DeviceFault::Failed { reason }) => {
                self.notice(NoticeLevel::Error, &format!("microphone: {reason}"), None);
            }
            News::Speaker(DeviceFault::Failed { reason }) => {
                self.notice(NoticeLevel::Error, &format!("speaker: {reason}"), None);
            }
            News::Microphone(fault) | News::Speaker(fault) => tracing::debug!("device: {fault}"),
            News::MicrophoneEnded => {
                self.notice(NoticeLevel::Info, "the microphone's file has ended", None);
            }
        }
    }

    fn call_of_leg(&self, leg: LegId) -> Option<CallId> {
        self.calls.values().find(|call| call.has_leg(leg)).map(|call| call.id.clone())
    }

    fn on_secured(&mut self, leg: LegId, suite: &'static str) {
        let Some(call) = self.calls.values_mut().find(|call| call.has_leg(leg)) else { return };
        if let Some(leg) = &mut call.leg {
            leg.set_secured(suite);
        }
        let id = call.id.clone();
        self.publish_call(&id);
    }

    /// A call without media is none: it ends, and says why.
    fn on_no_media(&mut self, leg: LegId, reason: &str, brief: &str) {
        if self.on_no_video(leg, reason) {
            return;
        }
        if let Some(id) = self.call_of_client_leg(leg) {
            tracing::info!(call = %id, "no media with the client: {reason}");
            return self.fail_call(&id, brief);
        }
        match self.call_of_leg(leg) {
            Some(id) => self.fail_call(&id, reason),
            None => self.exchange.on_no_media(leg, reason),
        }
    }

    /// Far ends of SIP may go on after an outage, and the user sees that nothing is heard. Of a client's own leg nobody else knows.
    fn on_silent(&mut self, leg: LegId) {
        if let Some(id) = self.call_of_client_leg(leg) {
            self.fail_call(&id, "Failed by RTP activity");
        }
    }

    /// Ends a call that cannot be.
    pub(in super::super) fn fail_call(&mut self, id: &CallId, reason: &str) {
        if let Some(sip) = self.calls.get(id).and_then(|call| call.sip) {
            self.phone.ua.hang_up(Instant::now(), sip, Some(reason));
        }
        self.end_call(id, CallStatus::Failed, reason);
    }

    /// What is wrong with a call's sound, or that all is well again.
    fn on_sound(&mut self, leg: LegId, problem: Option<SoundProblem>) {
        let Some(call) = self.calls.values_mut().find(|call| call.has_leg(leg)) else { return };
        let before = std::mem::replace(&mut call.problem, problem.map(described));
        let is_silent = |problem: &CallProblem| problem.kind == CallProblemKind::NothingReceived;
        call.due.probe =
            call.problem.as_ref().filter(|problem| is_silent(problem)).map(|_| Instant::now() + SILENCE);
        let id = call.id.clone();
        let now = call.problem.clone();
        // Clients learn first of what the notice is about: they need not say it twice.
        self.publish_call(&id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        match (&now, before) {
            (Some(problem), _) => {
                let info = problem.info.clone();
                self.notice(NoticeLevel::Warning, &info, Some(&id));
            }
            (None, Some(before)) if before.kind == CallProblemKind::NothingReceived => {
                // Who is heard is there, whether he has answered our question or not.
                call.due.gone = None;
                self.notice(NoticeLevel::Info, "the far end is heard again", Some(&id));
            }
            (None, _) => {}
        }
    }
}

/// In words, with what to do.
fn described(problem: SoundProblem) -> CallProblem {
    let (kind, info) = match problem {
        SoundProblem::NothingReceived => (
            CallProblemKind::NothingReceived,
            "nothing has been heard from the far end for 3 seconds: ask whether they are muted, or hold and resume the call",
        ),
        SoundProblem::NothingArrives => (
            CallProblemKind::NothingArrives,
            "the far end receives nothing of your sound: a firewall may be in the way; hold and resume the call",
        ),
        SoundProblem::SilentMicrophone => (
            CallProblemKind::SilentMicrophone,
            "the microphone gives no sound: look for a switch on it, or choose another one",
        ),
        SoundProblem::SpeakingWhileMuted => {
            (CallProblemKind::SpeakingWhileMuted, "you are muted, and nobody hears you: unmute to be heard")
        }
    };
    CallProblem { kind, info: info.into() }
}

impl Call {
    pub(in super::super) fn has_leg(&self, leg: LegId) -> bool {
        self.leg.as_ref().is_some_and(|own| own.id == leg)
    }
}
