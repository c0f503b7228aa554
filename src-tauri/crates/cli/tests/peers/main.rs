//! `sidetone-cli phone` against real peers: Kamailio, SIPp, baresip, PulseAudio. Each test has a network of its own.
#![cfg(unix)]

mod audio;
mod load;
mod phone;
mod statuses;
mod trouble;
mod wire;
