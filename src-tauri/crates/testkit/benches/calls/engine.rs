//! One engine in a process of its own, told by lines of JSON.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sidetone_testkit::audio::speech_like;
use sidetone_testkit::measure::{self, Memory};
use sidetone_testkit::{Result, RigError, Sipp, SippOptions, until};

const STEPS: [u32; 5] = [1, 10, 25, 50, 100];
/// Placed one after the other, so that no burst of INVITEs is measured.
const PACE: Duration = Duration::from_millis(30);
/// Until jitter buffers have settled.
const SETTLE: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(60);
/// Packets a second of a call's sound; fewer, and there was none to measure.
const PACKETS: f64 = 50.0;

/// What one number of calls gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) calls: u32,
    /// Of one core, in per cent.
    pub(crate) cpu: f64,
    pub(crate) memory: Memory,
    /// Received of what was to come, by the call that received least.
    pub(crate) received: f64,
}

/// A running engine; ends with the value.
struct Engine {
    child: Child,
    stdin: ChildStdin,
    /// Packets received, by call.
    received: Arc<Mutex<HashMap<String, u64>>>,
}

impl Engine {
    fn start(phone: &Path, said: &Path) -> Result<Self> {
        let failed = |error| RigError::while_doing(phone.display(), error);
        let microphone = format!("loop:{}", said.display());
        let mut child = Command::new(phone)
            .args(["phone", "--json", "--aor", "sip:alice@127.0.0.1", "--no-register", "--every-call-speaks"])
            .args(["--codec", "PCMU", "--mic", &microphone, "--speaker", "null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(RigError::new("the phone has no stdin or stdout"));
        };
        let received = Arc::new(Mutex::new(HashMap::new()));
        let theirs = Arc::clone(&received);
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
                let Ok(value) = serde_json::from_str::<Value>(&line) else { continue };
                if let (Some(call), Some(packets)) =
                    (value["callId"].as_str(), value["statistics"]["packetsReceived"].as_u64())
                {
                    theirs.lock().unwrap_or_else(PoisonError::into_inner).insert(call.to_owned(), packets);
                }
            }
        });
        Ok(Self { child, stdin, received })
    }

    fn tell(&mut self, command: &Value) -> Result<()> {
        writeln!(self.stdin, "{command}").map_err(|e| RigError::while_doing("telling the phone", e))
    }

    fn received(&self) -> HashMap<String, u64> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// From the fewest calls to the most, all in one engine.
pub(crate) fn measure_all(dir: &Path, phone: &Path, measured: Duration) -> Result<Vec<Row>> {
    let said = dir.join("said.wav");
    speech_like(10.0, 8_000).write(&said)?;
    let options = SippOptions { scenario: "uas.xml", calls: None, echo: true, ..SippOptions::default() };
    let mut sipp = Sipp::start(dir, &options)?;
    let mut engine = Engine::start(phone, &said)?;
    let mut rows = Vec::new();
    let mut placed = 0;
    for calls in STEPS {
        while placed < calls {
            engine.tell(&json!({"command": "call", "callee": format!("sip:echo@{}", sipp.address())}))?;
            placed += 1;
            thread::sleep(PACE);
        }
        let sounding = || {
            let received = engine.received();
            let count = received.values().filter(|packets| **packets > 10).count();
            (count == calls as usize).then_some(())
        };
        until(&format!("sound in {calls} calls"), PATIENCE, sounding)?;
        thread::sleep(SETTLE);
        let row = measure_one(&engine, calls, measured)?;
        println!(
            "{calls} calls: {:.2} % of a core, {:.1} MB",
            row.cpu,
            row.memory.resident as f64 / 1_048_576.0
        );
        rows.push(row);
    }
    drop(engine);
    let _ = sipp.stop(Duration::from_secs(5));
    Ok(rows)
}

fn measure_one(engine: &Engine, calls: u32, measured: Duration) -> Result<Row> {
    let pid = engine.child.id();
    let before = engine.received();
    let (cpu_before, began) = (measure::cpu_time(pid)?, Instant::now());
    thread::sleep(measured);
    let (cpu_after, took) = (measure::cpu_time(pid)?, began.elapsed());
    let after = engine.received();
    let due = took.as_secs_f64() * PACKETS;
    let received = after
        .iter()
        .map(|(call, packets)| packets.saturating_sub(*before.get(call).unwrap_or(&0)) as f64 / due)
        .fold(f64::INFINITY, f64::min);
    Ok(Row {
        calls,
        cpu: 100.0 * (cpu_after - cpu_before).as_secs_f64() / took.as_secs_f64(),
        memory: measure::memory(pid)?,
        received,
    })
}
