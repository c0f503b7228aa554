//! Real programs to talk to.

mod baresip;
mod jssip;
mod kamailio;
mod net;
mod pulse;
mod sipp;

pub use baresip::{AnswerMode, Baresip, BaresipEncryption, BaresipEvent, BaresipOptions};
pub use jssip::{JsSip, JsSipOptions};
pub use kamailio::{Algorithm, Kamailio, KamailioOptions};
pub(crate) use net::has_second_address;
pub use net::{PeerNet, Transport};
pub use pulse::{PulseOptions, PulseServer, Recording};
pub use sipp::{Sipp, SippOptions, SippOutcome};
