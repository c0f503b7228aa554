//! The audio thread of a test: every 10 ms one frame from the source and one to the sink.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sidetone_media::{FRAME_LEN, Flow, Frame, Sink, Source};

const LONG: Duration = Duration::from_secs(20);

#[derive(Default)]
struct State {
    heard: Vec<f32>,
    to_say: Vec<f32>,
    /// Length of `heard` when the first frame of `to_say` was written.
    said_from: Option<usize>,
    said: usize,
    flow: Option<Flow>,
    live: u64,
    starved: u64,
    fault: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    beaten: Condvar,
    stop: AtomicBool,
    worst_us: AtomicU64,
    late: AtomicUsize,
}

/// Runs until dropped.
pub(crate) struct Beat {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Beat {
    pub(crate) fn start(source: Option<Box<dyn Source>>, sink: Option<Box<dyn Sink>>) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = thread::spawn(move || run(&theirs, source, sink));
        Self { shared, thread: Some(thread) }
    }

    /// How many samples were read so far.
    pub(crate) fn heard_len(&self) -> usize {
        self.lock().heard.len()
    }

    pub(crate) fn heard_since(&self, start: usize) -> Vec<f32> {
        self.lock().heard[start..].to_vec()
    }

    pub(crate) fn wait_heard(&self, count: usize) {
        self.wait("samples", |state| state.heard.len() >= count);
    }

    pub(crate) fn wait_live(&self) {
        self.wait("a live source", |state| state.flow == Some(Flow::Live));
    }

    pub(crate) fn wait_starved(&self) {
        self.wait("a starved source", |state| state.flow == Some(Flow::Starved));
    }

    /// Writes these samples from the next beat on; silence follows.
    pub(crate) fn say(&self, samples: &[f32]) {
        let mut state = self.lock();
        state.to_say = samples.to_vec();
        state.said = 0;
        state.said_from = None;
    }

    pub(crate) fn wait_said(&self) {
        self.wait("all to be said", |state| state.said >= state.to_say.len());
    }

    /// Says a tone until the source hears it.
    pub(crate) fn say_until_heard(&self) {
        let tone: Vec<f32> = (0..480_000).map(|n| (n as f32 * 0.05).sin() * 0.3).collect();
        self.say(&tone);
        self.wait("the tone", |state| state.heard.iter().rev().take(480).any(|s| s.abs() > 0.2));
        self.say(&[]);
        self.wait("the end of the tone", |state| {
            state.heard.iter().rev().take(4_800).all(|s| s.abs() < 0.01)
        });
    }

    /// When the saying began, in ms after sample `start` was read.
    pub(crate) fn said_at(&self, start: usize) -> f64 {
        self.lock().said_from.map_or(0.0, |from| from.saturating_sub(start) as f64 / 48.0)
    }

    pub(crate) fn had_fault(&self) -> bool {
        self.lock().fault
    }

    /// The longest that one read or write took.
    pub(crate) fn worst_call(&self) -> Duration {
        Duration::from_micros(self.shared.worst_us.load(Ordering::Relaxed))
    }

    pub(crate) fn figures(&self) -> String {
        let state = self.lock();
        let late = self.shared.late.load(Ordering::Relaxed);
        format!(
            "{} live frames, {} starved, {late} beats over 5 ms late, worst call {} us",
            state.live,
            state.starved,
            self.worst_call().as_micros()
        )
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    fn wait(&self, what: &str, mut reached: impl FnMut(&State) -> bool) {
        let state = self.lock();
        let (state, timeout) =
            self.shared.beaten.wait_timeout_while(state, LONG, |state| !reached(state)).unwrap();
        drop(state);
        assert!(!timeout.timed_out(), "waited too long for {what}");
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, mut source: Option<Box<dyn Source>>, mut sink: Option<Box<dyn Sink>>) {
    let mut next = Instant::now();
    while !shared.stop.load(Ordering::Relaxed) {
        next += Duration::from_millis(10);
        thread::sleep(next.saturating_duration_since(Instant::now()));
        if next.elapsed() > Duration::from_millis(5) {
            shared.late.fetch_add(1, Ordering::Relaxed);
        }
        let mut state = shared.state.lock().unwrap();
        let began = Instant::now();
        if let Some(source) = &mut source {
            let mut frame: Frame = [0.0; FRAME_LEN];
            let flow = source.read(&mut frame);
            state.fault |= source.fault().is_some();
            match flow {
                Flow::Live => state.live += 1,
                _ => state.starved += 1,
            }
            state.flow = Some(flow);
            state.heard.extend_from_slice(&frame);
        }
        if let Some(sink) = &mut sink {
            let mut frame: Frame = [0.0; FRAME_LEN];
            let rest = state.to_say.get(state.said..).unwrap_or_default();
            let count = rest.len().min(FRAME_LEN);
            frame[..count].copy_from_slice(&rest[..count]);
            if count > 0 && state.said_from.is_none() {
                state.said_from = Some(state.heard.len());
            }
            state.said += count;
            sink.write(&frame);
            state.fault |= sink.fault().is_some();
        }
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        shared.worst_us.fetch_max(took, Ordering::Relaxed);
        drop(state);
        shared.beaten.notify_all();
    }
}
