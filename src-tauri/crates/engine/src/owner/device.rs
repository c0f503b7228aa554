//! The microphone and the speaker: which are wanted, which are open, and what is wrong with them. Opening may take a sound
//! system's time, so it happens on threads of its own and comes back as an errand.

use super::{Errand, Owner, call::Call};
use crate::io::media::{Ask, Door, News};
use sidetone_api::{
    AudioSettings, DeviceChoice, DeviceView, DevicesView, Event, Failure, NoticeLevel, Reply,
};
use sidetone_media::device::{Devices, Direction, OpenedSink, OpenedSource, Selection};
use sidetone_media::tone::CallProgress;
use sidetone_media::{DeviceError, DeviceFault, DeviceInfo, DeviceNews};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What needs no hardware and has entries of its own.
const SYNTHETIC: [&str; 3] = ["silence", "tone", "null"];
/// A test tone of one second.
const TEST_TONE_BEATS: u32 = 100;

#[derive(Debug)]
pub(super) enum Opened {
    Microphone { generation: u64, result: Result<OpenedSource, DeviceError> },
    Speaker { generation: u64, result: Result<OpenedSink, DeviceError> },
}

#[derive(Debug)]
pub(super) struct Listed(Result<Vec<DeviceInfo>, DeviceError>);

/// One direction.
#[derive(Debug)]
struct Slot {
    direction: Direction,
    /// What the settings say.
    selection: String,
    /// Somebody speaks or listens.
    wanted: bool,
    /// Grows with every opening and closing: an opening that comes back late is thrown away.
    generation: u64,
    open: bool,
    effective: Option<String>,
    problem: Option<String>,
}

impl Slot {
    fn new(direction: Direction, selection: &str) -> Self {
        let selection = selection.to_owned();
        Self {
            direction,
            selection,
            wanted: false,
            generation: 0,
            open: false,
            effective: None,
            problem: None,
        }
    }

    fn choice(&self, list: &[DeviceInfo]) -> DeviceChoice {
        let would_be = || would_open(&self.selection, self.direction, list);
        DeviceChoice {
            selection: self.selection.clone(),
            effective: self.effective.clone().or_else(would_be),
            problem: self.problem.clone(),
        }
    }
}

pub(super) struct Desk {
    devices: Arc<dyn Devices>,
    errands: mpsc::Sender<Errand>,
    microphone: Slot,
    speaker: Slot,
    list: Vec<DeviceInfo>,
    testing_microphone: bool,
    testing_speaker: bool,
    progress: Option<CallProgress>,
    machine: String,
}

impl Desk {
    pub(super) fn new(
        devices: Arc<dyn Devices>,
        audio: &AudioSettings,
        errands: mpsc::Sender<Errand>,
    ) -> Self {
        Self {
            devices,
            errands,
            microphone: Slot::new(Direction::Input, &audio.microphone),
            speaker: Slot::new(Direction::Output, &audio.speaker),
            list: Vec::new(),
            testing_microphone: false,
            testing_speaker: false,
            progress: None,
            machine: crate::io::names::machine(),
        }
    }

    /// Reads the list of devices and hears of their changes from now on.
    pub(super) fn watch(&self) {
        let errands = self.errands.clone();
        self.devices.watch(Box::new(move |news| {
            let _ = errands.blocking_send(Errand::DeviceNews(news));
        }));
        self.read_list();
    }

    fn read_list(&self) {
        let (devices, errands) = (Arc::clone(&self.devices), self.errands.clone());
        tokio::task::spawn_blocking(move || {
            let _ = errands.blocking_send(Errand::Devices(Listed(devices.list())));
        });
    }

    pub(super) fn view(&self) -> DevicesView {
        DevicesView {
            microphones: choices(Direction::Input, &self.list),
            speakers: choices(Direction::Output, &self.list),
            microphone: self.microphone.choice(&self.list),
            speaker: self.speaker.choice(&self.list),
            machine: self.machine.clone(),
        }
    }

    pub(super) fn progress(&mut self, tone: Option<CallProgress>, media: &Door) {
        if self.progress != tone {
            self.progress = tone;
            media.ask(Ask::Progress(tone));
        }
    }

    fn set_wanted(&mut self, microphone: bool, speaker: bool, media: &Door) {
        if self.microphone.wanted != microphone {
            self.microphone.wanted = microphone;
            self.reopen_microphone(media);
        }
        if self.speaker.wanted != speaker {
            self.speaker.wanted = speaker;
            self.reopen_speaker(media);
        }
    }

    fn reopen_microphone(&mut self, media: &Door) {
        let slot = &mut self.microphone;
        slot.generation += 1;
        (slot.effective, slot.problem) = (None, None);
        if std::mem::take(&mut slot.open) {
            media.ask(Ask::Microphone(None));
        }
        let Some(selection) = slot.selection.parse::<Selection>().ok().filter(|_| slot.wanted) else {
            return;
        };
        let (devices, errands, generation) =
            (Arc::clone(&self.devices), self.errands.clone(), slot.generation);
        tokio::task::spawn_blocking(move || {
            let result = devices.open_source(&selection);
            let _ = errands.blocking_send(Errand::Device(Opened::Microphone { generation, result }));
        });
    }

    fn reopen_speaker(&mut self, media: &Door) {
        let slot = &mut self.speaker;
        slot.generation += 1;
        (slot.effective, slot.problem) = (None, None);
        if std::mem::take(&mut slot.open) {
            media.ask(Ask::Speaker(None));
        }
        let Some(selection) = slot.selection.parse::<Selection>().ok().filter(|_| slot.wanted) else {
            return;
        };
        let (devices, errands, generation) =
            (Arc::clone(&self.devices), self.errands.clone(), slot.generation);
        tokio::task::spawn_blocking(move || {
            let result = devices.open_sink(&selection);
            let _ = errands.blocking_send(Errand::Device(Opened::Speaker { generation, result }));
        });
    }
}

impl Owner {
    /// Opens what calls, tones and tests need, closes what nobody needs: no microphone is open without a reason.
    pub(super) fn want_devices(&mut self) {
        let speaker = !self.calls.is_empty() || self.desk.testing_speaker;
        let microphone = self.calls.values().any(Call::is_established) || self.desk.testing_microphone;
        self.desk.set_wanted(microphone, speaker, &self.media);
    }

    /// The settings name other devices.
    pub(super) fn apply_devices(&mut self) {
        let audio = self.settings.get().audio.clone();
        if self.desk.microphone.selection != audio.microphone {
            self.desk.microphone.selection = audio.microphone;
            self.desk.reopen_microphone(&self.media);
        }
        if self.desk.speaker.selection != audio.speaker {
            self.desk.speaker.selection = audio.speaker;
            self.desk.reopen_speaker(&self.media);
        }
        self.publish_devices();
    }

    pub(super) fn test_microphone(&mut self, on: bool) -> Result<Reply, Failure> {
        self.desk.testing_microphone = on;
        self.media.ask(Ask::MeasureMicrophone(on));
        self.want_devices();
        Ok(Reply::Done)
    }

    pub(super) fn test_speaker(&mut self) -> Result<Reply, Failure> {
        self.desk.testing_speaker = true;
        self.want_devices();
        self.media.ask(Ask::TestTone { beats: TEST_TONE_BEATS });
        Ok(Reply::Done)
    }

    pub(super) fn on_device_opened(&mut self, opened: Opened) {
        let (slot, generation, result) = match opened {
            Opened::Microphone { generation, result } => {
                let result = result.map(|opened| (Ask::Microphone(Some(opened.source)), opened.effective));
                (&mut self.desk.microphone, generation, result)
            }
            Opened::Speaker { generation, result } => {
                let result = result.map(|opened| (Ask::Speaker(Some(opened.sink)), opened.effective));
                (&mut self.desk.speaker, generation, result)
            }
        };
        if slot.generation != generation || !slot.wanted {
            return;
        }
        let trouble = match result {
            Ok((ask, effective)) => {
                (slot.open, slot.effective, slot.problem) = (true, Some(effective.name), None);
                self.media.ask(ask);
                None
            }
            Err(error) => {
                let what = if slot.direction == Direction::Input { "microphone" } else { "speaker" };
                slot.problem = Some(error.to_string());
                Some(format!("the {what} could not be opened: {error}"))
            }
        };
        if let Some(trouble) = trouble {
            self.notice(NoticeLevel::Error, trouble, None);
        }
        self.publish_devices();
    }

    pub(super) fn on_devices_listed(&mut self, Listed(result): Listed) {
        let hardware = |info: &DeviceInfo| !SYNTHETIC.contains(&info.id.as_str());
        let list: Vec<DeviceInfo> = match result {
            Ok(list) => list.into_iter().filter(hardware).collect(),
            Err(error) => {
                tracing::debug!("devices: {error}");
                Vec::new()
            }
        };
        if list != self.desk.list {
            self.desk.list = list;
            self.publish_devices();
        }
    }

    pub(super) fn on_device_news(&mut self, news: DeviceNews) {
        let DeviceNews::Open { direction, text, device, trouble } = news else {
            return self.desk.read_list();
        };
        let (what, slot) = match direction {
            Direction::Input => ("microphone", &mut self.desk.microphone),
            Direction::Output => ("speaker", &mut self.desk.speaker),
        };
        if !slot.wanted {
            return;
        }
        slot.effective = device.map(|device| device.name);
        slot.problem = trouble.then(|| text.clone());
        let level = if trouble { NoticeLevel::Warning } else { NoticeLevel::Info };
        self.notice(level, format!("{what}: {text}"), None);
        self.publish_devices();
    }

    pub(super) fn on_news(&mut self, news: News) {
        match news {
            News::Measured { leg, statistics } => {
                if let Some(call) =
                    self.calls.values_mut().find(|call| call.leg.as_ref().is_some_and(|own| own.id == leg))
                {
                    call.statistics = Some(statistics);
                    let call_id = call.id.clone();
                    self.publish(Event::CallMeasured { call_id, statistics });
                }
            }
            News::Digit { leg, digit } => {
                if let Some(call_id) = self.call_of_leg(leg) {
                    self.publish(Event::DtmfReceived { call_id, digit: digit.into() });
                }
            }
            News::Silent { leg } => self.tell_call(
                leg,
                NoticeLevel::Warning,
                "nothing has been heard from the far end for 3 seconds",
            ),
            News::HeardAgain { leg } => self.tell_call(leg, NoticeLevel::Info, "the far end is heard again"),
            News::MicrophoneLevel(level) => self.publish(Event::MicrophoneLevel { level }),
            News::TestToneEnded => {
                self.desk.testing_speaker = false;
                self.want_devices();
            }
            // Hardware tells its story through `Devices::watch`; what is left is a file that cannot be written.
            News::Microphone(fault) => tracing::debug!("microphone: {fault}"),
            News::Speaker(DeviceFault::Failed { reason }) => {
                self.notice(NoticeLevel::Error, format!("speaker: {reason}"), None);
            }
            News::Speaker(fault) => tracing::debug!("speaker: {fault}"),
            News::MicrophoneEnded => self.notice(NoticeLevel::Info, "the microphone's file has ended", None),
        }
    }

    fn call_of_leg(&self, leg: crate::io::media::LegId) -> Option<sidetone_api::CallId> {
        let mut calls = self.calls.values();
        calls.find(|call| call.leg.as_ref().is_some_and(|own| own.id == leg)).map(|call| call.id.clone())
    }

    fn tell_call(&mut self, leg: crate::io::media::LegId, level: NoticeLevel, info: &str) {
        if let Some(call) = self.call_of_leg(leg) {
            self.notice(level, info, Some(call));
        }
    }
}

fn choices(direction: Direction, list: &[DeviceInfo]) -> Vec<DeviceView> {
    let synthetic = |selection: &str, name: &str| DeviceView {
        selection: selection.into(),
        name: name.into(),
        is_default: false,
        hardware: false,
    };
    let mut views = Vec::new();
    if list.iter().any(|info| info.direction == direction) {
        views.push(DeviceView { hardware: true, ..synthetic("default", "System default") });
    }
    views.extend(list.iter().filter(|info| info.direction == direction).map(|info| DeviceView {
        selection: format!("device:{}", info.id),
        name: info.name.clone(),
        is_default: info.is_default,
        hardware: true,
    }));
    match direction {
        Direction::Input => views.extend([synthetic("tone", "Test tone"), synthetic("silence", "Silence")]),
        Direction::Output => views.push(synthetic("null", "No sound")),
    }
    views
}

/// The name of what a selection would open now.
fn would_open(selection: &str, direction: Direction, list: &[DeviceInfo]) -> Option<String> {
    let mut devices = list.iter().filter(|info| info.direction == direction);
    match selection.parse::<Selection>().ok()? {
        Selection::Default => devices.find(|info| info.is_default).map(|info| info.name.clone()),
        Selection::Device(id) => devices.find(|info| info.id == id).map(|info| info.name.clone()),
        synthetic => Some(synthetic.to_string()),
    }
}
