//! One WebRTC peer, and WHIP and WHEP as request and response values.
#![forbid(unsafe_code)]

pub mod whip;
