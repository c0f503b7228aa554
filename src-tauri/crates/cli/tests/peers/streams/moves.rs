//! This machine gets another address: a stream to or from another machine goes on in its session, by a restart of ICE.

use super::{Program, SILENT, film::Film, last_info, path};
use serde_json::Value;
use sidetone_testkit::{Needs, PeerNet, Process, Room, room, until};
use std::{
    path::Path,
    time::{Duration, Instant},
};

const PROXY: &str = include_str!("proxy.py");
const SOON: Duration = Duration::from_secs(10);
/// How long a picture may stand still around the move, ms.
const PICTURE_AGAIN: u64 = 3_000;
const BARS: [&str; 6] = ["--camera", "bars", "--mic", "tone", "--size", "320x180"];

fn needs() -> Needs {
    Needs::tools(&["python3"]).network().within(Duration::from_secs(120))
}

/// A gateway on another machine, behind a web server there: the gateway itself speaks to its own machine alone.
struct Elsewhere {
    net: PeerNet,
    _gateway: Program,
    _proxy: Process,
    url: String,
}

impl Elsewhere {
    fn start(room: &Room) -> Self {
        let net = PeerNet::new(room.dir()).unwrap();
        // Its media goes out where the route leads.
        let mut route = net.command("ip");
        route.args(["route", "add", "default", "dev", net.their_interface()]);
        assert!(route.status().unwrap().success());
        let mut gateway = Program::start_at(&net, room, &[&["gateway"][..], &SILENT].concat());
        let (_, line) = gateway.wait("its addresses", |line| line["http"].is_string());
        let http = line["http"].as_str().unwrap().trim_start_matches("http://").to_owned();
        let (address, port) = (net.address().to_string(), "8080");
        let mut proxy = net.command("python3");
        proxy.args(["-c", PROXY, &address, port, &http]);
        let proxy = Process::spawn("proxy", &mut proxy, room.dir()).unwrap();
        until("the web server", SOON, || proxy.stdout().contains("ready").then_some(())).unwrap();
        Self { net, _gateway: gateway, _proxy: proxy, url: format!("http://{address}:{port}") }
    }
}

fn statuses(lines: &[Value]) -> Vec<&str> {
    let of_stream = lines.iter().filter(|line| line["event"] == "StreamStatusEvent");
    of_stream.filter_map(|line| line["status"].as_str()).collect()
}

/// Once, for as long as was asked for.
fn assert_played_to_its_end(code: Option<i32>, lines: &[Value]) {
    let statuses = statuses(lines);
    let count = |wanted: &str| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((code, statuses.last().copied()), (Some(0), Some("STOPPED")), "{lines:#?}");
    assert_eq!((count("PLAYING"), count("STOPPED"), count("FAILED")), (1, 1, 0), "{lines:#?}");
}

/// It was never lost and dialled again.
fn assert_one_session(lines: &[Value]) {
    let told = |line: &&Value| {
        line["info"].as_str().is_some_and(|info| info.contains("connected again"))
            || line["stream"]["retryAt"].is_u64()
    };
    assert_eq!(lines.iter().find(told), None, "{lines:#?}");
}

/// The clock in the pictures went on over the move.
fn assert_goes_on(file: &Path, least: u64) {
    let film = Film::read(file);
    let clocks = film.clocks();
    assert!(clocks.len() * 100 >= film.pictures.len() * 95, "{} of {}", clocks.len(), film.pictures.len());
    let (first, last) = (clocks[0], clocks[clocks.len() - 1]);
    assert!(last - first >= least, "{} ms", last - first);
    let gap = clocks.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap();
    println!("{} pictures over {} ms, {gap} ms the longest between two", clocks.len(), last - first);
    assert!(gap <= PICTURE_AGAIN, "{gap} ms without a picture: {clocks:?}");
}

/// Until so many seconds of the stream were measured.
fn flows(program: &mut Program, seconds: usize) {
    for _ in 0..seconds {
        program.wait("figures", |line| {
            line["event"] == "StreamMeasured" && line["statistics"]["videoKbit"] != 0.0
        });
    }
}

#[test]
fn what_we_publish_elsewhere_goes_on_from_another_address() {
    let Some(room) = room!(needs()) else { return };
    let there = Elsewhere::start(&room);
    let url = format!("{}/whip/tv", there.url);
    let mut publisher = Program::start(&room, &[&["publish", &url][..], &BARS].concat());
    publisher.status("PUBLISHING");
    let film = room.dir().join("elsewhere").join("seen.y4m");
    let video = format!("file:{}", film.display());
    let arguments = ["play", "tv", "--video", &video, "--speaker", "null", "--for", "12s"];
    let mut player = Program::start_at(&there.net, &room, &arguments);
    player.status("PLAYING");
    flows(&mut player, 3);
    there.net.move_us().unwrap();
    let moved = Instant::now();
    let (code, lines) = player.end();
    assert!(moved.elapsed() > Duration::from_secs(5), "it was played for {:?} more", moved.elapsed());
    assert_played_to_its_end(code, &lines);
    assert_goes_on(&film, 10_000);
    publisher.signal("-INT");
    let (_, lines) = publisher.end();
    assert_eq!(statuses(&lines).iter().filter(|status| **status == "PUBLISHING").count(), 1, "{lines:#?}");
    assert_eq!(last_info(&lines).0, "UNPUBLISHED");
    assert_one_session(&lines);
}

#[test]
fn what_we_play_from_elsewhere_goes_on_at_another_address() {
    let Some(room) = room!(needs()) else { return };
    let there = Elsewhere::start(&room);
    let mut publisher = Program::start_at(&there.net, &room, &[&["publish", "tv"][..], &BARS].concat());
    publisher.status("PUBLISHING");
    let (film, film_text) = path(&room, "seen.y4m");
    let (url, video) = (format!("{}/whep/tv", there.url), format!("file:{film_text}"));
    let mut player =
        Program::start(&room, &["play", &url, "--video", &video, "--speaker", "null", "--for", "12s"]);
    player.status("PLAYING");
    flows(&mut player, 3);
    there.net.move_us().unwrap();
    let (code, lines) = player.end();
    assert_played_to_its_end(code, &lines);
    assert_one_session(&lines);
    assert_goes_on(&film, 10_000);
}
