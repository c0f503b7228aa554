//! Sans-IO SIP user agent and registrar.
//!
//! [`message`] reads and writes SIP messages, [`framing`] cuts them out of byte streams, [`digest`] answers and
//! issues challenges. [`UserAgent`] is the protocol core: registrations, calls, and a registrar where configured.
//! It owns no socket, no clock and no thread: see [`user_agent`] for how to drive it.
#![forbid(unsafe_code)]

pub mod body;
pub mod digest;
pub mod framing;
pub mod headers;
pub mod identity;
pub mod message;
pub mod registrar;
pub mod user_agent;

mod dialog;
mod publication;
mod random;
mod registration;
mod stun;
mod subscription;
mod transaction;

pub use registrar::{Binding, Domains, RegistrarConfig, Users};
pub use user_agent::{
    Authority, CallEvent, CallId, Cause, Config, DialogName, Event, FailureKind, Hop, Input, Invite, Load,
    MessageId, MessageRequest, Options, OptionsId, Output, Publication, PublicationId, PublicationState,
    QueryId, ReceivedMessage, Refer, Registration, RegistrationId, Reliable, Side, Subscription,
    SubscriptionId, SubscriptionState, Terms, Timers, Transport, UserAgent, Way,
};
