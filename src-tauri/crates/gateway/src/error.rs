use std::{io, net::IpAddr};

/// Why the listeners did not start.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The pages hold the microphone and the accounts of this machine: nobody else may reach them.
    #[error("bind: {0} is not a loopback address")]
    NotLoopback(IpAddr),
    #[error("no port can be opened on {ip}: {source}")]
    Listen { ip: IpAddr, source: io::Error },
    #[error("the system gives no random numbers: {0}")]
    Randomness(String),
    #[error("the engine has stopped")]
    EngineStopped,
}
