//! Streams from a terminal.

mod course;
mod follow;
mod open;
mod play;
mod publish;
mod record;
mod server;
mod snapshot;
mod ways;

pub(super) use play::run as play;
pub(super) use publish::run as publish;
pub(super) use snapshot::run as snapshot;
