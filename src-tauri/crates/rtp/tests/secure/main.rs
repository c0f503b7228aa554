//! Pairs of transports over a virtual network: ICE, DTLS, SRTP, loss, time, strangers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dtls;
mod hostile;
mod ice;
mod network;
mod srtp;
mod vectors;
