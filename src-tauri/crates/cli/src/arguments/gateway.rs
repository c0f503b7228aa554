use super::{Hooks, values};
use clap::Args;
use sidetone_media::Selection;
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

/// With any of these but --json, --commands and --link the settings file is read but this run's changes are not kept.
#[derive(Debug, Args)]
pub(crate) struct Gateway {
    /// TOML file with all that the flags below say, and more (see docs/gateway.md); flags win
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Preferred port of the registrar, UDP and TCP; a busy one gives the next
    #[arg(long, value_name = "PORT", conflicts_with = "sip_listen")]
    pub(crate) sip_port: Option<u16>,
    /// Preferred port of the pages; a busy one gives the next
    #[arg(long, value_name = "PORT", conflicts_with = "http_listen")]
    pub(crate) http_port: Option<u16>,
    /// Source instead of the microphone of the settings
    #[arg(long, value_name = "SOURCE", value_parser = values::microphone)]
    pub(crate) mic: Option<Selection>,
    /// Sink instead of the speaker of the settings
    #[arg(long, value_name = "SINK", value_parser = values::speaker)]
    pub(crate) speaker: Option<Selection>,
    /// Folder of a built UI, instead of the one inside this program
    #[arg(long, value_name = "FOLDER")]
    pub(crate) ui: Option<PathBuf>,
    /// Environment variable that holds a bearer token, which streams are then published and played with alone
    #[arg(long, value_name = "VAR")]
    pub(crate) stream_token_env: Option<String>,
    /// Events as JSON lines
    #[arg(long)]
    pub(crate) json: bool,
    /// Commands as JSON lines on stdin, their replies as JSON lines on stdout, as with `phone`
    #[arg(long, requires = "json")]
    pub(crate) commands: bool,
    /// Print a fresh login link of the gateway that runs already, and end
    #[arg(long)]
    pub(crate) link: bool,
    #[command(flatten)]
    pub(crate) listen: Listen,
    #[command(flatten)]
    pub(crate) hooks: Hooks,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Where it listens (by default on loopback, at one port for all but SIP)")]
pub(crate) struct Listen {
    /// Pages, WHIP and WHEP exactly here
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) http_listen: Option<SocketAddr>,
    /// WebSockets of the Web SDK here, and not where the pages are (repeat, or separate by commas)
    #[arg(long, value_name = "ADDR:PORT", value_delimiter = ',')]
    pub(crate) ws_listen: Vec<SocketAddr>,
    /// The same by TLS
    #[arg(long, value_name = "ADDR:PORT", value_delimiter = ',')]
    pub(crate) wss_listen: Vec<SocketAddr>,
    /// Pages, WHIP and WHEP by TLS, besides where they are without (repeat, or separate by commas)
    #[arg(long, value_name = "ADDR:PORT", value_delimiter = ',')]
    pub(crate) https_listen: Vec<SocketAddr>,
    /// PEM file of the certificate for --wss-listen, --https-listen and --rest-tls, with those that lead to its authority
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// PEM file of its key
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// REST API here, and not where the pages are; beyond loopback with --rest-user and --rest-tls
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) rest_listen: Option<SocketAddr>,
    /// REST API by TLS there
    #[arg(long)]
    pub(crate) rest_tls: bool,
    /// REST API beyond loopback without TLS, too: everybody on the way can read the password
    #[arg(long)]
    pub(crate) rest_in_the_open: bool,
    /// User of the REST API (HTTP Basic)
    #[arg(long, value_name = "NAME")]
    pub(crate) rest_user: Option<String>,
    /// Environment variable that holds its password
    #[arg(long, value_name = "VAR")]
    pub(crate) rest_password_env: Option<String>,
    /// Folder of the WAV files that the REST API lets calls hear
    #[arg(long, value_name = "FOLDER")]
    pub(crate) sounds: Option<PathBuf>,
    /// Registrar, UDP and TCP, exactly here
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) sip_listen: Option<SocketAddr>,
    /// Address by which media reaches this machine through a 1:1 NAT, IPv4 or IPv6 (repeat, or separate by commas)
    #[arg(long, value_name = "ADDR", value_delimiter = ',')]
    pub(crate) advertise: Vec<IpAddr>,
    /// UDP port of streams; without it any
    #[arg(long, value_name = "PORT")]
    pub(crate) udp_port: Option<u16>,
    /// Name by which we are reached beyond loopback, besides our addresses (repeat, or separate by commas)
    #[arg(long = "host", value_name = "NAME", value_delimiter = ',')]
    pub(crate) hosts: Vec<String>,
    /// Pages that may use sessions and streams besides those of this machine and of our own host: https://app.example, or * for any
    /// (repeat, or separate by commas)
    #[arg(long = "origin", value_name = "ORIGIN", value_delimiter = ',')]
    pub(crate) origins: Vec<String>,
}
