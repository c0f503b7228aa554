//! Streams of a headless Chromium: it publishes by WHIP and plays by WHEP, with its own WebRTC.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::{Driver, Log, Pages};
use crate::error::{Result, RigError};
use crate::process::until;

const PAGE: &str = include_str!("streams/page.html");
/// Draws and reads the clock of the bars in a page.
pub(super) const CLOCK: &str = include_str!("pages/clock.js");
const SCRIPT: &str = include_str!("streams/streams.js");

/// What a page publishes: a clock as the product's bars have it, and a tone.
#[derive(Debug, Clone)]
pub struct PublishOptions<'a> {
    /// Of a WHIP endpoint.
    pub url: &'a str,
    pub token: Option<&'a str>,
    /// `VP8`, `H264`; no picture where absent.
    pub codec: Option<&'a str>,
    pub width: u32,
    pub height: u32,
    pub frames_per_second: u32,
    /// At most.
    pub kbit: Option<u32>,
    /// Two sizes, `l` and `h`.
    pub simulcast: bool,
    /// Hz; 0: no sound.
    pub pitch: f64,
}

impl Default for PublishOptions<'_> {
    fn default() -> Self {
        Self {
            url: "",
            token: None,
            codec: Some("VP8"),
            width: 640,
            height: 360,
            frames_per_second: 30,
            kbit: None,
            simulcast: false,
            pitch: 440.0,
        }
    }
}

/// A page with any number of streams, published and played.
#[derive(Debug)]
pub struct StreamPage {
    driver: Driver,
    _pages: Pages,
    log: Log,
}

/// A picture of a played stream, as it was shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShownPicture {
    /// When the page's frame began that it is of, milliseconds since 1970.
    pub at: f64,
    /// When it was looked at, by the clock of the machine: no earlier than that, and no earlier than it was drawn.
    pub looked: u64,
    /// What its clock says, milliseconds since 1970; `None` where it cannot be read.
    pub clock: Option<u64>,
    pub width: u32,
    pub height: u32,
}

impl ShownPicture {
    /// As a page tells it.
    pub(super) fn read(told: &Value) -> Option<Self> {
        let side = |at: usize| told[at].as_u64().and_then(|side| u32::try_from(side).ok());
        let (at, looked) = (told[0].as_f64()?, told[4].as_u64()?);
        Some(Self { at, looked, clock: told[1].as_u64(), width: side(2)?, height: side(3)? })
    }
}

/// What is known of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenStream {
    /// HTTP status of the answer; 0 until there is one.
    pub status: u16,
    /// As of `RTCPeerConnection.connectionState`.
    pub connection: String,
    /// Root mean square, 0 to 1; `None` where nothing is heard.
    pub level: Option<f64>,
    /// Hz of what is loudest.
    pub pitch: Option<f64>,
    /// In order, from the one that was asked for.
    pub pictures: Vec<ShownPicture>,
    /// All pictures so far.
    pub total: usize,
}

impl SeenStream {
    /// The longest time that a picture stood still, and how often one stood longer than `limit`.
    pub fn freezes(&self, limit: Duration) -> (Duration, usize) {
        let gap =
            |pair: &[ShownPicture]| Duration::from_secs_f64((pair[1].at - pair[0].at).max(0.0) / 1000.0);
        let gaps = || self.pictures.windows(2).map(gap);
        (gaps().max().unwrap_or_default(), gaps().filter(|gap| *gap > limit).count())
    }

    /// From drawing to showing, milliseconds, in order of size: of the pictures whose clocks can be read.
    pub fn delays(&self) -> Vec<f64> {
        let delay = |picture: &ShownPicture| picture.clock.map(|clock| picture.at - clock as f64);
        let mut delays: Vec<_> = self.pictures.iter().filter_map(delay).collect();
        delays.sort_by(f64::total_cmp);
        delays
    }

    /// The part of the pictures whose clocks can be read.
    pub fn readable(&self) -> f64 {
        let readable = self.pictures.iter().filter(|picture| picture.clock.is_some()).count();
        readable as f64 / self.pictures.len().max(1) as f64
    }
}

impl StreamPage {
    /// The programs that it needs.
    pub const TOOLS: [&'static str; 2] = ["chromium", "chromedriver"];

    /// Starts the browser in a directory of its own below `dir`, with these arguments besides.
    pub fn start(dir: &Path, name: &str, more: &[String]) -> Result<Self> {
        let own = dir.join(format!("streams-{name}"));
        std::fs::create_dir_all(&own)?;
        let mut arguments = [
            "--autoplay-policy=no-user-gesture-required",
            "--allow-loopback-in-peer-connection",
            "--disable-features=WebRtcHideLocalIpsWithMdns",
            "--disable-quic",
            "--ignore-certificate-errors",
            "--disable-background-timer-throttling",
            "--disable-renderer-backgrounding",
            "--disable-backgrounding-occluded-windows",
        ]
        .map(String::from)
        .to_vec();
        arguments.extend_from_slice(more);
        let pages = Pages::serve(vec![
            ("/", "text/html", PAGE.into()),
            ("/clock.js", "text/javascript", CLOCK.into()),
            ("/streams.js", "text/javascript", SCRIPT.into()),
        ])?;
        let driver = Driver::of_chromium(&own, &arguments)?;
        // A browser drops what it is loading where the machine's addresses change, as they do while a network comes up.
        until("the page of streams", Duration::from_secs(20), || {
            driver.go_to(&pages.url());
            let whole = driver.script("return typeof streams === 'object'", &[]);
            (whole == json!(true)).then_some(())
        })?;
        Ok(Self { driver, _pages: pages, log: Log::of("streams.log") })
    }

    /// The video codecs that this browser can send, as in SDP.
    pub fn codecs(&self) -> Vec<String> {
        let codecs = self.driver.script("return streams.codecs()", &[]);
        codecs.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_uppercase).collect()
    }

    /// Begins to publish; returns the stream's number at once.
    pub fn publish(&self, options: &PublishOptions<'_>) -> u64 {
        let options = json!({
            "url": options.url,
            "token": options.token,
            "codec": options.codec,
            "width": options.width,
            "height": options.height,
            "framesPerSecond": options.frames_per_second,
            "kbit": options.kbit,
            "simulcast": options.simulcast,
            "pitch": options.pitch,
        });
        self.number("return streams.publish(arguments[0])", &options)
    }

    /// Begins to play; returns the stream's number at once.
    pub fn play(&self, url: &str, token: Option<&str>) -> u64 {
        self.number("return streams.play(arguments[0])", &json!({ "url": url, "token": token }))
    }

    /// What is known of a stream, with its pictures from number `from` on.
    pub fn seen(&self, stream: u64, from: usize) -> Result<SeenStream> {
        let state = self.driver.script("return streams.state(...arguments)", &[json!(stream), json!(from)]);
        seen(&state).ok_or_else(|| RigError::new(format!("the page told {state}")))
    }

    /// The reports of `getStats` that tell of RTP and of the path.
    pub fn statistics(&self, stream: u64) -> Vec<Value> {
        let reports = self.driver.script("return streams.statistics(arguments[0])", &[json!(stream)]);
        reports.as_array().cloned().unwrap_or_default()
    }

    /// The sum of a counter over the reports of this type (`outbound-rtp`, …) and kind (`audio`, `video`).
    pub fn counter(&self, stream: u64, report: &str, kind: &str, counter: &str) -> f64 {
        let fits = |one: &&Value| one["type"] == report && one["kind"] == kind;
        self.statistics(stream).iter().filter(fits).filter_map(|one| one[counter].as_f64()).sum()
    }

    /// Restarts ICE by PATCH; `patched` is told.
    pub fn restart(&self, stream: u64) {
        self.driver.script("streams.restart(arguments[0])", &[json!(stream)]);
    }

    /// Sends black (`video`) or silence (`audio`) instead.
    pub fn mute(&self, stream: u64, kind: &str, on: bool) {
        self.driver.script("streams.muted(...arguments)", &[json!(stream), json!(kind), json!(on)]);
    }

    /// Ends a stream, with a DELETE where `politely`; returns its status.
    pub fn stop(&self, stream: u64, politely: bool) -> Option<u64> {
        self.driver.script("return streams.stop(...arguments)", &[json!(stream), json!(politely)]).as_u64()
    }

    /// Waits for the next event of this name of a stream, after those of earlier waits: `answered`, `refused`, `state`, `ice`,
    /// `first picture`, `patched`, `deleted`, `failed`.
    pub fn wait(&self, stream: u64, name: &str, patience: Duration) -> Result<Value> {
        self.wait_for(name, patience, |event| event["name"] == name && event["id"] == stream)
    }

    /// Waits for the next event that fits, after those of earlier waits.
    pub fn wait_for(&self, what: &str, patience: Duration, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        self.log.wait_for(&self.driver, what, patience, fits)
    }

    /// Everything that it told so far.
    pub fn events(&self) -> Vec<Value> {
        self.log.events(&self.driver)
    }

    /// For what is not offered here.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    fn number(&self, script: &str, options: &Value) -> u64 {
        self.driver.script(script, std::slice::from_ref(options)).as_u64().unwrap_or_default()
    }
}

fn seen(state: &Value) -> Option<SeenStream> {
    Some(SeenStream {
        status: u16::try_from(state["status"].as_u64()?).ok()?,
        connection: state["connection"].as_str()?.to_owned(),
        level: state["sound"]["level"].as_f64(),
        pitch: state["sound"]["pitch"].as_f64(),
        pictures: state["pictures"].as_array()?.iter().filter_map(ShownPicture::read).collect(),
        total: usize::try_from(state["total"].as_u64()?).ok()?,
    })
}
