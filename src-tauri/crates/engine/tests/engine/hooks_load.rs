//! A backend that is dead while many calls and streams go on: neither do they notice, nor is anything lost that it was to hear.

// Figures, and what a run that is killed says to the one that kills it.
#![allow(clippy::print_stdout)]

use crate::{
    backend::{Backend, Heard},
    endpoint::{FarPeer, Silence},
    kit::{Phone, SOON, gateway, kept_in, options},
};
use sidetone_api::{CallId, CallStatistics, CallStatus, Event, Settings, StreamId, StreamStatistics};
use sidetone_engine::Options;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command as Process, Stdio},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// How much goes on, and for how long nobody answers.
#[derive(Debug, Clone, Copy)]
struct Load {
    calls: usize,
    streams: usize,
    dead: Duration,
}

const SMALL: Load = Load { calls: 5, streams: 3, dead: Duration::from_secs(4) };
/// As the requirement has it.
const FULL: Load = Load { calls: 50, streams: 20, dead: Duration::from_secs(60) };
/// Between two calls that end and begin.
const PACE: Duration = Duration::from_millis(250);

fn settings(url: String) -> Settings {
    let mut settings = gateway();
    settings.audio.codecs = vec!["PCMU".into()];
    settings.audio.microphone = "tone".into();
    settings.hooks.url = url;
    settings.hooks.keep_alive_seconds = 1;
    settings
}

/// All calls are heard, none is held.
fn together(options: Options) -> Options {
    Options { one_at_a_time: false, ..options }
}

/// A gateway with calls to its echo, and streams that foreign programs publish and it plays.
struct Scene {
    phone: Phone,
    calls: Vec<CallId>,
    streams: Vec<StreamId>,
    _publishers: JoinSet<()>,
}

impl Scene {
    async fn new(options: Options, load: Load) -> Self {
        let mut phone = Phone::with(together(options)).await;
        phone.is_registered().await;
        let mut publishers = JoinSet::new();
        let (mut calls, mut streams) = (Vec::new(), Vec::new());
        for number in 0..load.streams {
            let name = format!("stream-{number}");
            let mut publisher = FarPeer::publish(&phone.handle, &name, Silence::default()).await;
            publishers.spawn(async move { publisher.run(Duration::from_secs(3_600)).await });
            let listed = |state: &sidetone_api::Snapshot| state.gateway.streams.len() > number;
            phone.until("the stream", listed).await;
            streams.push(phone.played(&name).await);
        }
        for _ in 0..load.calls {
            calls.push(up(&mut phone).await);
        }
        Self { phone, calls, streams, _publishers: publishers }
    }

    /// One call ends, and another begins.
    async fn change(&mut self) {
        let call = self.calls.remove(0);
        self.phone.hang_up(&call).await;
        self.phone.status(&call, CallStatus::Finish).await;
        self.calls.push(up(&mut self.phone).await);
    }

    async fn change_for(&mut self, time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            self.change().await;
            let pause = tokio::time::sleep(PACE);
            pause.await;
        }
    }

    /// What became of the media since `from` among what was seen.
    fn media(&self, from: usize) -> Media {
        let mut media = Media::default();
        for envelope in &self.phone.seen[from..] {
            match &envelope.event {
                Event::CallMeasured { call_id, statistics } => media.add_call(call_id, statistics),
                Event::StreamMeasured { stream_id, statistics } => {
                    media.add_stream(stream_id, envelope.time, statistics);
                }
                Event::StreamStatusEvent { status, stream_id, .. } if self.streams.contains(stream_id) => {
                    panic!("{stream_id} is {status}");
                }
                _ => {}
            }
        }
        media
    }
}

async fn up(phone: &mut Phone) -> CallId {
    let call = phone.call("echo").await;
    phone.status(&call, CallStatus::Established).await;
    call
}

/// The media of a while.
#[derive(Debug, Default)]
struct Media {
    calls: HashMap<CallId, CallStatistics>,
    /// The first and the last look at each, and when in milliseconds.
    streams: BTreeMap<StreamId, [(u64, StreamStatistics); 2]>,
    jitter: Vec<f32>,
    concealed: Vec<f32>,
}

impl Media {
    fn add_call(&mut self, call: &CallId, statistics: &CallStatistics) {
        self.calls.insert(call.clone(), *statistics);
        self.jitter.push(statistics.jitter_ms);
        self.concealed.push(statistics.concealed_percent);
    }

    fn add_stream(&mut self, stream: &StreamId, time: u64, statistics: &StreamStatistics) {
        let look = (time, *statistics);
        let [_, last] = self.streams.entry(stream.clone()).or_insert([look, look]);
        *last = look;
    }

    fn lost(&self) -> u64 {
        let of_calls: u64 = self.calls.values().map(|statistics| statistics.packets_lost).sum();
        let of_streams =
            self.streams.values().map(|[(_, first), (_, last)]| last.packets_lost - first.packets_lost);
        of_calls + of_streams.sum::<u64>()
    }

    /// The 95th of a hundred of jitter, the share of looks at a call that found something made up, and the packets a second of the
    /// stream that had the fewest: of the time between two looks, as a while has more looks or fewer.
    fn figures(&mut self) -> (f32, f32, f64) {
        self.jitter.sort_by(f32::total_cmp);
        let jitter = self.jitter.get(self.jitter.len() * 95 / 100).copied().unwrap_or_default();
        let bad = self.concealed.iter().filter(|percent| **percent > 1.0).count();
        let bad = bad as f32 / self.concealed.len().max(1) as f32;
        let rates = self.streams.values().map(|[(begun, first), (ended, last)]| {
            (last.packets - first.packets) as f64 * 1_000.0 / ended.saturating_sub(*begun).max(1) as f64
        });
        (jitter, bad, rates.fold(f64::INFINITY, f64::min))
    }
}

/// What clients were told of each call: what the backend is to hear of it.
fn told(phone: &Phone) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for envelope in &phone.seen {
        match &envelope.event {
            Event::CallStatusEvent { status, call_id, .. } => {
                all.entry(call_id.as_str().into()).or_default().push(status.as_str().into());
            }
            Event::StreamStatusEvent { status, stream_id, .. } => {
                all.entry(stream_id.as_str().into()).or_default().push(status.as_str().into());
            }
            _ => {}
        }
    }
    all
}

/// What the backends heard of each object, each event once; and how many came more than once.
fn heard(seen: &[Heard]) -> (BTreeMap<String, Vec<String>>, usize) {
    let (mut all, mut keys, mut again) = (BTreeMap::new(), HashSet::new(), 0);
    for heard in seen.iter().filter(|it| ["CallStatusEvent", "StreamStatusEvent"].contains(&it.hook.as_str()))
    {
        if !keys.insert(heard.key.clone()) {
            again += 1;
            continue;
        }
        let id = heard.body["callId"].as_str().or(heard.body["mediaSessionId"].as_str()).unwrap_or_default();
        let of_object: &mut Vec<String> = all.entry(id.to_owned()).or_default();
        of_object.push(heard.body["status"].as_str().unwrap_or_default().to_owned());
    }
    (all, again)
}

async fn outage(load: Load) {
    let mut backend = Backend::start().await;
    let address = backend.address;
    let mut scene = Scene::new(options(settings(backend.url())), load).await;
    // The same for as long, with a backend: what this machine does without any trouble.
    let from = scene.phone.seen.len();
    scene.change_for(load.dead).await;
    let mut healthy = scene.media(from);
    backend.hooks();
    let mut seen = std::mem::take(&mut backend.seen);
    drop(backend);

    let from = scene.phone.seen.len();
    scene.change_for(load.dead).await;
    scene.phone.until("a problem", |state| state.hooks.problem.is_some()).await;
    let waited = scene.phone.state().hooks.waiting;
    let mut silent = scene.media(from);

    let mut backend = Backend::at(address).await;
    let began = Instant::now();
    for call in std::mem::take(&mut scene.calls) {
        scene.phone.hang_up(&call).await;
        scene.phone.status(&call, CallStatus::Finish).await;
    }
    // At most 30 s until a backend that was gone is looked for again, and more where it is slow.
    while scene.phone.state().hooks.waiting > 0 {
        assert!(began.elapsed() < Duration::from_secs(120), "{:?}", scene.phone.state().hooks);
        let before = scene.phone.state().hooks.clone();
        let moves = scene.phone.until("deliveries", |state| state.hooks != before);
        let _ = tokio::time::timeout(SOON / 2, moves).await;
    }
    println!(
        "{waited} events waited and were delivered {:.1} s after it was back",
        began.elapsed().as_secs_f32()
    );
    backend.hooks();
    seen.append(&mut backend.seen);
    // Streams of foreign programs are told of, too: they are no streams of ours.
    let told = told(&scene.phone);
    let (mut heard, again) = heard(&seen);
    heard.retain(|id, _| told.contains_key(id));
    assert_eq!(heard, told);
    let events: usize = told.values().map(Vec::len).sum();
    println!(
        "{events} events of {} calls and streams, each once and in order, {again} came again",
        told.len()
    );

    let (before, during) = (healthy.figures(), silent.figures());
    println!(
        "healthy: {} lost, jitter p95 {:.2} ms, {:.3} made up, {:.1} packets a second",
        healthy.lost(),
        before.0,
        before.1,
        before.2
    );
    println!(
        "dead:    {} lost, jitter p95 {:.2} ms, {:.3} made up, {:.1} packets a second",
        silent.lost(),
        during.0,
        during.1,
        during.2
    );
    assert_eq!(silent.streams.len(), load.streams, "all streams went on");
    assert!(silent.lost() <= healthy.lost(), "{} lost", silent.lost());
    assert!(during.2 >= 0.9 * before.2, "{} packets a second, {} before", during.2, before.2);
    scene.phone.handle.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_backend_disturbs_no_media_and_hears_everything_once_it_is_back() {
    outage(SMALL).await;
}

/// `cargo xtask bench hooks`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes three minutes of a quiet machine"]
async fn a_backend_is_dead_for_a_minute_during_fifty_calls_and_twenty_streams() {
    outage(FULL).await;
}

/// The folder of the run that is killed, and how much goes on in it.
const CHILD: &str = "SIDETONE_TEST_LOAD_CHILD";

/// Not a test of its own: the run that is killed. Says what clients are told, a line each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_under_load_that_is_killed() {
    let Ok(child) = std::env::var(CHILD) else { return };
    let (calls, folder) = child.split_once(' ').expect("calls and a folder");
    let load = Load { calls: calls.parse().expect("a number"), streams: 1, dead: Duration::ZERO };
    let mut scene = Scene::new(kept_in(Path::new(folder)), load).await;
    let mut passed = 0;
    loop {
        for envelope in &scene.phone.seen[passed..] {
            if let Event::CallStatusEvent { status, call_id, .. } = &envelope.event {
                println!("told {call_id} {}", status.as_str());
            }
        }
        passed = scene.phone.seen.len();
        scene.change().await;
    }
}

/// Waiting rows of the outbox: key, object and status, in order.
fn kept(folder: &Path) -> Vec<(String, String, String)> {
    let path = folder.join("data").join("sidetone.db");
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let Ok(file) = rusqlite::Connection::open_with_flags(path, flags) else { return Vec::new() };
    let text = "SELECT id, object, json_extract(body, '$.status') FROM outbox \
                WHERE hook = 'CallStatusEvent' ORDER BY seq";
    let Ok(mut rows) = file.prepare(text) else { return Vec::new() };
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.map(|rows| rows.flatten().collect()).unwrap_or_default()
}

async fn killed(calls: usize, changes: usize) {
    let dir = tempfile::tempdir().unwrap();
    let backend = Backend::start().await;
    let (address, url) = (backend.address, backend.url());
    drop(backend);
    let config = dir.path().join("config");
    fs::create_dir_all(&config).unwrap();
    let text = format!(
        "[audio]\nmicrophone = \"silence\"\nspeaker = \"null\"\n[gateway]\nenabled = true\nsipPort = 0\n\
         [hooks]\nurl = \"{url}\"\nmethods = [\"CallStatusEvent\"]\n"
    );
    fs::write(config.join("settings.toml"), text).unwrap();
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["--exact", "hooks_load::a_run_under_load_that_is_killed", "--nocapture"])
        .env(CHILD, format!("{calls} {}", dir.path().display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut lines = lines.filter_map(|line| line.strip_prefix("told ").map(str::to_owned));
    let mut told = Vec::new();
    let ends = |told: &[String]| told.iter().filter(|line| line.ends_with(" FINISH")).count();
    while ends(&told) < changes {
        told.push(lines.next().expect("the run goes on"));
    }
    // SIGKILL where there are signals, while calls end and begin.
    child.kill().unwrap();
    child.wait().unwrap();
    let before = kept(dir.path());
    let found: HashSet<_> = before.iter().map(|(_, call, status)| format!("{call} {status}")).collect();
    let missing: Vec<_> = told.iter().filter(|line| !found.contains(*line)).collect();
    assert!(missing.is_empty(), "what clients were told is not kept: {missing:?}");

    let mut backend = Backend::at(address).await;
    let mut phone = Phone::with(kept_in(dir.path())).await;
    phone.until("all delivered", |state| state.hooks.waiting == 0).await;
    backend.hooks();
    let mut keys = HashSet::new();
    let once = backend.seen.iter().filter(|heard| keys.insert(heard.key.clone()));
    let of = |heard: &Heard, field: &str| heard.body[field].as_str().unwrap_or_default().to_owned();
    let arrived: Vec<_> =
        once.map(|heard| (heard.key.clone(), of(heard, "callId"), of(heard, "status"))).collect();
    let by_call = |rows: &[(String, String, String)]| {
        let mut all: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for (key, call, status) in rows {
            all.entry(call.clone()).or_default().push((key.clone(), status.clone()));
        }
        all
    };
    assert_eq!(by_call(&arrived), by_call(&before));
    println!("{} told, {} kept, {} arrived", told.len(), before.len(), arrived.len());
    phone.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_told_under_load_outlives_a_kill() {
    killed(3, 4).await;
}

/// `cargo xtask bench hooks`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a quiet machine"]
async fn what_was_told_during_fifty_calls_outlives_a_kill() {
    killed(50, 100).await;
}
