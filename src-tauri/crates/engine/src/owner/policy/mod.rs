//! What becomes of calls by rule: who is let through, who is sent elsewhere, and what happens by itself after a while.

mod due;
mod incoming;

pub(super) use due::Due;
pub(super) use incoming::{Verdict, forward_target};
