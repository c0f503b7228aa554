//! What the echo canceller leaves of the far end, and of the near end when both speak, in simulated rooms. Run it through
//! `cargo xtask bench echo`.
// Talking to the terminal is what it is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod scene;

use std::process::ExitCode;

use scene::{Case, Scene};
use sidetone_media::ProcessingOptions;
use sidetone_testkit::Result;
use sidetone_testkit::audio::Acoustics;
use sidetone_testkit::bench::{self, Arguments};

const DELAYS_MS: [f64; 3] = [40.0, 120.0, 200.0];
const SEEDS: [u32; 3] = [1, 2, 3];
/// The aims, for a laptop's 10 dB between loudspeaker and microphone.
const LEAST_ERLE_DB: f64 = 40.0;
const LEAST_STOI: f64 = 0.72;

/// What is unlike the room of the aims.
const ROOMS: [(&str, Acoustics, bool); 4] = {
    let room = Acoustics {
        delay_ms: 0.0,
        rt60_ms: 300.0,
        coupling_db: -10.0,
        noise_dbfs: -70.0,
        overdrive: 0.0,
        seed: 0,
    };
    [
        ("laptop in an office", room, true),
        ("echo nearly as loud as what is played", Acoustics { coupling_db: -3.0, ..room }, false),
        ("overdriven loudspeaker", Acoustics { overdrive: 1.0, coupling_db: -3.0, ..room }, false),
        (
            "noisy room that rings for half a second",
            Acoustics { noise_dbfs: -50.0, rt60_ms: 500.0, ..room },
            false,
        ),
    ]
};

fn main() -> ExitCode {
    bench::ended(run())
}

/// Whether the aims are met.
fn run() -> Result<bool> {
    const USAGE: &str = "bench echo --run";
    let mut asked = false;
    let mut arguments = Arguments::of_this_program(USAGE);
    while let Some(name) = arguments.name() {
        match name.as_str() {
            "--run" => asked = true,
            _ => return Err(arguments.unknown(&name)),
        }
    }
    if asked {
        return tables();
    }
    // A test run of all targets.
    println!("{USAGE}");
    Ok(true)
}

fn tables() -> Result<bool> {
    let scene = Scene::new()?;
    println!(
        "far end {:.0} s at -20 dBFS, near end {:.0} s at -24 dBFS from the 7th second on; worst of {} rooms each\n",
        scene.far_seconds(),
        scene.near_seconds(),
        SEEDS.len()
    );
    let mut met = true;
    for (name, room, aimed) in ROOMS {
        let cases: Vec<(f64, Case)> = DELAYS_MS
            .iter()
            .map(|delay_ms| {
                let cases = SEEDS.map(|seed| {
                    scene.play(&Acoustics { delay_ms: *delay_ms, seed, ..room }, ProcessingOptions::ALL)
                });
                (*delay_ms, Case::worst(&cases))
            })
            .collect();
        println!("{name}: far end alone");
        println!("{:>10}{:>14}{:>20}{:>14}", "delay, ms", "found, ms", "ERLE from 2 s, dB", "worst 2 s, dB");
        for (delay, case) in &cases {
            let aim = aim(aimed, case.erle >= LEAST_ERLE_DB, &format!(">= {LEAST_ERLE_DB:.0}"), &mut met);
            println!("{delay:>10.0}{:>14}{:>20.1}{:>14.1}  {aim}", case.found_ms, case.erle, case.worst_erle);
        }
        println!("{name}: both speak");
        println!("{:>10}{:>14}{:>20}", "delay, ms", "STOI", "unprocessed");
        for (delay, case) in &cases {
            let aim = aim(aimed, case.stoi >= LEAST_STOI, &format!(">= {LEAST_STOI}"), &mut met);
            println!("{delay:>10.0}{:>14.3}{:>20.3}  {aim}", case.stoi, case.stoi_unprocessed);
        }
        let cost = cases.iter().map(|(_, case)| case.cost).fold(0.0, f64::max);
        println!("cost: {cost:.1} % of a core\n");
    }
    println!("{NOTES}");
    Ok(met)
}

fn aim(aimed: bool, reached: bool, text: &str, met: &mut bool) -> String {
    if !aimed {
        return String::new();
    }
    *met &= reached;
    format!("{text} {}", if reached { "met" } else { "missed" })
}

const NOTES: &str = "\
ERLE: the echo's energy at the microphone over the energy of all that is left, the microphone's noise and the comfort noise
included, with noise suppression and gain control on as by default; gain control raises what is left by up to 6 dB here.
STOI: Taal et al. 2011, of the near end alone against what is left of both, in the seconds where both speak. The speakers are
espeak-ng's. Rooms: a direct sound, eight early reflections and a tail of decaying noise, each with a seed. The aims are for
the first room.";
