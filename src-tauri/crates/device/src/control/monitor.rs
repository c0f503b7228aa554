//! The thread itself: owns the connection to the sound system and all streams.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer, RingBuffer};
use sidetone_media::{DeviceFault, DeviceInfo, Direction};

use super::endpoint::{Action, Endpoint, Wanted};
use super::listing::Listing;
use crate::event::{DeviceEvent, EndpointId};
use crate::platform::{Connection, Connector, SYSTEM_SOUND_FORMATS, SYSTEM_SOUND_PAUSES};
use crate::ring::Health;
use crate::stream::{self, Port, Request, Running};

/// The sound systems tell nothing by themselves, so the list is taken this often while anyone wants to know.
const LIST_EVERY: Duration = Duration::from_secs(1);
/// Callbacks are looked at, and lost connections tried again, this often while anything is open.
const WATCH_EVERY: Duration = Duration::from_millis(250);
/// A running stream without a callback for so long has stalled. A null sink's first playback pauses for 1.9 s.
const STALL: Duration = Duration::from_secs(4);
/// Streams that may wait for the audio thread to take them over.
const PORTS: usize = 4;

/// A wish to the thread.
pub(crate) enum Command {
    List(SyncSender<Vec<DeviceInfo>>),
    Subscribe(SyncSender<DeviceEvent>),
    /// Opens an endpoint; the reply is the device that will be used as things are.
    Open {
        id: EndpointId,
        direction: Direction,
        wanted: Wanted,
        feed: PortFeed,
        reply: SyncSender<Option<DeviceInfo>>,
    },
    Close(EndpointId),
    Opened {
        id: EndpointId,
        attempt: u64,
        result: Result<Running, String>,
    },
    /// A stream reported its end.
    Look,
}

/// Sends wishes; the thread ends with the last of these.
pub(crate) type Control = Arc<Sender<Command>>;

/// Starts the thread.
pub(crate) fn start() -> Control {
    let (sender, receiver) = channel();
    let control = Arc::new(sender);
    let monitor = Monitor::new(Arc::downgrade(&control));
    let started =
        thread::Builder::new().name("sidetone-devices".into()).spawn(move || monitor.run(&receiver));
    if let Err(error) = started {
        tracing::error!(%error, "the device thread did not start");
    }
    control
}

/// The audio thread's view of an endpoint: which stream's ring end to use, and what went wrong.
pub(crate) struct PortSlot {
    current: Option<Port>,
    coming: Consumer<Port>,
    retired: Producer<Port>,
    fault: Arc<AtomicU8>,
}

/// The control thread's side of a [`PortSlot`].
pub(crate) struct PortFeed {
    coming: Producer<Port>,
    retired: Consumer<Port>,
    fault: Arc<AtomicU8>,
}

/// Makes the two sides.
pub(crate) fn port_slot() -> (PortFeed, PortSlot) {
    let (coming, next) = RingBuffer::new(PORTS);
    let (retired, old) = RingBuffer::new(PORTS * 2);
    let fault = Arc::new(AtomicU8::new(0));
    let slot = PortSlot { current: None, coming: next, retired, fault: Arc::clone(&fault) };
    (PortFeed { coming, retired: old, fault }, slot)
}

impl PortSlot {
    /// The end to use now. Ends that were replaced go back to the control thread, which frees them.
    pub(crate) fn port(&mut self) -> Option<&mut Port> {
        while let Ok(next) = self.coming.pop() {
            if let Some(old) = self.current.replace(next) {
                // Full only if the control thread hangs; then the end is freed here.
                let _ = self.retired.push(old);
            }
        }
        self.current.as_mut()
    }

    pub(crate) fn take_fault(&mut self) -> Option<DeviceFault> {
        match self.fault.swap(0, Ordering::Relaxed) {
            0 => None,
            1 => Some(DeviceFault::Gone),
            _ => Some(DeviceFault::Stalled),
        }
    }
}

/// An endpoint with its streams.
struct Tended {
    endpoint: Endpoint,
    feed: PortFeed,
    /// Taken over by the audio thread as soon as it has room.
    waiting: Option<Port>,
    health: BTreeMap<u64, Arc<Health>>,
    streams: BTreeMap<u64, Watched>,
}

struct Watched {
    stream: cpal::Stream,
    health: Arc<Health>,
    callbacks: u64,
    moved_at: Instant,
}

struct Monitor {
    control: Weak<Sender<Command>>,
    connector: Connector,
    connection: Option<Connection>,
    listing: Listing,
    listed_at: Option<Instant>,
    endpoints: BTreeMap<EndpointId, Tended>,
    subscribers: Vec<SyncSender<DeviceEvent>>,
}

impl Monitor {
    fn new(control: Weak<Sender<Command>>) -> Self {
        Self {
            control,
            connector: Connector::default(),
            connection: None,
            listing: Listing::default(),
            listed_at: None,
            endpoints: BTreeMap::new(),
            subscribers: Vec::new(),
        }
    }

    fn run(mut self, commands: &Receiver<Command>) {
        loop {
            match commands.recv_timeout(self.patience()) {
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = Instant::now();
            self.watch(now);
            let waits = !self.endpoints.is_empty() && self.connection.is_none();
            let period = if waits { WATCH_EVERY } else { LIST_EVERY };
            let due = self.listed_at.is_none_or(|at| now.saturating_duration_since(at) >= period);
            if due && self.is_wanted() {
                self.list(now);
            }
            self.step_all();
        }
        for (_, tended) in std::mem::take(&mut self.endpoints) {
            tended.streams.into_values().for_each(|watched| close(watched.stream));
        }
    }

    fn is_wanted(&self) -> bool {
        !self.endpoints.is_empty() || !self.subscribers.is_empty()
    }

    fn patience(&self) -> Duration {
        if !self.endpoints.is_empty() {
            WATCH_EVERY
        } else if !self.subscribers.is_empty() {
            LIST_EVERY
        } else {
            Duration::from_secs(3_600)
        }
    }

    fn obey(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::List(reply) => {
                self.list(now);
                let _ = reply.try_send(self.listing.infos().cloned().collect());
            }
            Command::Subscribe(subscriber) => self.subscribers.push(subscriber),
            Command::Open { id, direction, wanted, feed, reply } => {
                self.list(now);
                let endpoint = Endpoint::new(id, direction, wanted);
                let tended = Tended {
                    endpoint,
                    feed,
                    waiting: None,
                    health: BTreeMap::new(),
                    streams: BTreeMap::new(),
                };
                self.endpoints.insert(id, tended);
                let _ = reply.try_send(self.step(id));
            }
            Command::Close(id) => {
                if let Some(tended) = self.endpoints.remove(&id) {
                    tended.streams.into_values().for_each(|watched| close(watched.stream));
                }
            }
            Command::Opened { id, attempt, result } => self.on_opened(id, attempt, result),
            Command::Look => {
                self.watch(now);
                self.list(now);
            }
        }
    }

    /// Takes the list anew, connecting first where there is no connection.
    fn list(&mut self, now: Instant) {
        self.listed_at = Some(now);
        if self.connection.as_ref().is_some_and(|connection| self.connector.prefers_another(connection, now))
        {
            self.connection = None;
        }
        let listing = self.try_list(now).unwrap_or_else(|| {
            // The connection was found dead: the server may already be back.
            self.connection = None;
            self.try_list(now).unwrap_or_default()
        });
        let changed = !listing.is_same_as(&self.listing);
        self.listing = listing;
        if changed {
            self.tell(&DeviceEvent::ListChanged);
        }
    }

    fn try_list(&mut self, now: Instant) -> Option<Listing> {
        if self.connection.is_none() {
            match self.connector.connect(now) {
                Ok(connection) => self.connection = Some(connection),
                Err(reason) => {
                    tracing::debug!(reason, "no sound system");
                    return None;
                }
            }
        }
        let taken = Listing::take(self.connection.as_ref()?);
        taken.inspect_err(|error| tracing::debug!(%error, "devices could not be listed")).ok()
    }

    /// Looks for streams that ended or whose callbacks stopped, and frees what the audio threads are done with.
    fn watch(&mut self, now: Instant) {
        let mut faults = Vec::new();
        for (id, tended) in &mut self.endpoints {
            while tended.feed.retired.pop().is_ok() {}
            tended.hand_over();
            for (attempt, watched) in &mut tended.streams {
                let callbacks = watched.health.callbacks();
                if watched.health.has_failed() {
                    faults.push((*id, *attempt, DeviceFault::Gone));
                } else if callbacks != watched.callbacks {
                    watched.callbacks = callbacks;
                    watched.moved_at = now;
                } else if tended.endpoint.is_of_system() && SYSTEM_SOUND_PAUSES {
                    // Nothing is played.
                } else if now.saturating_duration_since(watched.moved_at) >= STALL {
                    faults.push((*id, *attempt, DeviceFault::Stalled));
                }
            }
        }
        if faults.is_empty() {
            return;
        }
        for (id, attempt, fault) in faults {
            let actions = self.endpoints.get_mut(&id).map(|tended| tended.endpoint.on_fault(attempt, fault));
            self.carry_out(id, actions.unwrap_or_default());
        }
        self.list(now);
    }

    fn step_all(&mut self) {
        let ids: Vec<EndpointId> = self.endpoints.keys().copied().collect();
        for id in ids {
            self.step(id);
        }
    }

    /// Lets one endpoint decide; gives the device that it set out to open.
    fn step(&mut self, id: EndpointId) -> Option<DeviceInfo> {
        let tended = self.endpoints.get_mut(&id)?;
        let listed: Vec<&DeviceInfo> = if tended.endpoint.is_of_system() {
            self.listing.system().into_iter().collect()
        } else {
            self.listing.infos().filter(|info| info.direction == tended.endpoint.direction()).collect()
        };
        let actions = tended.endpoint.step(Instant::now(), &listed);
        let opening = actions.iter().find_map(|action| match action {
            Action::Open { device, .. } => Some(device.clone()),
            _ => None,
        });
        self.carry_out(id, actions);
        opening
    }

    fn on_opened(&mut self, id: EndpointId, attempt: u64, result: Result<Running, String>) {
        let Some(tended) = self.endpoints.get_mut(&id) else {
            if let Ok(running) = result {
                close(running.stream);
            }
            return;
        };
        let health = tended.health.remove(&attempt).unwrap_or_default();
        let actions = match result {
            Err(reason) => tended.endpoint.on_failed(Instant::now(), attempt, &reason),
            Ok(running) => {
                let actions = tended.endpoint.on_opened(attempt);
                let watched =
                    Watched { stream: running.stream, health, callbacks: 0, moved_at: Instant::now() };
                tended.streams.insert(attempt, watched);
                if !actions.contains(&Action::Close { attempt }) {
                    tended.waiting = Some(running.port);
                    tended.hand_over();
                }
                actions
            }
        };
        self.carry_out(id, actions);
    }

    fn carry_out(&mut self, id: EndpointId, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Tell(event) => {
                    self.note_fault(id, &event);
                    tracing::info!(endpoint = %id, "{event}");
                    let is_of_system =
                        self.endpoints.get(&id).is_some_and(|tended| tended.endpoint.is_of_system());
                    // Whoever reads of inputs means microphones.
                    if !is_of_system {
                        self.tell(&event);
                    }
                }
                Action::Close { attempt } => {
                    let watched = self.endpoints.get_mut(&id).and_then(|t| t.streams.remove(&attempt));
                    if let Some(watched) = watched {
                        log_figures(id, &watched.health);
                        close(watched.stream);
                    }
                }
                Action::Open { attempt, device, block } => self.open(id, attempt, &device, block),
            }
        }
    }

    fn open(&mut self, id: EndpointId, attempt: u64, info: &DeviceInfo, block: u32) {
        let Some(tended) = self.endpoints.get_mut(&id) else { return };
        let Some(device) = self.listing.device(info.direction, &info.id) else { return };
        let health = Arc::new(Health::default());
        tended.health.insert(attempt, Arc::clone(&health));
        let formats = if tended.endpoint.is_of_system() { SYSTEM_SOUND_FORMATS } else { info.direction };
        let request = Request { device: device.clone(), direction: info.direction, formats, block, health };
        let control = self.control.clone();
        let opener = move || {
            let looker = control.clone();
            let on_failure = move || {
                if let Some(control) = looker.upgrade() {
                    let _ = control.send(Command::Look);
                }
            };
            let result = stream::open(&request, on_failure).map_err(|error| error.to_string());
            if let Some(control) = control.upgrade() {
                let _ = control.send(Command::Opened { id, attempt, result });
            }
        };
        if let Err(error) = thread::Builder::new().name("sidetone-open".into()).spawn(opener) {
            self.on_opened(id, attempt, Err(error.to_string()));
        }
    }

    fn note_fault(&self, id: EndpointId, event: &DeviceEvent) {
        let Some(tended) = self.endpoints.get(&id) else { return };
        let code = match event {
            DeviceEvent::Lost { fault: DeviceFault::Stalled, .. } => 2,
            DeviceEvent::Lost { .. } => 1,
            _ => return,
        };
        tended.feed.fault.store(code, Ordering::Relaxed);
    }

    fn tell(&mut self, event: &DeviceEvent) {
        self.subscribers.retain(|subscriber| match subscriber.try_send(event.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(event)) => {
                tracing::warn!(%event, "a reader of device events is too slow, one is lost");
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        });
    }
}

impl Tended {
    fn hand_over(&mut self) {
        if let Some(port) = self.waiting.take()
            && let Err(rtrb::PushError::Full(port)) = self.feed.coming.push(port)
        {
            self.waiting = Some(port);
        }
    }
}

/// Closes on a thread of its own: a playback stream whose sink was unloaded makes cpal wait until the sound
/// server ends the connection.
fn close(stream: cpal::Stream) {
    let closing = thread::Builder::new().name("sidetone-close".into()).spawn(move || drop(stream));
    if let Err(error) = closing {
        tracing::warn!(%error, "a stream was closed in place");
    }
}

fn log_figures(id: EndpointId, health: &Health) {
    tracing::debug!(
        endpoint = %id,
        callbacks = health.callbacks(),
        largest_block = health.largest_block(),
        underruns = health.underruns(),
        skipped_samples = health.skipped(),
        "stream closed"
    );
}
