//! The devices of this machine, and the synthetic ones with them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use sidetone_media::{
    DeviceError, DeviceFault, DeviceInfo, DeviceNews, Devices, Direction, Flow, Frame, OpenedSink,
    OpenedSource, OpenedVideo, Selection, Sink, Source, Synthetic, VideoInfo, VideoSelection, VideoWish,
};

use crate::control::{self, Command, Control, PortSlot, Wanted, port_slot};
use crate::event::{DeviceEvent, EndpointId};
use crate::pictures;
use crate::platform::NO_SYSTEM_SOUND;
use crate::stream::Port;

/// How long the sound system may take to answer. cpal itself gives a new connection two seconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// Events kept for a reader; each device change makes two or three.
const EVENTS: usize = 256;

/// Microphones and speakers of this machine.
///
/// [`Selection::Default`] follows the system's default device. [`Selection::Device`] uses the default one while
/// the chosen one is not there. Neither fails to open: a machine without devices gives silence, says so with
/// [`DeviceEvent::Missing`], and uses the first device that comes. [`Selection::System`] is what the default speaker
/// plays. The synthetic selections are media's.
///
/// Its thread ends when this value and everything opened through it are gone.
pub struct Hardware {
    control: Control,
    next: AtomicU64,
}

impl Default for Hardware {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Hardware {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hardware").finish_non_exhaustive()
    }
}

impl Hardware {
    /// Starts the thread that watches devices. Does not touch the sound system until something is asked for.
    pub fn new() -> Self {
        Self { control: control::start(), next: AtomicU64::new(1) }
    }

    /// All changes from now on. The list of devices is polled while a receiver lives. A reader that falls 256
    /// events behind loses the newest.
    pub fn events(&self) -> Receiver<DeviceEvent> {
        let (sender, receiver) = sync_channel(EVENTS);
        let _ = self.control.send(Command::Subscribe(sender));
        receiver
    }

    fn ask<T>(&self, command: impl FnOnce(SyncSender<T>) -> Command) -> Result<T, DeviceError> {
        let (sender, receiver) = sync_channel(1);
        let silent = || DeviceError::Backend { reason: "it does not answer".into() };
        self.control.send(command(sender)).map_err(|_| silent())?;
        receiver.recv_timeout(PATIENCE).map_err(|_| silent())
    }

    fn open(&self, direction: Direction, wanted: Wanted) -> Result<(Endpoint, DeviceInfo), DeviceError> {
        let id = EndpointId(self.next.fetch_add(1, Ordering::Relaxed));
        let (feed, slot) = port_slot();
        let endpoint = Endpoint { id, slot, control: Control::clone(&self.control) };
        let found = self.ask(|reply| Command::Open { id, direction, wanted, feed, reply })?;
        Ok((endpoint, found.unwrap_or_else(|| nothing(direction))))
    }
}

impl Hardware {
    /// What the default speaker plays, also when that changes. Fails where it cannot be had now.
    fn open_system_sound(&self) -> Result<OpenedSource, DeviceError> {
        let id = EndpointId(self.next.fetch_add(1, Ordering::Relaxed));
        let (feed, slot) = port_slot();
        let endpoint = Endpoint { id, slot, control: Control::clone(&self.control) };
        let (direction, wanted) = (Direction::Input, Wanted::System);
        let found = self.ask(|reply| Command::Open { id, direction, wanted, feed, reply })?;
        let effective = found.ok_or_else(|| DeviceError::Backend { reason: NO_SYSTEM_SOUND.into() })?;
        Ok(OpenedSource { source: Box::new(SystemSound(endpoint)), effective })
    }
}

impl Devices for Hardware {
    /// Lists real devices, inputs first, the default one of each direction before the others.
    fn list(&self) -> Result<Vec<DeviceInfo>, DeviceError> {
        self.ask(Command::List)
    }

    fn open_source(&self, selection: &Selection) -> Result<OpenedSource, DeviceError> {
        let Some(wanted) = wanted(selection) else { return Synthetic.open_source(selection) };
        if wanted == Wanted::System {
            return self.open_system_sound();
        }
        let (endpoint, effective) = self.open(Direction::Input, wanted)?;
        Ok(OpenedSource { source: Box::new(Microphone(endpoint)), effective })
    }

    fn open_sink(&self, selection: &Selection) -> Result<OpenedSink, DeviceError> {
        if *selection == Selection::System {
            return Synthetic.open_sink(selection);
        }
        let Some(wanted) = wanted(selection) else { return Synthetic.open_sink(selection) };
        let (endpoint, effective) = self.open(Direction::Output, wanted)?;
        Ok(OpenedSink { sink: Box::new(Speaker(endpoint)), effective })
    }

    /// Cameras first, then screens and windows, then the bars. What the system does not tell is left out.
    fn list_video(&self) -> Result<Vec<VideoInfo>, DeviceError> {
        Ok(pictures::list())
    }

    /// Opens it on a thread of its own, and returns when that is done. See [`sidetone_media::video::Watched`] for what is
    /// to become of it when it fails.
    fn open_video(&self, selection: &VideoSelection, wish: VideoWish) -> Result<OpenedVideo, DeviceError> {
        pictures::open(selection, wish)
    }

    fn watch(&self, tell: Box<dyn Fn(DeviceNews) + Send>) {
        let events = self.events();
        let run = move || events.into_iter().map(|event| event.news()).for_each(tell);
        if let Err(error) = std::thread::Builder::new().name("device news".into()).spawn(run) {
            tracing::warn!("changes of devices will not be told: {error}");
        }
    }
}

fn wanted(selection: &Selection) -> Option<Wanted> {
    match selection {
        Selection::Default => Some(Wanted::Default),
        Selection::Device(id) => Some(Wanted::Device(id.clone())),
        Selection::System => Some(Wanted::System),
        _ => None,
    }
}

/// Stands for the device that is not there yet.
fn nothing(direction: Direction) -> DeviceInfo {
    let name = match direction {
        Direction::Input => "No microphone",
        Direction::Output => "No speaker",
    };
    DeviceInfo { id: "none".into(), name: name.into(), direction, is_default: false }
}

/// One open device, closed when dropped.
struct Endpoint {
    id: EndpointId,
    slot: PortSlot,
    control: Control,
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        let _ = self.control.send(Command::Close(self.id));
    }
}

impl Endpoint {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        if let Some(Port::Capture(reader)) = self.slot.port() {
            return reader.read(Instant::now(), frame);
        }
        frame.fill(0.0);
        Flow::Starved
    }
}

/// Heard as it is played: there is no room around it.
struct SystemSound(Endpoint);

impl Source for SystemSound {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        self.0.read(frame)
    }

    fn fault(&mut self) -> Option<DeviceFault> {
        self.0.slot.take_fault()
    }

    fn is_microphone(&self) -> bool {
        false
    }
}

struct Microphone(Endpoint);

impl Source for Microphone {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        self.0.read(frame)
    }

    fn fault(&mut self) -> Option<DeviceFault> {
        self.0.slot.take_fault()
    }
}

struct Speaker(Endpoint);

impl Sink for Speaker {
    fn write(&mut self, frame: &Frame) {
        if let Some(Port::Playback(writer)) = self.0.slot.port() {
            writer.write(Instant::now(), frame);
        }
    }

    fn fault(&mut self) -> Option<DeviceFault> {
        self.0.slot.take_fault()
    }
}
