//! What a process costs, and when messages were on the wire, as Linux tells it.

mod capture;
mod usage;

pub use capture::{Capture, Datagram, sip};
pub use usage::{Memory, cpu_time, family, memory};
