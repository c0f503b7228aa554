//! Bodies of event packages as servers write them, and as nobody should.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dialog_info;
mod hostile;
mod message_summary;
mod pidf;
