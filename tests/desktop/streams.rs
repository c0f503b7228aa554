//! Streams in the window: published and played by keyboard, and their pictures as they are drawn.

use crate::{
    page::Page,
    window::{WINDOW, needs, open, picture, write_settings},
};
use serde_json::json;
use sidetone_testkit::{
    Process, Room,
    browser::{Driver, ENTER, ESCAPE},
    room, until,
};
use std::{collections::HashSet, path::Path, process::Command, time::Duration};

/// Small pictures: machines that test are busy.
const SETTINGS: &str = "[video]\nwidth = 640\nheight = 360\n";
/// The oldest picture on the screen, on a machine that builds and tests besides.
const OLDEST_MS: f64 = 2_000.0;
const BROWSER: [&str; 2] = ["chromium", "chromedriver"];

/// Colours of the bars, besides black and white.
const BARS: usize = 6;

fn colours(rgb: &[u8]) -> usize {
    rgb.chunks_exact(3).collect::<HashSet<_>>().len()
}

/// Milliseconds between the clock in the picture of the last tile and the page's own; nothing where it cannot be read.
const AGE: &str = "
    const canvas = [...document.querySelectorAll('[data-testid=picture]')].at(-1)
    const context = canvas?.getContext('2d')
    if (!context) return null
    const bytes = [0, 0, 0, 0, 0, 0, 0, 0]
    for (let bit = 0; bit < 64; bit++) {
      const x = Math.floor((((bit % 16) + 0.5) * canvas.width) / 16)
      const y = Math.floor(((8 + Math.floor(bit / 16) + 0.5) * canvas.height) / 12)
      if (context.getImageData(x, y, 1, 1).data[1] > 127) bytes[bit >> 3] |= 0x80 >> (bit & 7)
    }
    let crc = 0xffff
    for (const byte of bytes.slice(0, 6)) {
      crc ^= byte << 8
      for (let i = 0; i < 8; i++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff
    }
    if (crc !== bytes[6] * 256 + bytes[7]) return null
    return Date.now() - bytes.slice(0, 6).reduce((value, byte) => value * 256 + byte, 0)";

/// Whether the page decodes a codec by itself.
const DECODES: &str = "
    const [codec, done] = arguments
    if (typeof VideoDecoder === 'undefined') done(false)
    else VideoDecoder.isConfigSupported({ codec, optimizeForLatency: true }).then(({ supported }) => done(supported === true), () => done(false))";

impl Page<'_> {
    /// Who has decoded the picture of the last tile, `page` or `engine`.
    fn decoder(&self) -> String {
        let script =
            "return [...document.querySelectorAll('[data-testid=picture]')].at(-1)?.dataset.decoder ?? ''";
        self.driver.script(script, &[]).as_str().unwrap_or_default().to_owned()
    }

    /// Who decodes this codec, as WebCodecs names it.
    fn decoder_of(&self, codec: &str) -> &'static str {
        let can = self.driver.post("/execute/async", &json!({ "script": DECODES, "args": [codec] }));
        if can == json!(true) { "page" } else { "engine" }
    }

    /// Milliseconds between the clock in the picture of the last tile and the page's own.
    fn age(&self) -> Option<f64> {
        self.driver.script(AGE, &[]).as_f64()
    }

    fn picture_number(&self) -> f64 {
        let script =
            "return +([...document.querySelectorAll('[data-testid=picture]')].at(-1)?.dataset.number ?? -1)";
        self.driver.script(script, &[]).as_f64().unwrap_or(-1.0)
    }

    /// Plays what the gateway has, from the Streams screen.
    fn play_the_one_stream(&self) {
        self.click("open-streams");
        self.click("tab-play");
        self.click("gateway-stream");
        self.wait_for_status("stream-status", "PLAYING");
    }

    fn wait_for_pictures(&self, what: &str) {
        self.wait(what, || self.age().is_some_and(|age| age < OLDEST_MS));
        let before = self.picture_number();
        self.wait(what, || self.picture_number() > before + 5.0);
    }
}

/// Publishes small bars at the gateway that runs here.
fn publish(room: &Room, codec: &str) -> Process {
    let mut bars = Command::new(crate::cli());
    bars.args(["publish", "tv", "--camera", "bars", "--mic", "none", "--size", "640x360", "--codec", codec]);
    Process::spawn("publisher", &mut bars, room.dir()).unwrap()
}

#[test]
fn a_browser_decodes_vp8_by_itself_and_the_engine_does_where_its_decoder_fails() {
    let Some(room) = room!(needs(&[&BROWSER])) else { return };
    println!("ages of pictures and who decoded them: {:?}", browser_decodes(&room, "VP8", "vp8"));
}

#[test]
fn a_browser_decodes_h264_by_itself_and_the_engine_does_where_its_decoder_fails() {
    let Some(room) = room!(needs(&[&BROWSER])) else { return };
    println!("ages of pictures and who decoded them: {:?}", browser_decodes(&room, "H264", "avc1.42E01F"));
}

/// `name`: the codec's for WebCodecs.
fn browser_decodes(room: &Room, codec: &str, name: &str) -> [(&'static str, Option<f64>); 2] {
    let mut gateway = Command::new(crate::cli());
    gateway.arg("gateway");
    let gateway = Process::spawn("gateway", &mut gateway, room.dir()).unwrap();
    let link =
        until("the link", Duration::from_secs(20), || crate::browser::link(&gateway.stdout())).unwrap();
    let _publisher = publish(room, codec);
    let driver = Driver::of_chromium(room.dir(), &[]).unwrap();
    driver.go_to(&link);
    let page = Page { driver: &driver };
    page.play_the_one_stream();
    // Not every Chromium is built with H.264.
    let whoever_can = page.decoder_of(name);
    page.wait("whoever can decodes, from the first key frame on", || page.decoder() == whoever_can);
    page.wait_for_pictures("pictures");
    assert_eq!(page.decoder(), whoever_can);
    let first = (whoever_can, page.age());

    // Away and back: nothing was decoded in between.
    page.click("open-phone");
    page.click("open-streams");
    page.wait("whoever can decodes for one who comes later", || page.decoder() == whoever_can);
    page.wait_for_pictures("pictures for one who comes later");

    driver.script("VideoDecoder.prototype.decode = () => { throw new Error('broken') }", &[]);
    page.wait("the engine decodes", || page.decoder() == "engine");
    page.wait_for_pictures("pictures that the engine decodes");
    [first, ("engine", page.age())]
}

#[test]
fn a_window_decodes_streams_by_itself_where_its_webview_can() {
    let Some(room) = room!(needs(&[&WINDOW])) else { return };
    let (_display, driver) = open(&room);
    let page = Page { driver: &driver };
    page.wait_for_status("registration-state", "REGISTERED");
    let _publisher = publish(&room, "VP8");
    page.play_the_one_stream();
    let whoever_can = page.decoder_of("vp8");
    page.wait("whoever can decodes it", || page.decoder() == whoever_can);
    page.wait_for_pictures("pictures");
    println!("a picture that the {whoever_can} has decoded was {:?} ms old", page.age());
}

#[test]
fn a_window_whose_socket_is_blocked_shows_pictures_all_the_same() {
    let Some(room) = room!(needs(&[&WINDOW])) else { return };
    let (_display, driver) = open(&room);
    let page = Page { driver: &driver };
    page.wait_for_status("registration-state", "REGISTERED");
    let ticket = "const [done] = arguments; window.__TAURI_INTERNALS__.invoke('frames').then(done, (error) => done(String(error)))";
    let url = driver.post("/execute/async", &json!({ "script": ticket, "args": [] }));
    let port = url.as_str().and_then(|url| url.split([':', '/']).nth(4)).unwrap_or_else(|| panic!("{url}"));
    for rule in [
        &["add", "pref", "10", "lookup", "local"][..],
        &["add", "pref", "5", "ipproto", "tcp", "dport", port, "prohibit"],
        &["del", "pref", "0"],
    ] {
        assert!(Command::new("ip").arg("rule").args(rule).status().unwrap().success(), "{rule:?}");
    }
    let address = format!("127.0.0.1:{port}");
    assert!(std::net::TcpStream::connect(&address).is_err(), "{address} is blocked");

    let _publisher = publish(&room, "H264");
    page.play_the_one_stream();
    page.wait_for_pictures("pictures without a socket");
    println!("a picture without a socket was {:?} ms old, decoded by the {}", page.age(), page.decoder());
}

#[test]
fn bars_are_published_and_played_by_keyboard_their_clock_is_read_from_the_screen_and_a_snapshot_is_kept() {
    let Some(room) = room!(needs(&[&WINDOW])) else { return };
    write_settings(&room, SETTINGS);
    let (display, driver) = open(&room);
    let page = Page { driver: &driver };
    page.wait_for_status("registration-state", "REGISTERED");

    page.focus("open-streams");
    driver.type_keys(ENTER);
    page.choose("publish-sound-0-source", "tone");
    let age = || page.age();
    page.focus("preview-toggle");
    driver.type_keys(ENTER);
    page.wait("the bars are seen before they are published", || age().is_some_and(|age| age < OLDEST_MS));
    page.wait("and the tone is heard", || page.meter("publish-sound-0-level") > -40.0);
    picture(&display, &page, "streams-preview");
    page.focus("publish-name");
    driver.type_keys("studio");
    driver.type_keys(ENTER);
    page.wait_for_status("stream-status", "PUBLISHING");
    assert!(!page.is_shown("publish-sound-0-level"), "the preview is closed");
    page.wait("what is sent is measured", || page.meter("stream-level") > -40.0);
    page.wait("our own picture is drawn", || age().is_some());
    driver.type_keys(ESCAPE);
    picture(&display, &page, "streams-published");

    page.focus("tab-publish");
    page.click("tab-play");
    page.focus("gateway-stream");
    driver.type_keys(ENTER);
    let last = "return [...document.querySelectorAll('[data-testid=stream-status]')].at(-1).dataset.status";
    page.wait("it plays", || driver.script(last, &[]) == json!("PLAYING"));
    page.wait("its picture is drawn", || age().is_some_and(|age| age < OLDEST_MS));
    let (first, before) = (age(), page.picture_number());
    page.wait("pictures follow", || page.picture_number() > before + 5.0);
    println!("the first picture that was read was {first:?} ms old, a later one {:?} ms", age());
    let whoever_can = page.decoder_of("avc1.42E01F");
    page.wait("whoever can decodes it", || page.decoder() == whoever_can);
    println!("it is decoded by the {whoever_can}");
    picture(&display, &page, "streams-played");

    page.focus("stream-pause");
    driver.type_keys("o");
    // The tile's picture and that of its own window are of the same stream; its clock moves in both.
    let shown = || display.window("studio", room.dir()).filter(|pixels| colours(pixels) > BARS);
    let first = until("a window of its own", Duration::from_secs(20), shown).unwrap();
    until("pictures follow there", Duration::from_secs(20), || shown().filter(|next| *next != first))
        .unwrap();
    picture(&display, &page, "streams-popped-out");
    driver.type_keys("s");
    page.wait("where the snapshot is", || page.text("stream-snapshot-file").contains(".png"));
    let text = page.text("stream-snapshot-file");
    assert!(text.contains("640 × 360"), "{text}");
    let path = text.lines().find(|line| line.ends_with(".png")).unwrap().trim().to_owned();
    let png = until("the snapshot", Duration::from_secs(5), || std::fs::read(Path::new(&path)).ok()).unwrap();
    assert!(png.starts_with(b"\x89PNG"), "{path}");
    picture(&display, &page, "streams-snapshot");

    driver.type_keys("p");
    page.wait("it pauses", || driver.script(last, &[]) == json!("PAUSED"));
    page.focus("stream-stop");
    driver.type_keys(ENTER);
    page.wait("its player is told", || {
        page.text("ended-stream").contains("STOPPED")
            || page.text("streams").contains("Stopped by publisher stop")
    });
}
