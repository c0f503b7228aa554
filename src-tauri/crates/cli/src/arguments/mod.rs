//! The command line.

mod gateway;
mod hooks;
mod streams;
mod time;
mod values;
mod video;
mod ways;

pub(crate) use gateway::{Gateway, Listen};
pub(crate) use hooks::Hooks;
pub(crate) use streams::{Camera, Course, Endpoint, Input, Play, Publish, Screen, Snapshot};
pub(crate) use values::{Codec, Wire};
pub(crate) use video::CallVideo;
pub(crate) use ways::Ways;

use clap::{Args, Parser, Subcommand};
use sidetone_media::Selection;
use std::{path::PathBuf, time::Duration};

const EXIT_CODES: &str = "\
Exit codes:
  0    done; for call and answer: the call was established and ended, or --for ran out; publish and play likewise
  1    wrong arguments, account file or input of `sip parse`
  2    no network: the registrar or gateway cannot be reached, or no socket can be opened
  3    the registrar refused: wrong password, or another reason
  4    the called party is busy (486, 600)
  5    the call or stream failed: refused, not found, no answer, no common codec, lost
  6    a microphone, speaker or file cannot be opened or written
  7    the engine stopped or refused a command
  130  interrupted: hung up, unpublished and unregistered first (register, gateway and phone exit 0)";

/// Calls, answers and serves from a terminal.
#[derive(Debug, Parser)]
#[command(name = "sidetone-cli", version, after_help = EXIT_CODES, infer_long_args = false)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) task: Task,
    /// Log to stderr: `info`, `debug`, or a filter such as `sidetone_sip=trace` (also: SIDETONE_LOG)
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

#[derive(Debug, Subcommand)]
#[command(after_help = EXIT_CODES)]
pub(crate) enum Task {
    /// Call TARGET: a SIP URI, user@host, or a name or number at the account's domain (`echo` and `tone` at a gateway)
    #[command(after_help = EXIT_CODES)]
    Call {
        target: String,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        video: CallVideo,
    },
    /// Register, wait for a call, answer it, and end with it
    #[command(after_help = EXIT_CODES)]
    Answer {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        video: CallVideo,
    },
    /// Register and stay registered until Ctrl-C, or --for from REGISTERED on; then unregister
    #[command(after_help = EXIT_CODES)]
    Register {
        #[command(flatten)]
        common: Common,
    },
    /// Commands as JSON lines on stdin, events and replies as JSON lines on stdout, until the end of stdin
    #[command(after_help = EXIT_CODES)]
    Phone {
        #[command(flatten)]
        common: Common,
    },
    /// Publish STREAM: a name at the gateway of this machine, the URL of a WHIP endpoint, or a name at a Web Call Server
    #[command(after_help = EXIT_CODES)]
    Publish(Publish),
    /// Play STREAM: a name at the gateway of this machine, the URL of a WHEP endpoint, or a name at a Web Call Server
    #[command(after_help = EXIT_CODES)]
    Play(Play),
    /// Write a picture of STREAM as a PNG
    #[command(after_help = EXIT_CODES)]
    Snapshot(Snapshot),
    /// Serve the registrar, streams and the pages of the UI on this machine
    #[command(after_help = EXIT_CODES)]
    Gateway(Gateway),
    /// Print the verdict and the ladder of a bug report
    Report {
        file: PathBuf,
        /// All of it, as JSON
        #[arg(long)]
        json: bool,
        /// Write its SIP as a file for Wireshark instead
        #[arg(long, value_name = "FILE", conflicts_with = "json")]
        pcapng: Option<PathBuf>,
    },
    /// Look at SIP itself
    #[command(subcommand)]
    Sip(Sip),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Sip {
    /// Print a SIP message as JSON, or one error that names the header (exit 1)
    Parse {
        /// The message; stdin where absent
        file: Option<PathBuf>,
    },
}

/// Who we are, what we speak with, for how long, and how we report.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// End after this time (10s, 1m30s, 500ms), counted from ESTABLISHED (register: from REGISTERED, phone: from the start); exit 0
    #[arg(long = "for", value_name = "TIME", value_parser = time::parse)]
    pub(crate) duration: Option<Duration>,
    /// Events as JSON lines
    #[arg(long)]
    pub(crate) json: bool,
    /// UDP and TCP port of our own SIP; 0: any
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) sip_port: u16,
    /// First port for RTP; 0: any
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) rtp_port: u16,
    /// DNS server instead of the system's, address:port (repeat, or separate by commas)
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub(crate) dns: Vec<String>,
    /// Calls do not hold each other: all are heard, and hear us, at once
    #[arg(long)]
    pub(crate) every_call_speaks: bool,
    #[command(flatten)]
    pub(crate) identity: Identity,
    #[command(flatten)]
    pub(crate) audio: Audio,
    #[command(flatten)]
    pub(crate) hooks: Hooks,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Account (none: the gateway of this machine)")]
pub(crate) struct Identity {
    /// TOML file with the keys of an account (aor, registrar, user, transport, ...) and password-env
    #[arg(long, value_name = "FILE", conflicts_with_all = ["aor", "user", "registrar", "transport", "password_env"])]
    pub(crate) account: Option<PathBuf>,
    /// Address of record, sip:user@domain
    #[arg(long, value_name = "URI")]
    pub(crate) aor: Option<String>,
    /// User name for authentication; without --aor: our name at the gateway of this machine
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// Environment variable that holds the password
    #[arg(long, value_name = "VAR")]
    pub(crate) password_env: Option<String>,
    /// Registrar; where absent: the domain of --aor, and `call` does not register
    #[arg(long, value_name = "URI", requires = "aor")]
    pub(crate) registrar: Option<String>,
    /// First hop for everything that is sent
    #[arg(long, value_name = "URI", requires = "aor")]
    pub(crate) outbound_proxy: Option<String>,
    #[arg(long, value_enum)]
    pub(crate) transport: Option<Wire>,
    /// PEM file of a private CA that the account trusts besides the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted_ca: Option<PathBuf>,
    /// Where a WebSocket server is: wss://host:port/path
    #[arg(long, value_name = "URL", requires = "aor")]
    pub(crate) websocket_url: Option<String>,
    /// Web Call Server that speaks SIP for the account: wss://host:port or ws://host:port
    #[arg(long, value_name = "URL", conflicts_with = "account")]
    pub(crate) wcs: Option<String>,
    /// Which app of the Web Call Server decides
    #[arg(long, value_name = "KEY", requires = "wcs")]
    pub(crate) app_key: Option<String>,
    /// Do not register: calls come to --sip-port alone
    #[arg(long)]
    pub(crate) no_register: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Audio")]
pub(crate) struct Audio {
    /// default, device:ID, file:X.wav, loop:X.wav, tone, tone:HZ or silence
    #[arg(long, value_name = "SOURCE", default_value = "default", value_parser = values::microphone)]
    pub(crate) mic: Selection,
    /// default, device:ID, file:Y.wav or null
    #[arg(long, value_name = "SINK", default_value = "default", value_parser = values::speaker)]
    pub(crate) speaker: Selection,
    /// Codecs in order of preference: opus, G722, PCMA, PCMU (repeat, or separate by commas)
    #[arg(long, value_enum, value_delimiter = ',', ignore_case = true)]
    pub(crate) codec: Vec<Codec>,
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
