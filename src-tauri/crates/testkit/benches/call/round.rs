//! The calls, one after the other.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use sidetone_testkit::audio::{self, Wav};
use sidetone_testkit::measure::{self, Capture, Memory, sip};
use sidetone_testkit::{
    Kamailio, KamailioOptions, Needs, Result, RigError, Sipp, SippOptions, enter_room_as_program, free_port,
};

use crate::arguments::Arguments;
use crate::phone::{Codec, PATIENCE, Phone, Plan, Program};
use crate::table;

/// Until the jitter buffer has settled and all that belongs to the start is over.
const SETTLE: Duration = Duration::from_secs(2);
/// The sound lasts this much longer than the call.
const SPARE: Duration = Duration::from_secs(3);
/// The least correlation of what was said and heard; less, and there was no call to measure.
const HEARD: f64 = 0.7;

/// What one call gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    /// Of one core, in per cent.
    pub(crate) cpu: f64,
    pub(crate) memory: Memory,
    pub(crate) invite_to_200: Duration,
    pub(crate) start_to_registered: Duration,
    /// How alike; `None` where nothing was recorded.
    pub(crate) heard: Option<f64>,
}

/// Both programs' calls with one codec.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) codec: Codec,
    pub(crate) sidetone: Vec<Figures>,
    pub(crate) baresip: Vec<Figures>,
}

/// Measures in a network of its own and prints the figures.
pub(crate) fn all(arguments: &Arguments) -> Result<()> {
    if !arguments.phone.is_file() {
        return Err(RigError::new(format!("--phone {}: there is no such file", arguments.phone.display())));
    }
    let needs = Needs::tools(&["kamailio", "sipp", "baresip", "tcpdump"]).network();
    let Some(room) = enter_room_as_program(&needs)? else { return Ok(()) };
    let cli = fs::canonicalize(&arguments.phone)?;
    let kamailio = Kamailio::start(room.dir(), &KamailioOptions::default())?;
    for codec in Codec::ALL {
        let said = audio::speech_like((arguments.measured + SETTLE + SPARE).as_secs_f32(), codec.rate());
        let path = room.dir().join("said.wav");
        said.write(&path)?;
        let bench =
            Bench { room: room.dir(), kamailio: &kamailio, cli: &cli, codec, said: &said, path: &path };
        let mut results = Results { codec, sidetone: Vec::new(), baresip: Vec::new() };
        for round in 1..=arguments.rounds {
            let sidetone = bench.call(Program::Sidetone, arguments)?;
            let baresip = bench.call(Program::Baresip, arguments)?;
            println!("{}", table::line(codec, round, &sidetone, &baresip));
            results.sidetone.push(sidetone);
            results.baresip.push(baresip);
        }
        println!("\n{}", table::of(&results, arguments));
    }
    println!("{}", table::notes(arguments));
    Ok(())
}

struct Bench<'a> {
    room: &'a Path,
    kamailio: &'a Kamailio,
    cli: &'a Path,
    codec: Codec,
    said: &'a Wav,
    path: &'a Path,
}

impl Bench<'_> {
    fn call(&self, program: Program, arguments: &Arguments) -> Result<Figures> {
        let measured = arguments.measured;
        let dir = tempfile::Builder::new().prefix("call-").tempdir_in(self.room)?;
        let proxy = self.kamailio.address();
        let mut callee = self.callee(dir.path())?;
        let capture = Capture::start(dir.path(), "capture", proxy.port())?;
        let plan = Plan {
            dir: dir.path(),
            cli: self.cli,
            proxy,
            callee: &self.kamailio.aor("echo"),
            codec: self.codec,
            said: self.path,
            length: SETTLE + measured + Duration::from_secs(1),
            recording: arguments.recording,
        };
        let phone = Phone::call(program, &plan)?;
        thread::sleep(SETTLE);
        let (pid, started) = (phone.process().id(), phone.process().started());
        let (cpu_before, began) = (measure::cpu_time(pid)?, Instant::now());
        thread::sleep(measured);
        let (cpu_after, took) = (measure::cpu_time(pid)?, began.elapsed());
        let memory = measure::memory(pid)?;
        let heard = phone.finish()?.map(|recording| self.heard(&recording, SETTLE + measured));
        callee.wait(PATIENCE)?;
        if let Some(heard) = heard.filter(|heard| *heard < HEARD) {
            return Err(RigError::new(format!("{program:?} heard something else than was said: {heard:.2}")));
        }
        let datagrams = capture.stop()?;
        let seen = |what: &str, time: Option<SystemTime>| {
            time.ok_or_else(|| RigError::new(format!("{program:?}: no {what} was on the wire")))
        };
        let registered = seen("200 to REGISTER", sip::answered(&datagrams, proxy, "REGISTER"))?;
        let called = seen("INVITE", sip::first_request(&datagrams, proxy, "INVITE"))?;
        let answered = seen("200 to INVITE", sip::answered(&datagrams, proxy, "INVITE"))?;
        Ok(Figures {
            cpu: 100.0 * (cpu_after - cpu_before).as_secs_f64() / took.as_secs_f64(),
            memory,
            invite_to_200: answered.duration_since(called).unwrap_or_default(),
            start_to_registered: registered.duration_since(started).unwrap_or_default(),
            heard,
        })
    }

    /// How alike the first `part` of what was said is to what came back.
    fn heard(&self, recording: &Wav, part: Duration) -> f64 {
        let spoken = (part.as_secs_f64() * f64::from(self.said.rate)) as usize;
        let samples = self.said.samples.iter().take(spoken).copied().collect();
        audio::hear(&Wav { rate: self.said.rate, samples }, recording).peak
    }

    /// Somebody at the proxy who answers one call and sends back what is heard.
    fn callee(&self, dir: &Path) -> Result<Sipp> {
        let port = free_port(self.kamailio.address().ip())?;
        let register = SippOptions {
            scenario: "register.xml",
            target: Some(self.kamailio.address()),
            port: Some(port),
            fields: vec![vec!["echo".into(), Sipp::credentials("echo", "secret")]],
            ..SippOptions::default()
        };
        let outcome = Sipp::start(dir, &register)?.wait(PATIENCE)?;
        if !outcome.is_clean(1) {
            return Err(RigError::new(format!("the callee is not registered: {outcome:?}")));
        }
        let answer = SippOptions {
            scenario: self.codec.scenario(),
            port: Some(port),
            echo: true,
            ..SippOptions::default()
        };
        Sipp::start(dir, &answer)
    }
}
