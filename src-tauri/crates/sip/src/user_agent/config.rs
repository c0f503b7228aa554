//! Settings of a user agent.

use std::time::Duration;

use crate::registrar::RegistrarConfig;
use crate::transaction::Timers;

use super::prack::Reliable;

#[derive(Debug, Clone)]
pub struct Config {
    /// User-Agent and Server header
    pub product: String,
    pub timers: Timers,
    /// accept REGISTER, and challenge INVITEs of its users
    pub registrar: Option<RegistrarConfig>,
    /// calls at a time, both directions; over it 503
    pub max_calls: usize,
    /// client and server transactions at a time, each; over it 503
    pub max_transactions: usize,
    /// bytes that the server transactions may hold together; over it 503
    pub max_transaction_bytes: usize,
    /// subscriptions of ours at a time; over it 503
    pub max_subscriptions: usize,
    /// publications of ours at a time; over it 503
    pub max_publications: usize,
    /// MESSAGEs that wait for `reply_message`; over it 503
    pub max_messages: usize,
    /// bytes of the body of a MESSAGE, in and out, and of a NOTIFY; over it 413
    pub max_message_body: usize,
    /// how long a MESSAGE waits for `reply_message` before it is refused with 500
    pub reply_limit: Duration,
    /// branches of one forked INVITE that are followed
    pub max_early_dialogs: usize,
    /// redirections (3xx) followed for one call
    pub max_redirects: usize,
    /// stream connections with their buffers
    pub max_connections: usize,
    /// how long an INVITE may ring before it is cancelled; each 101 to 199 starts it again (as timer C of RFC 3261 section 16.6)
    pub ring_limit: Duration,
    /// first and longest pause before a failed registration is tried again
    pub retry_base: Duration,
    pub retry_limit: Duration,
    /// how long a session that a peer calls us for may last without a refresh, where the peer knows session timers (RFC 4028);
    /// without, only the peer decides
    pub session_expires: Option<Duration>,
    /// the shortest such time that is taken, at least 90 s; a shorter one is refused with 422
    pub min_se: Duration,
    /// reliable provisional responses to calls that come in (RFC 3262)
    pub prack: Reliable,
    /// a UDP request above this size goes over TCP first (RFC 3261 section 18.1.1)
    pub udp_limit: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            product: concat!("Sidetone/", env!("CARGO_PKG_VERSION")).to_owned(),
            timers: Timers::default(),
            registrar: None,
            max_calls: 1024,
            max_transactions: 16 * 1024,
            max_transaction_bytes: 16 * 1024 * 1024,
            max_subscriptions: 2048,
            max_publications: 128,
            max_messages: 128,
            max_message_body: 64 * 1024,
            reply_limit: Duration::from_secs(20),
            max_early_dialogs: 16,
            max_redirects: 5,
            max_connections: 1024,
            ring_limit: Duration::from_secs(200),
            retry_base: Duration::from_secs(4),
            retry_limit: Duration::from_secs(300),
            session_expires: Some(Duration::from_secs(1800)),
            min_se: Duration::from_secs(90),
            prack: Reliable::default(),
            udp_limit: 1300,
        }
    }
}
