//! Where incoming calls ring, and which of several devices is taken.

use crate::kit::{Phone, options, quiet};
use crate::peer::{Peer, sdp};
use sidetone_api::{CallStatus, Command, Settings, SettingsChange};
use sidetone_engine::Options;
use sidetone_media::device::{DeviceNews, Devices, Direction, OpenedSink, OpenedSource, Selection};
use sidetone_media::{DeviceError, DeviceInfo, Synthetic};
use sidetone_testkit::audio::Wav;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn level(path: &Path) -> f32 {
    Wav::read(path).map_or(0.0, |wav| wav.rms())
}

fn with_files(dir: &Path) -> Settings {
    let mut settings = quiet();
    settings.audio.speaker = format!("file:{}", dir.join("speaker.wav").display());
    settings.audio.ringer = format!("file:{}", dir.join("ringer.wav").display());
    settings
}

#[tokio::test]
async fn a_call_rings_on_the_ringer_and_not_on_the_speaker() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = with_files(dir.path());
    let port = sidetone_testkit::free_port(crate::kit::LOOPBACK).unwrap();
    settings.network.sip_port = port;
    settings.accounts.push(crate::kit::unregistered("alice"));
    let mut phone = Phone::with(Options { tones: true, ..options(settings) }).await;
    let mut bob = Peer::new().await;
    let from = bob.uri("bob");
    bob.invite(&from, &format!("sip:alice@{}", phone.address()), Some(&sdp("0", "sendrecv")));
    let ringing = bob.serve_while(phone.ringing()).await;
    // The ringer writes its file as it goes.
    let rung = || Wav::written_seconds(&dir.path().join("ringer.wav")) > 0.5;
    let listening = async {
        while !rung() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(crate::kit::SOON, listening).await.expect("it rings");
    phone.hang_up(&ringing).await;
    bob.serve_while(phone.status(&ringing, CallStatus::Finish)).await;
    phone.finish().await;
    let (ringer, speaker) = (level(&dir.path().join("ringer.wav")), level(&dir.path().join("speaker.wav")));
    assert!(ringer > 0.01 && speaker < 0.001, "ringer {ringer}, speaker {speaker}");
}

type Tell = Box<dyn Fn(DeviceNews) + Send>;

/// A machine where a headset comes and goes.
#[derive(Default)]
struct Machine {
    headset: Mutex<bool>,
    asked: Mutex<Vec<Selection>>,
    tell: Mutex<Option<Tell>>,
}

impl Machine {
    fn plug(self: &Arc<Self>, there: bool) {
        *self.headset.lock().unwrap() = there;
        let machine = Arc::clone(self);
        std::thread::spawn(move || machine.tell.lock().unwrap().as_ref().unwrap()(DeviceNews::ListChanged));
    }
}

impl Devices for Machine {
    fn list(&self) -> Result<Vec<DeviceInfo>, DeviceError> {
        let device = |id: &str, is_default| DeviceInfo {
            id: id.into(),
            name: id.to_uppercase(),
            direction: Direction::Input,
            is_default,
        };
        let mut list = vec![device("laptop", true)];
        list.extend(self.headset.lock().unwrap().then(|| device("headset", false)));
        Ok(list)
    }

    fn open_source(&self, selection: &Selection) -> Result<OpenedSource, DeviceError> {
        self.asked.lock().unwrap().push(selection.clone());
        let name = match selection {
            Selection::Device(id) => id.to_uppercase(),
            _ => "LAPTOP".into(),
        };
        let mut opened = Synthetic.open_source(&Selection::Tone { hz: 440.0 })?;
        opened.effective.name = name;
        Ok(opened)
    }

    fn open_sink(&self, selection: &Selection) -> Result<OpenedSink, DeviceError> {
        Synthetic.open_sink(selection)
    }

    fn watch(&self, tell: Box<dyn Fn(DeviceNews) + Send>) {
        *self.tell.lock().unwrap() = Some(tell);
    }
}

#[tokio::test]
async fn a_preferred_headset_is_taken_when_it_comes_and_left_when_it_goes_in_a_call() {
    let machine = Arc::new(Machine::default());
    let mut settings = crate::kit::gateway();
    settings.audio.microphone = "default".into();
    settings.audio.preferred_microphones = vec!["device:headset".into()];
    let devices: Arc<dyn Devices> = Arc::clone(&machine) as Arc<dyn Devices>;
    let mut phone = Phone::with(Options { devices, ..options(settings) }).await;
    phone.is_registered().await;
    let call = phone.call("echo").await;
    phone.status(&call, CallStatus::Established).await;
    let uses = |name: &'static str| {
        move |state: &sidetone_api::Snapshot| state.devices.microphone.effective.as_deref() == Some(name)
    };
    phone.until("the laptop's", uses("LAPTOP")).await;
    machine.plug(true);
    phone.until("the headset's", uses("HEADSET")).await;
    machine.plug(false);
    phone.until("the laptop's again", uses("LAPTOP")).await;
    phone.hang_up(&call).await;
    phone.finish().await;
    let asked = machine.asked.lock().unwrap().clone();
    assert_eq!(asked, [Selection::Default, Selection::Device("headset".into()), Selection::Default]);
}

#[tokio::test]
async fn what_is_wrong_in_preferences_and_ringer_is_named() {
    let phone = Phone::start(quiet()).await;
    let good = phone.state().settings.audio.clone();
    let mut ringer = good.clone();
    ringer.ringer = "trumpet".into();
    let mut preferred = good;
    preferred.preferred_speakers = vec!["device:a".into(), "tone".into()];
    for (audio, field) in [(ringer, "audio.ringer"), (preferred, "audio.preferredSpeakers[1]")] {
        let change =
            Command::ChangeSettings(SettingsChange { audio: Some(audio), ..SettingsChange::default() });
        assert_eq!(phone.ask(change).await.unwrap_err().field.as_deref(), Some(field));
    }
    phone.finish().await;
}
