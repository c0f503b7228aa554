//! Screens and windows of an X display that nobody sees.
#![cfg(all(target_os = "linux", feature = "screen"))]
#![expect(clippy::unwrap_used, reason = "the functions that the tests share are tests as well")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sidetone_device::Hardware;
use sidetone_media::video::{Picture, Polled, Size, VideoSource, Watched};
use sidetone_media::{Devices, VideoInfo, VideoKind, VideoSelection, VideoWish};
use sidetone_testkit::{Needs, Process, Room, room, until};

const TOOLS: [&str; 3] = ["Xvfb", "display", "xprop"];
const LONG: Duration = Duration::from_secs(20);
/// Neither side is even.
const SCREEN: (u32, u32) = (641, 359);
const WISH: VideoWish = VideoWish { size: Size::P720, frames_per_second: 30 };

struct Display {
    process: Process,
    name: String,
    dir: PathBuf,
}

impl Display {
    /// On a free number, or on this one again.
    fn start(dir: &Path, number: Option<&str>) -> Self {
        let mut xvfb = Command::new("Xvfb");
        xvfb.args(number);
        let screen = format!("{}x{}x24", SCREEN.0, SCREEN.1);
        xvfb.args(["-displayfd", "1", "-screen", "0", &screen, "-nolisten", "tcp", "-noreset"]);
        let process = Process::spawn("xvfb", &mut xvfb, dir).unwrap();
        let number = until("the display", LONG, || {
            process.stdout().strip_suffix('\n').map(str::to_owned).filter(|number| !number.is_empty())
        });
        Self { name: format!(":{}", number.unwrap()), process, dir: dir.to_owned() }
    }

    /// Shows the picture of [`known`] on the root window.
    fn paint(&self) {
        let file = self.dir.join("known.ppm");
        let mut ppm = format!("P6\n{} {}\n255\n", SCREEN.0, SCREEN.1).into_bytes();
        (0..SCREEN.1).for_each(|y| (0..SCREEN.0).for_each(|x| ppm.extend(known(x, y))));
        fs::write(&file, ppm).unwrap();
        // It ends with 1 here whether it has painted or not; whoever waits for the picture sees.
        Command::new("display").args(["-window", "root"]).arg(&file).status().unwrap();
    }
}

/// Four fields of one colour each, in a frame of grey.
fn known(x: u32, y: u32) -> [u8; 3] {
    if x < 8 || y < 8 || x >= SCREEN.0 - 8 || y >= SCREEN.1 - 8 {
        return [128; 3];
    }
    match (x < SCREEN.0 / 2, y < SCREEN.1 / 2) {
        (true, true) => [220, 30, 30],
        (false, true) => [30, 200, 40],
        (true, false) => [40, 50, 210],
        (false, false) => [240, 230, 60],
    }
}

/// How far off the worst of some points is, each inside of its field, at any size of the picture.
fn worst(picture: &Picture) -> u8 {
    let rgb = picture.to_rgb().unwrap();
    let points =
        [(0.005, 0.5), (0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75), (0.48, 0.9), (0.52, 0.9)];
    let at =
        |(x, y): (f32, f32), width: u32, height: u32| ((x * width as f32) as u32, (y * height as f32) as u32);
    let off = points.map(|point| {
        let (x, y) = at(point, SCREEN.0, SCREEN.1);
        let (px, py) = at(point, picture.width(), picture.height());
        let start = ((py * picture.width() + px) * 3) as usize;
        rgb[start..start + 3].iter().zip(known(x, y)).map(|(a, b)| a.abs_diff(b)).max().unwrap()
    });
    off.into_iter().max().unwrap()
}

/// Waits for a picture that `wanted` accepts.
fn picture(source: &mut dyn VideoSource, wanted: impl Fn(&Picture) -> bool) -> Picture {
    let deadline = Instant::now() + LONG;
    loop {
        assert!(Instant::now() < deadline, "no such picture came");
        match source.poll(Instant::now()).unwrap() {
            Polled::Picture(picture) if wanted(&picture) => return picture,
            Polled::Ended => panic!("it ended"),
            _ => source.wait(Instant::now() + Duration::from_millis(50)),
        }
    }
}

/// Runs this test again with `DISPLAY` set, where it is not yet: true in there.
fn on_a_display(room: &Room, test: &str) -> bool {
    if env::var_os("DISPLAY").is_some() {
        return true;
    }
    let display = Display::start(room.dir(), None);
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture"])
        .env("DISPLAY", &display.name)
        .env_remove("WAYLAND_DISPLAY");
    command.env_remove("XDG_SESSION_TYPE");
    let status = command.status().unwrap();
    assert!(status.success(), "{status}");
    false
}

/// The display that [`on_a_display`] has started.
fn display(room: &Room) -> String {
    let _ = room;
    env::var("DISPLAY").unwrap()
}

fn paint(room: &Room) {
    // The process belongs to the test outside; only its name is needed here.
    let idle = Process::spawn("idle", &mut Command::new("true"), room.dir()).unwrap();
    Display { process: idle, name: display(room), dir: room.dir().to_owned() }.paint();
}

fn named(kind: VideoKind, infos: &[VideoInfo]) -> Vec<&VideoInfo> {
    infos.iter().filter(|info| info.kind == kind).collect()
}

#[test]
fn a_screen_is_given_as_it_is_and_scaled_down_where_that_is_wished() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    let test = "a_screen_is_given_as_it_is_and_scaled_down_where_that_is_wished";
    if !on_a_display(&room, test) {
        return;
    }
    paint(&room);
    let hardware = Hardware::new();
    let infos = hardware.list_video().unwrap();
    let screens = named(VideoKind::Screen, &infos);
    assert_eq!(screens.len(), 1, "{infos:?}");
    assert!(screens[0].name.contains("641x359"), "{infos:?}");
    assert_eq!(infos.last().map(|info| &info.selection), Some(&VideoSelection::Bars));
    for selection in [VideoSelection::Screen(String::new()), screens[0].selection.clone()] {
        let mut opened = hardware.open_video(&selection, WISH).unwrap();
        let shot = picture(&mut *opened.source, |_| true);
        assert_eq!((shot.width(), shot.height()), SCREEN);
        assert!(worst(&shot) <= 6, "{selection}: {}", worst(&shot));
        let again = picture(&mut *opened.source, |_| true);
        assert!(again.captured() > shot.captured());
        assert!(again.captured() <= Instant::now());
    }
    let small = VideoWish { size: Size::P180, frames_per_second: 30 };
    let mut opened = hardware.open_video(&VideoSelection::Screen(String::new()), small).unwrap();
    let shot = picture(&mut *opened.source, |_| true);
    // Of the screen's shape, and even.
    assert_eq!((shot.width(), shot.height()), (320, 178));
    assert!(worst(&shot) <= 6, "{}", worst(&shot));
    let gone = hardware.open_video(&VideoSelection::Screen("HDMI-9".into()), WISH).unwrap_err().to_string();
    assert!(gone.contains("screen:HDMI-9"), "{gone}");
}

#[test]
fn the_rate_is_the_wished_one() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    if !on_a_display(&room, "the_rate_is_the_wished_one") {
        return;
    }
    let wish = VideoWish { size: Size::P180, frames_per_second: 10 };
    let mut opened = Hardware::new().open_video(&VideoSelection::Screen(String::new()), wish).unwrap();
    let first = picture(&mut *opened.source, |_| true).captured();
    let times: Vec<Instant> = (0..20).map(|_| picture(&mut *opened.source, |_| true).captured()).collect();
    let seconds = (times[19] - first).as_secs_f64();
    assert!((1.8..4.0).contains(&seconds), "20 pictures in {seconds} s");
}

#[test]
fn a_window_is_listed_by_its_title_and_given_alone() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    if !on_a_display(&room, "a_window_is_listed_by_its_title_and_given_alone") {
        return;
    }
    let file = room.dir().join("window.ppm");
    let mut ppm = b"P6\n120 80\n255\n".to_vec();
    ppm.extend([30, 200, 40].repeat(120 * 80));
    fs::write(&file, ppm).unwrap();
    let mut show = Command::new("display");
    show.args(["-title", "Green field"]).arg(&file);
    let mut shown = Process::spawn("display", &mut show, room.dir()).unwrap();
    let id = until("the window", LONG, || window_named("Green field")).unwrap();
    // What a program of today and a window manager would do.
    let name = ["-f", "_NET_WM_NAME", "8u", "-set", "_NET_WM_NAME", "Green field", "-id"];
    assert!(Command::new("xprop").args(name).arg(id.to_string()).status().unwrap().success());
    let set = ["-root", "-f", "_NET_CLIENT_LIST_STACKING", "32x", "-set", "_NET_CLIENT_LIST_STACKING"];
    assert!(Command::new("xprop").args(set).arg(id.to_string()).status().unwrap().success());
    let hardware = Hardware::new();
    let infos = hardware.list_video().unwrap();
    let windows = named(VideoKind::Window, &infos);
    assert_eq!(windows.len(), 1, "{infos:?}");
    assert!(windows[0].name.contains("Green field"), "{infos:?}");
    assert_eq!(windows[0].selection, VideoSelection::Window(id.to_string()));
    let mut opened = hardware.open_video(&windows[0].selection, WISH).unwrap();
    let green = |picture: &Picture| {
        let rgb = picture.to_rgb().unwrap();
        let middle = ((picture.height() / 2 * picture.width() + picture.width() / 2) * 3) as usize;
        rgb[middle..middle + 3].iter().zip([30u8, 200, 40]).all(|(a, b)| a.abs_diff(b) <= 6)
    };
    let shot = picture(&mut *opened.source, green);
    assert_eq!((shot.width(), shot.height()), (120, 80));
    shown.kill();
    let deadline = Instant::now() + LONG;
    let error = loop {
        assert!(Instant::now() < deadline);
        match opened.source.poll(Instant::now()) {
            Err(error) => break error.to_string(),
            _ => opened.source.wait(Instant::now() + Duration::from_millis(50)),
        }
    };
    assert!(error.contains("Green field"), "{error}");
}

fn window_named(title: &str) -> Option<u32> {
    let output = Command::new("xwininfo").args(["-name", title, "-int"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_once("Window id: ")?.1.split_whitespace().next()?.parse().ok()
}

#[test]
fn a_display_that_dies_and_comes_back_is_used_again() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    if env::var_os("DISPLAY").is_none() {
        // Nobody listens there yet; the display is started in there. A server that chooses its number takes the lowest that is
        // free, and must not find ours while it is down.
        let name = format!(":{}", 1_000 + std::process::id() % 20_000);
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["a_display_that_dies_and_comes_back_is_used_again", "--exact", "--nocapture"]);
        assert!(command.env("DISPLAY", &name).status().unwrap().success());
        return;
    }
    let name = display(&room);
    let mut first = Display::start(room.dir(), Some(&name));
    first.paint();
    let selection = VideoSelection::Screen(String::new());
    let mut watched = Watched::of(Instant::now(), Arc::new(Hardware::new()), &selection, WISH);
    picture(&mut watched, |picture| worst(picture) <= 6);
    assert_eq!(watched.problem(), None);
    first.process.kill();
    let told = until("the fault", LONG, || {
        let _ = watched.poll(Instant::now());
        watched.fault()
    });
    eprintln!("told: {}, {:?}", told.unwrap(), watched.problem());
    let standing = picture(&mut watched, |_| true);
    assert!(worst(&standing) <= 6, "the last picture stays");
    let again = Display::start(room.dir(), Some(&name));
    again.paint();
    until("its return", LONG, || {
        let _ = watched.poll(Instant::now());
        watched.problem().is_none().then_some(())
    })
    .unwrap();
    picture(&mut watched, |picture| worst(picture) <= 6);
}

#[test]
fn without_a_display_nothing_is_listed_and_the_reason_is_said() {
    let Some(_room) = room!(Needs::tools(&[])) else { return };
    let hardware = Hardware::new();
    let infos = hardware.list_video().unwrap();
    assert!(named(VideoKind::Screen, &infos).is_empty() && named(VideoKind::Window, &infos).is_empty());
    assert_eq!(infos.last(), Some(&VideoInfo::bars()));
    for selection in [VideoSelection::Screen(String::new()), VideoSelection::Window("7".into())] {
        let error = hardware.open_video(&selection, WISH).unwrap_err().to_string();
        assert!(error.contains("there is no display"), "{error}");
    }
}
