//! `sidetone-cli phone` against real peers: Kamailio, SIPp, baresip, PulseAudio. Each test has a network of its own.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

mod audio;
mod browser;
mod conference;
mod early;
mod gateway;
mod hold;
mod load;
mod outlives;
mod phone;
mod policy;
mod protection;
mod sdk;
mod secure;
mod services;
mod statuses;
mod streams;
mod stun;
mod tones;
mod transfer;
mod transports;
mod trouble;
mod video;
mod wcs;
mod wire;
