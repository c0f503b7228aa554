//! Sans-IO SIP user agent and registrar.
//!
//! [`message`] reads and writes SIP messages, [`framing`] cuts them out of byte streams, [`digest`] answers and
//! issues challenges.
#![forbid(unsafe_code)]

pub mod digest;
pub mod framing;
pub mod message;
