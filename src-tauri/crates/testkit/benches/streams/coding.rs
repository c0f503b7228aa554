//! What coding 720p30 costs, in a process each.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use sidetone_testkit::Result;

use crate::arguments::Arguments;
use crate::program::{Program, cpu_times};
use crate::table::{self, Coding};

/// Until encoder and jitter buffer have settled.
const SETTLE: Duration = Duration::from_secs(3);

/// There is no aim: it prints the figures.
pub(crate) fn run(dir: &Path, arguments: &Arguments) -> Result<bool> {
    let measured = arguments.shown();
    let mut rows = by_gateway(dir, &arguments.program, measured)?;
    rows.extend(by_call(dir, &arguments.program, measured)?);
    println!("\n{}", table::coding(&rows, measured));
    Ok(true)
}

/// Published by WHIP and played by WHEP.
fn by_gateway(dir: &Path, program: &Path, measured: Duration) -> Result<Vec<Coding>> {
    let (gateway, address) = Program::gateway(dir, program)?;
    let at_gateway = ["--gateway", address.as_str()];
    let more = [&at_gateway[..], &["--mic", "tone"]].concat();
    let publisher = Program::bars(dir, program, "bench", "1280x720", &more)?;
    let mut arguments = vec!["play", "bench", "--video", "null", "--speaker", "null", "--json"];
    arguments.extend(at_gateway);
    let mut player = Program::start(dir, program, &arguments)?;
    player.wait("PLAYING", |line| line["status"] == "PLAYING")?;
    let mut coders = [publisher, player];
    let (cpu, rates) = measure(&mut coders, Some(&gateway), measured)?;
    let names = [
        "publishes by WHIP: encodes, with a tone in Opus",
        "plays by WHEP: decodes, with its sound",
        "gateway between them",
    ];
    let rates = rates.into_iter().map(Some).chain([None]);
    Ok(names.into_iter().zip(cpu).zip(rates).map(|((what, cpu), rate)| Coding { what, cpu, rate }).collect())
}

/// A call between two programs, each of which encodes its own bars and decodes the other's.
fn by_call(dir: &Path, program: &Path, measured: Duration) -> Result<Vec<Coding>> {
    let port = sidetone_testkit::free_port(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST))?;
    let called = Program::in_video_call(dir, program, &["answer", "--sip-port", &port.to_string()])?;
    let mut calling = Program::in_video_call(dir, program, &["call", &format!("sip:bob@127.0.0.1:{port}")])?;
    calling.wait("both pictures", |line| {
        let video = &line["call"]["video"];
        video["sending"] == true && video["picture"].is_object()
    })?;
    let mut coders = [called, calling];
    let (cpu, rates) = measure(&mut coders, None, measured)?;
    let names = ["is called: encodes and decodes, with Opus", "calls: encodes and decodes, with Opus"];
    let rows = names.into_iter().zip(cpu).zip(rates);
    Ok(rows.map(|((what, cpu), rate)| Coding { what, cpu, rate: Some(rate) }).collect())
}

/// Of a core, and pictures a second; `more` takes time and tells of no pictures.
fn measure(
    coders: &mut [Program],
    more: Option<&Program>,
    measured: Duration,
) -> Result<(Vec<f64>, Vec<f64>)> {
    thread::sleep(SETTLE);
    let processes: Vec<u32> = coders.iter().chain(more).map(Program::process).collect();
    let shown = |coders: &mut [Program]| coders.iter_mut().map(Program::pictures).collect::<Result<Vec<_>>>();
    let first = shown(coders)?;
    let (before, began) = (cpu_times(&processes)?, Instant::now());
    thread::sleep(measured);
    let (after, took) = (cpu_times(&processes)?, began.elapsed());
    let last = shown(coders)?;
    let cpu = before.iter().zip(&after);
    let cpu = cpu.map(|(before, after)| after.saturating_sub(*before).as_secs_f64() / took.as_secs_f64());
    let rates = first.iter().zip(&last).map(|((before, began), (after, ended))| {
        after.saturating_sub(*before) as f64 / ended.duration_since(*began).as_secs_f64()
    });
    Ok((cpu.collect(), rates.collect()))
}
