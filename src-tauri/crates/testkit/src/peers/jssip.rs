//! JsSIP in a headless Chromium: a phone with WebSocket, ICE, DTLS-SRTP, Opus, REFER and Replaces.

mod pages;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::audio::Wav;
use crate::browser::{Driver, Log, Pages};
use crate::error::Result;
use crate::peers::{ShownPicture, ear};
use crate::process::until;
use crate::require::Needs;

/// What a browser phone is to be like.
#[derive(Debug, Clone)]
pub struct JsSipOptions<'a> {
    /// Address of record, `sip:user@domain`.
    pub uri: &'a str,
    pub password: &'a str,
    /// `ws://` or `wss://`; its certificate is not verified.
    pub server: &'a str,
    /// What it says, over and over; silence where absent.
    pub microphone: Option<&'a Path>,
    /// With pictures: it shows a clock, and tells what the far end shows.
    pub video: bool,
    /// Answers every call at once.
    pub answers: bool,
    /// Carries out a REFER; else refuses it.
    pub obeys_refer: bool,
    /// Session timers (RFC 4028).
    pub timers: bool,
    /// Refreshes sessions by UPDATE instead of re-INVITE.
    pub refreshes_by_update: bool,
    /// Insists on RTP and RTCP on one port.
    pub mux: bool,
    /// Added to each INVITE, as `Name: value`.
    pub headers: &'a [&'a str],
}

impl Default for JsSipOptions<'_> {
    fn default() -> Self {
        Self {
            uri: "",
            password: "secret",
            server: "",
            microphone: None,
            video: false,
            answers: true,
            obeys_refer: true,
            timers: true,
            refreshes_by_update: true,
            mux: true,
            headers: &[],
        }
    }
}

/// A phone in a browser. What it tells is read in order: each wait goes on where the last one ended.
#[derive(Debug)]
pub struct JsSip {
    driver: Driver,
    _pages: Pages,
    log: Log,
}

impl JsSip {
    /// What it needs, and whoever it calls.
    pub fn needs(others: &[&'static str]) -> Needs {
        let tools = [&["chromium", "chromedriver"], others].concat();
        Needs::tools(&tools).part("JsSIP (`npm ci` in ui)", pages::has_library()).network()
    }

    /// Starts the browser in a directory of its own below `dir` and waits until it is registered.
    pub fn start(dir: &Path, options: &JsSipOptions<'_>) -> Result<Self> {
        let user = options.uri.trim_start_matches("sip:").split('@').next().unwrap_or("browser");
        let own = dir.join(format!("jssip-{user}"));
        std::fs::create_dir_all(&own)?;
        let silence = own.join("silence.wav");
        Wav { rate: 48_000, samples: vec![0.0; 48_000] }.write(&silence)?;
        let microphone = options.microphone.unwrap_or(&silence);
        let arguments = [
            "--ignore-certificate-errors".to_owned(),
            "--use-fake-device-for-media-stream".into(),
            "--use-fake-ui-for-media-stream".into(),
            format!("--use-file-for-fake-audio-capture={}", microphone.display()),
            "--autoplay-policy=no-user-gesture-required".into(),
            "--allow-loopback-in-peer-connection".into(),
            "--disable-features=WebRtcHideLocalIpsWithMdns".into(),
            "--disable-quic".into(),
        ];
        let pages = pages::serve(&own)?;
        let driver = Driver::of_chromium(&own, &arguments)?;
        // A browser drops what it is loading where the machine's addresses change, as they do while a network comes up.
        until("the browser phone's page", Duration::from_secs(20), || {
            driver.go_to(&pages.url());
            let whole = driver.script("return typeof phone === 'object' && typeof JsSIP === 'object'", &[]);
            (whole == json!(true)).then_some(())
        })?;
        let phone = Self { driver, _pages: pages, log: Log::of("phone.log") };
        phone.run(
            "phone.start(arguments[0])",
            &[json!({
                "uri": options.uri,
                "password": options.password,
                "server": options.server,
                "name": user,
                "answers": options.answers,
                "video": options.video,
                "obeysRefer": options.obeys_refer,
                "timers": options.timers,
                "refresh": if options.refreshes_by_update { "UPDATE" } else { "INVITE" },
                "mux": options.mux,
                "headers": options.headers,
            })],
        );
        phone.wait("registered", Duration::from_secs(20))?;
        Ok(phone)
    }

    /// Places a call and gives its session's number.
    pub fn dial(&self, target: &str) -> u64 {
        self.run("return phone.dial(arguments[0])", &[json!(target)]).as_u64().unwrap_or_default()
    }

    pub fn answer(&self, session: u64) {
        self.run("phone.answer(arguments[0])", &[json!(session)]);
    }

    pub fn hang_up(&self, session: u64) {
        self.run("phone.hangUp(arguments[0])", &[json!(session)]);
    }

    /// By re-INVITE, or by UPDATE.
    pub fn hold(&self, session: u64, by_update: bool) {
        self.run("phone.hold(...arguments)", &[json!(session), json!(by_update)]);
    }

    pub fn unhold(&self, session: u64, by_update: bool) {
        self.run("phone.unhold(...arguments)", &[json!(session), json!(by_update)]);
    }

    /// `transport`: `RFC2833` or `INFO`.
    pub fn send_dtmf(&self, session: u64, tones: &str, transport: &str) {
        self.run("phone.dtmf(...arguments)", &[json!(session), json!(tones), json!(transport)]);
    }

    pub fn send_message(&self, target: &str, body: &str) {
        self.run("phone.message(...arguments)", &[json!(target), json!(body)]);
    }

    /// Asks the far end of `session` to call `target`, in place of the session `consultation` where one is named.
    pub fn refer(&self, session: u64, target: &str, consultation: Option<u64>) {
        self.run("phone.refer(...arguments)", &[json!(session), json!(target), json!(consultation)]);
    }

    /// Waits for the next event of this name, after those of earlier waits.
    pub fn wait(&self, name: &str, patience: Duration) -> Result<Value> {
        self.wait_for(name, patience, |event| event["name"] == name)
    }

    /// Waits for the next event that fits, after those of earlier waits.
    pub fn wait_for(&self, what: &str, patience: Duration, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        self.log.wait_for(&self.driver, what, patience, fits)
    }

    /// Everything that it told so far.
    pub fn events(&self) -> Vec<Value> {
        self.log.events(&self.driver)
    }

    /// What came from the far end of a session so far.
    pub fn heard(&self, session: u64) -> Result<Wav> {
        let heard = self.run("return phone.heard(arguments[0])", &[json!(session)]);
        ear::wav(&heard)
    }

    /// What was shown of the far end of a session so far, from the picture `from` on.
    pub fn seen(&self, session: u64, from: usize) -> Vec<ShownPicture> {
        let seen = self.run("return phone.seen(...arguments)", &[json!(session), json!(from)]);
        seen.as_array().into_iter().flatten().filter_map(ShownPicture::read).collect()
    }

    /// Forgets what came so far, so that [`JsSip::heard`] begins anew.
    pub fn forget(&self, session: u64) {
        self.run("phone.forget(arguments[0])", &[json!(session)]);
    }

    fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.driver.script(script, arguments)
    }
}
