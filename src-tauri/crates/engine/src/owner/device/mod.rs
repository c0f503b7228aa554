//! The microphone and the speaker: which are wanted, which are open, and what is wrong with them. Opening may take a sound
//! system's time, so it happens on threads of its own and comes back as an errand.

mod list;
mod news;
mod wanted;

use super::Errand;
use crate::io::media::{Ask, Door};
use list::{choices, would_open};
use sidetone_api::{AudioSettings, DeviceChoice, DevicesView};
use sidetone_media::device::{Devices, Direction, OpenedSink, OpenedSource, Selection};
use sidetone_media::tone::CallProgress;
use sidetone_media::{DeviceError, DeviceInfo};
use std::sync::Arc;
use tokio::sync::mpsc;

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

    fn choices(&self) -> (DeviceChoice, DeviceChoice) {
        (self.microphone.choice(&self.list), self.speaker.choice(&self.list))
    }

    /// Opens what could not be opened; other devices are there now.
    fn try_again(&mut self, media: &Door) {
        let failed = |slot: &Slot| slot.wanted && !slot.open && slot.problem.is_some();
        if failed(&self.microphone) {
            self.reopen_microphone(media);
        }
        if failed(&self.speaker) {
            self.reopen_speaker(media);
        }
    }

    pub(super) fn view(&self) -> DevicesView {
        DevicesView {
            microphones: choices(Direction::Input, &self.list),
            speakers: choices(Direction::Output, &self.list),
            microphone: self.microphone.choice(&self.list),
            speaker: self.speaker.choice(&self.list),
            ringer: DeviceChoice::default(),
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
