//! The official Web SDK of Flashphoner's Web Call Server in a headless Chromium, as it comes from its package.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::audio::Wav;
use crate::browser::{Driver, Log, Pages};
use crate::error::{Result, RigError};
use crate::peers::ear::{self, EAR};
use crate::peers::{ShownPicture, streams::CLOCK};
use crate::process::until;

const PAGE: &str = include_str!("websdk/page.html");
const ERRORS: &str = include_str!("websdk/errors.js");
const SCRIPT: &str = include_str!("websdk/sdk.js");
const ROOM_SCRIPT: &str = include_str!("websdk/rooms.js");
/// Of the package that the UI's lock file names.
const PACKAGE: &str = "../../../ui/node_modules/@flashphoner/websdk";
const ARGUMENTS: [&str; 8] = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-quic",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
];
const BUNDLE: &str = "flashphoner-webrtc-only.js";
/// The SDK with its module for rooms.
const ROOMS: &str = "flashphoner-room-api-webrtc-only.js";

mod examples;
pub use examples::SdkExamples;

fn package() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(PACKAGE)
}

/// A page with the SDK. What it tells is read in order: each wait goes on where the last one ended.
#[derive(Debug)]
pub struct WebSdk {
    driver: Driver,
    _pages: Pages,
    log: Log,
}

impl WebSdk {
    /// The programs that it needs.
    pub const TOOLS: [&'static str; 2] = ["chromium", "chromedriver"];

    /// Starts the browser in a directory of its own below `dir`. Its camera and microphone are made up.
    pub fn start(dir: &Path, name: &str) -> Result<Self> {
        Self::start_with(dir, name, BUNDLE, &[])
    }

    /// With the module for rooms; and where a microphone is named, performing as below.
    pub fn start_with_rooms(dir: &Path, name: &str, microphone: Option<&Path>) -> Result<Self> {
        let capture: Vec<_> = microphone.map(capture).into_iter().collect();
        let page = Self::start_with(dir, name, ROOMS, &capture)?;
        if microphone.is_some() {
            page.run("perform", &[]);
        }
        Ok(page)
    }

    /// Trusts one certificate whose authority nobody knows: its [`crate::TestCertificate::pin`].
    pub fn start_trusting(dir: &Path, name: &str, pin: &str) -> Result<Self> {
        Self::start_with(dir, name, BUNDLE, &[format!("--ignore-certificate-errors-spki-list={pin}")])
    }

    /// With this before its microphone, over and over, and a clock before its camera.
    pub fn start_performing(dir: &Path, name: &str, microphone: &Path) -> Result<Self> {
        let page = Self::start_with(dir, name, BUNDLE, &[capture(microphone)])?;
        page.run("perform", &[]);
        Ok(page)
    }

    fn start_with(dir: &Path, name: &str, bundle: &str, more: &[String]) -> Result<Self> {
        let own = dir.join(format!("websdk-{name}"));
        std::fs::create_dir_all(&own)?;
        let bundle = package().join(bundle);
        let bundle = std::fs::read_to_string(bundle)
            .map_err(|_| RigError::new("the Web SDK is not installed: run `npm ci` in ui"))?;
        let arguments = ARGUMENTS.into_iter().map(String::from);
        let arguments: Vec<_> = arguments.chain(more.iter().cloned()).collect();
        let pages = Pages::serve(vec![
            ("/", "text/html", PAGE.into()),
            ("/errors.js", "text/javascript", ERRORS.into()),
            ("/flashphoner.js", "text/javascript", bundle),
            ("/clock.js", "text/javascript", CLOCK.into()),
            ("/ear.js", "text/javascript", EAR.into()),
            ("/sdk.js", "text/javascript", SCRIPT.into()),
            ("/rooms.js", "text/javascript", ROOM_SCRIPT.into()),
        ])?;
        let driver = Driver::of_chromium(&own, &arguments)?;
        // A browser drops what it is loading where the machine's addresses change, as they do while a network comes up.
        until("the page of the Web SDK", Duration::from_secs(30), || {
            driver.go_to(&pages.url());
            let whole = driver.script("return typeof sdk === 'object'", &[]);
            (whole == json!(true)).then_some(())
        })?;
        Ok(Self { driver, _pages: pages, log: Log::of("sdk.log") })
    }

    /// `createSession` with these options; the session's number.
    pub fn connect(&self, options: &Value) -> u64 {
        self.number("return sdk.connect(arguments[0])", std::slice::from_ref(options))
    }

    /// `createStream` and `publish`; the stream's number.
    pub fn publish(&self, session: u64, options: &Value) -> u64 {
        self.number("return sdk.publish(...arguments)", &[json!(session), options.clone()])
    }

    /// `createStream` and `play`; the stream's number.
    pub fn play(&self, session: u64, options: &Value) -> u64 {
        self.number("return sdk.play(...arguments)", &[json!(session), options.clone()])
    }

    /// `createStream`; the stream's number.
    pub fn create(&self, session: u64, options: &Value) -> u64 {
        self.number("return sdk.create(...arguments)", &[json!(session), options.clone()])
    }

    /// Calls a method of a session, a stream or a call.
    pub fn ask(&self, object: u64, method: &str, arguments: &[Value]) -> Value {
        let script = "return sdk.all.get(arguments[0])[arguments[1]](...arguments[2]) ?? null";
        self.driver.script(script, &[json!(object), json!(method), json!(arguments)])
    }

    /// The same of what gives a page the SDK's objects back.
    pub fn tell(&self, object: u64, method: &str, arguments: &[Value]) {
        let script = "sdk.all.get(arguments[0])[arguments[1]](...arguments[2])";
        self.driver.script(script, &[json!(object), json!(method), json!(arguments)]);
    }

    /// A function of the page's own: `available`, `send`, `statistics`, `shown`, `decode`, …
    pub fn run(&self, function: &str, arguments: &[Value]) -> Value {
        let script = format!("return sdk.{function}(...arguments) ?? null");
        self.driver.script(&script, arguments)
    }

    /// What came of the far end of a call or stream since `attend`.
    pub fn heard(&self, object: u64) -> Result<Wav> {
        ear::wav(&self.run("heard", &[json!(object)]))
    }

    /// What was shown of it since then, from the picture `from` on.
    pub fn seen(&self, object: u64, from: usize) -> Vec<ShownPicture> {
        let seen = self.run("seen", &[json!(object), json!(from)]);
        seen.as_array().into_iter().flatten().filter_map(ShownPicture::read).collect()
    }

    /// Waits for a status of a session, a stream or a call.
    pub fn status(&self, object: u64, status: &str, patience: Duration) -> Result<Value> {
        self.wait_for(status, patience, |event| event["id"] == object && event["status"] == status)
    }

    /// Waits for the next event that fits, after those of earlier waits.
    pub fn wait_for(&self, what: &str, patience: Duration, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        self.log.wait_for(&self.driver, what, patience, fits)
    }

    /// Everything that it told so far.
    pub fn events(&self) -> Vec<Value> {
        self.log.events(&self.driver)
    }

    /// Sends a message for which the SDK has no method, on the socket of the session that was opened as number `socket`.
    pub fn send_raw(&self, socket: usize, message: &str, object: &Value) {
        let text = json!({ "message": message, "data": [object] }).to_string();
        self.driver.script("sockets[arguments[0]].send(arguments[1])", &[json!(socket), json!(text)]);
    }

    /// The names of the messages that came so far, of all sessions.
    pub fn messages(&self) -> Vec<String> {
        let names = self.driver.script("return messages", &[]);
        names.as_array().into_iter().flatten().filter_map(Value::as_str).map(String::from).collect()
    }

    /// Exceptions and rejections that nobody handled.
    pub fn errors(&self) -> Vec<String> {
        let errors = self.driver.script("return errors", &[]);
        errors.as_array().into_iter().flatten().filter_map(Value::as_str).map(String::from).collect()
    }

    /// For what is not offered here.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    fn number(&self, script: &str, arguments: &[Value]) -> u64 {
        self.driver.script(script, arguments).as_u64().unwrap_or_default()
    }
}

fn capture(microphone: &Path) -> String {
    format!("--use-file-for-fake-audio-capture={}", microphone.display())
}
