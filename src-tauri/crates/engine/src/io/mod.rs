//! The rim: sockets, names, the clock, randomness, media.

pub(crate) mod clock;
pub(crate) mod dns;
pub(crate) mod door;
pub(crate) mod http;
pub(crate) mod identity;
pub(crate) mod keys;
pub(crate) mod media;
pub(crate) mod names;
pub(crate) mod ports;
pub(crate) mod sip;
pub(crate) mod streams;
pub(crate) mod tls;
pub(crate) mod transport;
pub(crate) mod wcs;
