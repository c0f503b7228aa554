//! The four transactions of RFC 3261 section 17, with the corrections of RFC 6026.
//!
//! The machines know no message: they take what happened (a [`Class`] of response, a request again, a timer) and say what to do
//! (a `Step`). `clients` and `servers` keep the messages, the match keys and the hops.

pub(crate) mod clients;
mod invite_client;
mod invite_server;
mod key;
mod non_invite_client;
mod non_invite_server;
pub(crate) mod servers;
mod timer;

pub use timer::Timers;
pub(crate) use timer::{Deadlines, TimerTable};

/// What a client transaction wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientStep {
    Nothing,
    Retransmit,
    PassUp,
    AckAndPassUp,
    Ack,
    /// timer B or F fired
    TimedOut,
    /// the transport failed before a final response
    Unreachable,
}

/// What a server transaction wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerStep {
    Nothing,
    /// send the last response (again)
    Transmit,
    /// an ACK for the core: it belongs to a 2xx
    PassUp,
    /// no ACK came for a non-2xx (timer H)
    TimedOut,
}

/// What a status code means to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// 1xx
    Provisional,
    /// 2xx
    Success,
    /// 3xx to 6xx
    Failure,
}

impl Class {
    pub(crate) fn of(status: u16) -> Self {
        match status {
            ..200 => Self::Provisional,
            200..300 => Self::Success,
            _ => Self::Failure,
        }
    }
}

/// The timers of RFC 3261 table 4 and RFC 6026 section 8.4, by their names there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    /// INVITE request retransmission
    A,
    /// INVITE transaction gives up
    B,
    /// wait for retransmitted non-2xx responses to INVITE
    D,
    /// non-INVITE request retransmission
    E,
    /// non-INVITE transaction gives up
    F,
    /// INVITE response retransmission
    G,
    /// wait for ACK
    H,
    /// wait for retransmitted ACKs
    I,
    /// wait for retransmitted non-INVITE requests
    J,
    /// wait for retransmitted non-INVITE responses
    K,
    /// wait for retransmitted INVITEs after a 2xx
    L,
    /// wait for retransmitted 2xx, and for the 2xx of other branches
    M,
}

pub(crate) type TransactionTimers = TimerTable<Timer>;
