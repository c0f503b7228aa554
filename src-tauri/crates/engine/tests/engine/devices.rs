//! Devices that fail, and tests of devices outside calls.

use crate::kit::{Phone, SOON, gateway, options, quiet};
use sidetone_api::CallStatus::Established;
use sidetone_api::{Command, Event, FailureCode, NoticeLevel};
use sidetone_engine::Options;
use sidetone_media::device::{DeviceNews, Devices, Direction, OpenedSink, OpenedSource, Selection};
use sidetone_media::{DeviceError, DeviceInfo, Flow, Frame, Source, Synthetic};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tokio::{sync::watch, time::timeout};

type Tell = Box<dyn Fn(DeviceNews) + Send>;

/// A machine whose devices open, or do not, as the test says.
#[derive(Default)]
struct Machine {
    broken: AtomicBool,
    sources: AtomicUsize,
    sinks: AtomicUsize,
    tell: Mutex<Option<Tell>>,
    /// Microphones that are open now.
    open: watch::Sender<usize>,
}

struct Microphone {
    tone: Box<dyn Source>,
    open: watch::Sender<usize>,
}

impl Source for Microphone {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        self.tone.read(frame)
    }
}

impl Drop for Microphone {
    fn drop(&mut self) {
        self.open.send_modify(|open| *open -= 1);
    }
}

impl Machine {
    fn broken() -> Arc<Self> {
        Arc::new(Self { broken: AtomicBool::new(true), ..Self::default() })
    }

    fn opened(&self) -> (usize, usize) {
        (self.sources.load(Ordering::SeqCst), self.sinks.load(Ordering::SeqCst))
    }

    async fn microphone_closes(&self) {
        let mut open = self.open.subscribe();
        timeout(SOON, open.wait_for(|open| *open == 0))
            .await
            .expect("it closes")
            .expect("the machine is there");
    }

    /// Tells it on a thread of its own, as machines do.
    fn mend(self: &Arc<Self>) {
        let machine = Arc::clone(self);
        std::thread::spawn(move || {
            machine.broken.store(false, Ordering::SeqCst);
            let tell = machine.tell.lock().unwrap();
            tell.as_ref().expect("the engine watches")(DeviceNews::ListChanged);
        });
    }
}

impl Devices for Machine {
    fn list(&self) -> Result<Vec<DeviceInfo>, DeviceError> {
        if self.broken.load(Ordering::SeqCst) {
            return Ok(Vec::new());
        }
        let device = |direction, id: &str| DeviceInfo {
            id: id.into(),
            name: id.to_uppercase(),
            direction,
            is_default: true,
        };
        Ok(vec![device(Direction::Input, "mic"), device(Direction::Output, "box")])
    }

    fn open_source(&self, selection: &Selection) -> Result<OpenedSource, DeviceError> {
        self.sources.fetch_add(1, Ordering::SeqCst);
        if self.broken.load(Ordering::SeqCst) {
            let selection = selection.to_string();
            return Err(DeviceError::NotFound { selection, direction: Direction::Input });
        }
        let tone = Synthetic.open_source(&Selection::Tone { hz: 440.0 })?;
        self.open.send_modify(|open| *open += 1);
        let microphone = Microphone { tone: tone.source, open: self.open.clone() };
        Ok(OpenedSource { source: Box::new(microphone), effective: tone.effective })
    }

    fn open_sink(&self, selection: &Selection) -> Result<OpenedSink, DeviceError> {
        self.sinks.fetch_add(1, Ordering::SeqCst);
        if self.broken.load(Ordering::SeqCst) {
            let selection = selection.to_string();
            return Err(DeviceError::NotFound { selection, direction: Direction::Output });
        }
        Synthetic.open_sink(&Selection::Null)
    }

    fn watch(&self, tell: Box<dyn Fn(DeviceNews) + Send>) {
        *self.tell.lock().unwrap() = Some(tell);
    }
}

async fn phone_with(machine: &Arc<Machine>) -> Phone {
    let mut settings = gateway();
    settings.audio.microphone = "default".into();
    settings.audio.speaker = "default".into();
    let devices: Arc<dyn Devices> = Arc::clone(machine) as Arc<dyn Devices>;
    let mut phone = Phone::with(Options { devices, ..options(settings) }).await;
    phone.is_registered().await;
    phone
}

#[tokio::test]
async fn a_call_goes_on_without_devices_and_says_what_is_wrong() {
    let machine = Machine::broken();
    let mut phone = phone_with(&machine).await;
    let call = phone.call("echo").await;
    phone.status(&call, Established).await;
    phone.check().await;
    assert_eq!(phone.notice("microphone could not be opened").await, NoticeLevel::Error);
    phone.check().await;
    let devices = phone.state().devices.clone();
    assert!(devices.microphone.problem.is_some_and(|problem| problem.contains("default")));
    assert!(devices.speaker.problem.is_some());
    // Silence is sent, so the echo sends it back.
    phone
        .wait("packets", |event| match event {
            Event::CallMeasured { statistics, .. } => (statistics.packets_received > 5).then_some(()),
            _ => None,
        })
        .await;
    machine.mend();
    phone
        .until("the devices", |state| {
            let (microphone, speaker) = (&state.devices.microphone, &state.devices.speaker);
            microphone.effective.is_some() && microphone.problem.is_none() && speaker.problem.is_none()
        })
        .await;
    phone
        .wait("the tone", |event| match event {
            Event::CallMeasured { statistics, .. } => (statistics.speaker.peak > -40.0).then_some(()),
            _ => None,
        })
        .await;
    phone.hang_up(&call).await;
    phone.check().await;
    // What was wrong is wrong no longer, and nothing is open.
    assert_eq!(phone.state().devices.microphone.problem, None);
    phone.finish().await;
}

#[tokio::test]
async fn no_microphone_is_open_before_a_call_is_answered() {
    let machine = Arc::new(Machine::default());
    let mut phone = phone_with(&machine).await;
    let call = phone.call("local").await;
    let incoming = phone.ringing().await;
    phone.check().await;
    assert_eq!(machine.opened().0, 0, "it only rings");
    phone.done(Command::Answer { call_id: incoming, video: false }).await;
    phone.status(&call, Established).await;
    phone
        .until("the microphone", |state| {
            state.devices.microphone.effective.as_deref().is_some_and(|name| name.contains("440"))
        })
        .await;
    assert_eq!(machine.opened(), (1, 1), "two calls share what is open");
    phone.finish().await;
}

#[tokio::test]
async fn the_microphone_is_measured_while_it_is_tested() {
    let machine = Arc::new(Machine::default());
    let mut phone = phone_with(&machine).await;
    phone.done(Command::TestMicrophone { on: true }).await;
    for _ in 0..3 {
        phone
            .wait("a level", |event| match event {
                Event::MicrophoneLevel { level } => (level.peak > -40.0).then_some(()),
                _ => None,
            })
            .await;
    }
    phone.done(Command::TestMicrophone { on: false }).await;
    machine.microphone_closes().await;
    phone.finish().await;
}

#[tokio::test]
async fn a_microphone_test_ends_with_its_last_client() {
    let machine = Arc::new(Machine::default());
    let mut phone = phone_with(&machine).await;
    phone.done(Command::TestMicrophone { on: true }).await;
    phone.wait("a level", |event| matches!(event, Event::MicrophoneLevel { .. }).then_some(())).await;
    let handle = phone.handle.clone();
    drop(phone);
    machine.microphone_closes().await;
    Phone::attached_to(handle).await.finish().await;
}

#[tokio::test]
async fn a_speaker_test_ends_by_itself_and_also_where_there_is_no_speaker() {
    let machine = Machine::broken();
    let mut phone = phone_with(&machine).await;
    phone.done(Command::TestSpeaker).await;
    phone.notice("speaker could not be opened").await;
    phone.check().await;
    assert_eq!(phone.state().devices.speaker.problem, None, "it is wanted no longer");
    machine.mend();
    phone.until("the list", |state| state.devices.speakers.iter().any(|device| device.name == "BOX")).await;
    phone.done(Command::TestSpeaker).await;
    // Open it is what it turned out to be, closed what would be opened.
    for name in ["Null", "BOX"] {
        phone.until(name, |state| state.devices.speaker.effective.as_deref() == Some(name)).await;
    }
    phone.finish().await;
}

#[tokio::test]
async fn a_device_that_does_not_exist_cannot_be_selected_by_a_senseless_name() {
    let phone = Phone::start(quiet()).await;
    for name in ["", "nonsense", "tone:loud", "device:\u{7}", &"device:x".repeat(5000)] {
        let select = Command::SelectDevices { microphone: Some(name.into()), speaker: None, ringer: None };
        let failure = phone.ask(select).await.unwrap_err();
        assert_eq!((failure.code, failure.field.as_deref()), (FailureCode::Invalid, Some("microphone")));
        assert!(failure.message.len() < 500, "{}", failure.message);
    }
    phone.finish().await;
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let mut settings = gateway();
    settings.audio.microphone = "file:/nowhere/voice.wav".into();
    let mut phone = Phone::start(settings).await;
    phone.is_registered().await;
    let call = phone.call("echo").await;
    phone.status(&call, Established).await;
    phone.notice("voice.wav").await;
    phone.finish().await;
}
