use std::{
    io,
    net::{IpAddr, SocketAddr},
};

/// Why the listeners did not start.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The pages hold the microphone and the accounts of this machine: nobody else may reach them unless that was asked for.
    #[error("bind: {0} is not a loopback address")]
    NotLoopback(IpAddr),
    #[error("no port can be opened on {ip}: {source}")]
    Listen { ip: IpAddr, source: io::Error },
    /// An address that must be had exactly.
    #[error("{what}-listen: {address} cannot be opened: {source}")]
    Taken { what: &'static str, address: SocketAddr, source: io::Error },
    #[error("{field}: {words}")]
    Wrong { field: &'static str, words: String },
    #[error("the system gives no random numbers: {0}")]
    Randomness(String),
    #[error("the engine has stopped")]
    EngineStopped,
}
