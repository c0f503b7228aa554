//! The thread that lists devices, opens streams, watches them and puts others in their place.

mod endpoint;
mod listing;
mod monitor;

pub(crate) use endpoint::Wanted;
pub(crate) use monitor::{Command, Control, PortSlot, port_slot, start};
