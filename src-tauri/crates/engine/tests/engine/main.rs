//! Engines in this process, on loopback, with synthetic devices; and a SIP user agent without an engine as their far end.
//! Nothing sleeps: each test waits for what has to come, with a deadline.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod audio;
mod calls;
mod conference;
mod contacts;
mod devices;
mod dtmf;
mod early;
mod ending;
mod endpoint;
mod events;
mod extensions;
mod history;
mod hold;
mod hostile;
mod kit;
mod lip_sync;
mod mirror;
mod peer;
mod policy;
mod recording;
mod ringer;
mod secure;
mod services;
mod sessions;
mod settings;
mod sources;
mod streams;
mod streams_hostile;
mod streams_network;
mod streams_relay;
mod streams_secure;
mod transfer;
mod video;
mod video_calls;
