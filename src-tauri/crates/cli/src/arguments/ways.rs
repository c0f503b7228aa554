//! Over which ways streams go, and whom they believe.

use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct Ways {
    /// STUN or TURN server: stun:host:port, turn:host:port?transport=udp (or tcp), turns:host:port (repeat)
    #[arg(long, value_name = "URL")]
    pub(crate) ice_server: Vec<String>,
    /// User name at the TURN servers
    #[arg(long, value_name = "NAME", requires = "ice_server", requires = "turn_password_env")]
    pub(crate) turn_user: Option<String>,
    /// Environment variable that holds the password of that user
    #[arg(long, value_name = "VAR", requires = "turn_user")]
    pub(crate) turn_password_env: Option<String>,
    /// Go by TURN servers alone: the far end does not learn our addresses
    #[arg(long)]
    pub(crate) relay_only: bool,
    /// PEM file of a private CA that is trusted besides the system's, for https: and turns:
    #[arg(long, visible_alias = "ca", value_name = "FILE")]
    pub(crate) trusted_ca: Option<PathBuf>,
}
