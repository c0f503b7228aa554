//! baresip as a phone, with sound from and to files.

mod control;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::net::{PeerNet, Transport, command_in};
use crate::audio::Wav;
use crate::error::{Result, RigError};
use crate::ports::free_port_range;
use crate::process::{Process, until};
use crate::require::Needs;
use control::Control;

pub use control::BaresipEvent;

const CONFIG: &str = include_str!("baresip.config");
const START: Duration = Duration::from_secs(15);
const RTP_PORTS: u16 = 40;
const TRIES: usize = 3;
static NEXT: AtomicU32 = AtomicU32::new(1);

/// What it does when it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnswerMode {
    /// Answers at once.
    #[default]
    Auto,
    /// Rings until [`Baresip::answer`].
    Manual,
    /// Sends 183 with sound until [`Baresip::answer`].
    Early,
}

/// How it protects its media, in the calls that it places and in those that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BaresipEncryption {
    #[default]
    None,
    /// RTP/AVP with keys in the SDP (`srtp`).
    SdesWherePossible,
    /// RTP/SAVP with keys in the SDP, or no call (`srtp-mand`).
    Sdes,
    /// UDP/TLS/RTP/SAVP (`dtls_srtp`).
    Dtls,
}

/// How a phone is to be.
#[derive(Debug, Clone)]
pub struct BaresipOptions<'a> {
    pub user: &'a str,
    pub password: &'a str,
    /// Where it registers; none: it only listens.
    pub registrar: Option<SocketAddr>,
    pub transport: Transport,
    /// In its order of preference, as baresip names them: `pcmu`, `pcma`, `g722`, `opus`.
    pub codecs: &'a [&'a str],
    /// Of its pictures, as baresip names them: `vp8`, `h264` ([`Baresip::needs_for`]); none: without video. It sends back the
    /// picture that it sees, decoded and encoded anew.
    pub video: Option<&'a str>,
    pub answer: AnswerMode,
    /// What it says at the start of each call, at 8 kHz for all codecs.
    pub source: Option<&'a Path>,
    /// Silence after the source, in seconds. It holds all of it in memory, and hangs up after it.
    pub then_silent: usize,
    /// Writes what it says and hears to files, for [`Baresip::recordings`].
    pub record: bool,
    pub encryption: BaresipEncryption,
    /// Full ICE, with host candidates.
    pub ice: bool,
    /// RTP and RTCP on one port, where the far end does it too.
    pub rtcp_mux: bool,
    /// Further parameters of its account line, such as `;mediaenc=srtp-mand`.
    pub account: &'a str,
    /// URIs of its contacts; its command `message TEXT` writes to the first.
    pub contacts: &'a [&'a str],
    pub address: IpAddr,
    /// Its SIP port, of many in a row that it uses, as one that is started again has; any free ones unless said.
    pub port: Option<u16>,
    pub net: Option<&'a PeerNet>,
}

impl Default for BaresipOptions<'_> {
    fn default() -> Self {
        Self {
            user: "bob",
            password: "secret",
            registrar: None,
            transport: Transport::Udp,
            codecs: &["pcmu"],
            video: None,
            answer: AnswerMode::Auto,
            source: None,
            then_silent: 180,
            record: true,
            encryption: BaresipEncryption::None,
            ice: false,
            rtcp_mux: false,
            account: "",
            contacts: &[],
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: None,
            net: None,
        }
    }
}

/// A phone. It refuses to run on a machine with nothing but loopback addresses: use a room with
/// [`Needs::network`].
#[derive(Debug)]
pub struct Baresip {
    /// Before the process, so that it is closed first.
    control: Control,
    process: Process,
    dir: PathBuf,
    address: SocketAddr,
    user: String,
}

impl Baresip {
    /// Starts it in a directory of its own in `dir`, and waits until it is registered where it should.
    pub fn start(dir: &Path, options: &BaresipOptions<'_>) -> Result<Self> {
        // A port that was free may be taken meanwhile, by a connection that goes out: it is started again with others.
        let tries = if options.port.is_some() { 1 } else { TRIES };
        let mut result = Self::try_start(dir, options);
        for _ in 1..tries {
            match &result {
                Err(error) if error.to_string().contains("already in use") => {
                    result = Self::try_start(dir, options);
                }
                _ => break,
            }
        }
        result
    }

    fn try_start(dir: &Path, options: &BaresipOptions<'_>) -> Result<Self> {
        let name = format!("baresip-{}-{}", options.user, NEXT.fetch_add(1, Ordering::Relaxed));
        let own = dir.join(&name);
        let records = own.join("records");
        fs::create_dir_all(&records)?;
        let ip = options.net.map_or(options.address, PeerNet::address);
        // It uses the SIP port and the one after it; the third is the control port.
        let first = match options.port {
            Some(port) => port,
            None => free_port_range(IpAddr::V4(Ipv4Addr::LOCALHOST), RTP_PORTS + 4)?,
        };
        let sip = SocketAddr::new(ip, first);
        let silence = own.join("silence.wav");
        Wav { rate: 8_000, samples: vec![0.0; 8_000] }.write(&silence)?;
        // It hangs up when its file ends, so a long silence follows what it says.
        let mut said = match options.source {
            Some(source) => Wav::read(source)?,
            None => Wav { rate: 8_000, samples: Vec::new() },
        };
        said.samples.resize(said.samples.len() + said.rate as usize * options.then_silent, 0.0);
        let source = own.join("source.wav");
        said.write(&source)?;
        let config = CONFIG
            .replace("@ADDRESS@", &ip.to_string())
            .replace("@SIP_PORT@", &first.to_string())
            .replace(
                "@CTRL_ADDRESS@",
                &options.net.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), PeerNet::address).to_string(),
            )
            .replace("@CTRL_PORT@", &(first + 2).to_string())
            .replace("@RTP_FIRST@", &(first + 4).to_string())
            .replace("@RTP_LAST@", &(first + 4 + RTP_PORTS).to_string())
            .replace("@NAME@", &name)
            .replace("@RTCP_MUX@", if options.rtcp_mux { "yes" } else { "no" })
            .replace("@SOURCE@", &source.display().to_string())
            .replace("@SILENCE@", &silence.display().to_string())
            .replace("@RATE@", &said.rate.to_string())
            .replace("@MODULES@", &modules()?.display().to_string())
            .replace("@RECORDER@", if options.record { "module sndfile.so" } else { "" })
            .replace("@VIDEO@", &video(options.video, &name)?)
            .replace("@RECORD_DIR@", &records.display().to_string());
        fs::write(own.join("config"), config)?;
        fs::write(own.join("accounts"), account(options, sip))?;
        let contacts = options.contacts.iter().map(|uri| format!("<{uri}>\n")).collect::<String>();
        fs::write(own.join("contacts"), contacts)?;

        let mut command = command_in(options.net, "baresip");
        let mut process = Process::spawn(&name, command.arg("-f").arg(&own), dir)?;
        let control = Control::connect(options.net, first + 2, &mut process)?;
        let mut phone = Self { control, process, dir: own, address: sip, user: options.user.to_owned() };
        if options.registrar.is_some() {
            phone.await_registration()?;
        }
        Ok(phone)
    }

    /// What a test with such pictures needs; those of H.264 are in a package of their own.
    pub fn needs_for(codec: &str) -> Needs {
        Needs::tools(&["baresip"]).part(video_part(codec), has_video(codec))
    }

    /// Its SIP address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URI that reaches it without a registrar.
    pub fn uri(&self) -> String {
        format!("sip:{}@{}", self.user, self.address)
    }

    /// Calls a URI.
    pub fn dial(&mut self, uri: &str) -> Result<()> {
        self.command("dial", uri).map(drop)
    }

    /// Answers the call that rings.
    pub fn answer(&mut self) -> Result<()> {
        self.command("accept", "").map(drop)
    }

    /// Ends the current call, or declines the one that rings.
    pub fn hang_up(&mut self) -> Result<()> {
        self.command("hangup", "").map(drop)
    }

    /// Any command of its menu; gives what it printed.
    pub fn command(&mut self, command: &str, parameters: &str) -> Result<String> {
        self.control.command(command, parameters).map_err(|error| self.explain(&error))
    }

    /// Waits for an event of a type, such as `CALL_ESTABLISHED`, and gives it. Earlier events of other types are
    /// dropped. A phone that answers by itself tells neither `CALL_INCOMING` nor `CALL_ESTABLISHED`, but
    /// `CALL_RTPESTAB` with the first sound.
    pub fn wait_event(&mut self, kind: &str, timeout: Duration) -> Result<BaresipEvent> {
        self.control.wait_event(kind, timeout).map_err(|error| self.explain(&error))
    }

    /// Waits until so much sound has come in since the call under way began.
    pub fn wait_heard(&self, seconds: f64, timeout: Duration) -> Result<()> {
        until(&format!("{seconds} s of sound"), timeout, || {
            let path = self.newest_recording("dec.wav")?;
            (Wav::written_seconds(&path) >= seconds).then_some(())
        })
        .map_err(|error| self.explain(&error))
    }

    /// What it said and what it heard in the last call, once that is over.
    pub fn recordings(&self) -> Result<(Wav, Wav)> {
        let find = |kind: &str| {
            until(&format!("a recording {kind}"), Duration::from_secs(5), || {
                let wav = Wav::read(&self.newest_recording(kind)?).ok()?;
                (!wav.samples.is_empty()).then_some(wav)
            })
        };
        Ok((find("enc.wav")?, find("dec.wav")?))
    }

    /// Their names have the time in them.
    fn newest_recording(&self, kind: &str) -> Option<PathBuf> {
        let entries = fs::read_dir(self.dir.join("records")).ok()?;
        let files = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        files.filter(|path| path.to_string_lossy().ends_with(kind)).max()
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        format!("{}{}", self.process.stdout(), self.process.stderr())
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    fn await_registration(&mut self) -> Result<()> {
        // The event may have come before we were connected, so the state is asked for.
        let control = &mut self.control;
        let result = until("the registration of baresip", START, || match control.command("reginfo", "") {
            Ok(text) if text.contains("OK") => Some(Ok(())),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        });
        result.and_then(|result| result).map_err(|error| self.explain(&error))
    }

    fn explain(&self, error: &RigError) -> RigError {
        RigError::new(format!("{error}\n{}", self.process.tail()))
    }
}

fn account(options: &BaresipOptions<'_>, own: SocketAddr) -> String {
    let host = options.registrar.unwrap_or(own);
    let interval = if options.registrar.is_some() { 60 } else { 0 };
    let answer = match options.answer {
        AnswerMode::Auto => "auto",
        AnswerMode::Manual => "manual",
        AnswerMode::Early => "early",
    };
    let encryption = match options.encryption {
        BaresipEncryption::None => "",
        BaresipEncryption::SdesWherePossible => ";mediaenc=srtp",
        BaresipEncryption::Sdes => ";mediaenc=srtp-mand",
        BaresipEncryption::Dtls => ";mediaenc=dtls_srtp",
    };
    let nat = if options.ice { ";medianat=ice" } else { "" };
    format!(
        "<sip:{user}@{host};transport={transport}>;auth_user={user};auth_pass={password};regint={interval};\
         answermode={answer};audio_codecs={codecs}{video}{encryption}{nat}{more}\n",
        user = options.user,
        transport = options.transport,
        password = options.password,
        codecs = options.codecs.join(","),
        video = options.video.map(|codec| format!(";video_codecs={codec}")).unwrap_or_default(),
        more = options.account,
    )
}

fn has_video(codec: &str) -> bool {
    let bridge = "vidbridge.so";
    modules()
        .is_ok_and(|modules| [video_module(codec), bridge].iter().all(|file| modules.join(file).exists()))
}

fn video_part(codec: &str) -> &'static str {
    if codec == "vp8" { "baresip's vp8" } else { "baresip's avcodec (Debian: baresip-ffmpeg)" }
}

fn video_module(codec: &str) -> &'static str {
    if codec == "vp8" { "vp8.so" } else { "avcodec.so" }
}

/// What it shows is what it sends: a bridge of that name between its screen and its camera.
fn video(codec: Option<&str>, name: &str) -> Result<String> {
    let Some(codec) = codec else { return Ok(String::new()) };
    if !has_video(codec) {
        return Err(RigError::new(format!("not installed: {}", video_part(codec))));
    }
    Ok(format!(
        "module vidbridge.so\nmodule {module}\nvideo_source vidbridge,{name}\nvideo_display vidbridge,{name}\n\
         video_size 640x360\nvideo_bitrate 1500000\nvideo_fps 30.00\n",
        module = video_module(codec)
    ))
}

/// Its modules, wherever the distribution puts them.
fn modules() -> Result<PathBuf> {
    let arch = format!("/usr/lib/{}-linux-gnu/baresip/modules", std::env::consts::ARCH);
    ["/usr/lib/baresip/modules", "/usr/lib64/baresip/modules", "/usr/local/lib/baresip/modules", &arch]
        .iter()
        .map(PathBuf::from)
        .find(|dir| dir.is_dir())
        .ok_or_else(|| RigError::new("the modules of baresip are not where they usually are"))
}
