//! The microphone and the speaker: which are wanted, which are open, and what is wrong with them. Opening may take a sound
//! system's time, so it happens on threads of its own and comes back as an errand.

mod list;
mod news;
mod slot;
mod wanted;

use super::Errand;
use crate::io::media::{Ask, Door};
use list::choices;
use sidetone_api::{AudioSettings, DeviceChoice, DevicesView};
use sidetone_media::device::{Devices, Direction, OpenedSink, OpenedSource};
use sidetone_media::tone::CallProgress;
use sidetone_media::{DeviceError, DeviceInfo};
use slot::{Role, Slot};
use std::sync::Arc;
use tokio::sync::mpsc;

/// An opening that has come back.
#[derive(Debug)]
pub(super) struct Opened {
    role: Role,
    generation: u64,
    result: Result<Open, DeviceError>,
}

#[derive(Debug)]
enum Open {
    Source(OpenedSource),
    Sink(OpenedSink),
}

#[derive(Debug)]
pub(super) struct Listed(Result<Vec<DeviceInfo>, DeviceError>);

const ROLES: [Role; 3] = [Role::Microphone, Role::Speaker, Role::Ringer];

pub(super) struct Desk {
    pub(super) devices: Arc<dyn Devices>,
    errands: mpsc::Sender<Errand>,
    microphone: Slot,
    speaker: Slot,
    ringer: Slot,
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
            microphone: Slot::new(Role::Microphone, &audio.microphone, &audio.preferred_microphones),
            speaker: Slot::new(Role::Speaker, &audio.speaker, &audio.preferred_speakers),
            ringer: Slot::new(Role::Ringer, &audio.ringer, &audio.preferred_speakers),
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

    fn choices(&self) -> [DeviceChoice; 3] {
        [&self.microphone, &self.speaker, &self.ringer].map(|slot| slot.choice(&self.list))
    }

    fn slot(&mut self, role: Role) -> &mut Slot {
        match role {
            Role::Microphone => &mut self.microphone,
            Role::Speaker => &mut self.speaker,
            Role::Ringer => &mut self.ringer,
        }
    }

    /// Opens what could not be opened, or what is preferred to what is open: other devices are there now.
    fn try_again(&mut self, media: &Door) {
        for role in ROLES {
            let list = std::mem::take(&mut self.list);
            let again = self.slot(role).is_to_be_opened_again(&list);
            self.list = list;
            if again {
                self.reopen(role, media);
            }
        }
    }

    pub(super) fn view(&self) -> DevicesView {
        DevicesView {
            microphones: choices(Direction::Input, &self.list),
            speakers: choices(Direction::Output, &self.list),
            microphone: self.microphone.choice(&self.list),
            speaker: self.speaker.choice(&self.list),
            ringer: self.ringer.choice(&self.list),
            machine: self.machine.clone(),
        }
    }

    pub(super) fn progress(&mut self, tone: Option<CallProgress>, media: &Door) {
        if self.progress != tone {
            self.progress = tone;
            media.ask(Ask::Progress(tone));
        }
    }

    fn set_wanted(&mut self, role: Role, wanted: bool, media: &Door) {
        if std::mem::replace(&mut self.slot(role).wanted, wanted) != wanted {
            self.reopen(role, media);
        }
    }

    /// Closes what is open and opens what is wanted.
    fn reopen(&mut self, role: Role, media: &Door) {
        let list = std::mem::take(&mut self.list);
        let slot = self.slot(role);
        slot.generation += 1;
        (slot.effective, slot.problem) = (None, None);
        slot.asked = slot.target(&list).filter(|_| slot.wanted);
        let (generation, asked, was_open) =
            (slot.generation, slot.asked.clone(), std::mem::take(&mut slot.open));
        self.list = list;
        if was_open {
            media.ask(match role {
                Role::Microphone => Ask::Microphone(None),
                Role::Speaker => Ask::Speaker(None),
                Role::Ringer => Ask::Ringer(None),
            });
        }
        let Some(selection) = asked else { return };
        let (devices, errands) = (Arc::clone(&self.devices), self.errands.clone());
        tokio::task::spawn_blocking(move || {
            let result = match role.direction() {
                Direction::Input => devices.open_source(&selection).map(Open::Source),
                Direction::Output => devices.open_sink(&selection).map(Open::Sink),
            };
            let _ = errands.blocking_send(Errand::Device(Opened { role, generation, result }));
        });
    }
}
