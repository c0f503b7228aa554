//! Real programs to talk to.

mod aiortc;
mod backend;
mod baresip;
mod coturn;
mod ear;
mod janus;
mod jssip;
mod kamailio;
mod net;
mod pulse;
mod sipp;
mod streams;
mod websdk;

pub use aiortc::{Aiortc, AiortcOptions};
pub use backend::{Backend, Heard, HookReply};
pub use baresip::{AnswerMode, Baresip, BaresipEncryption, BaresipEvent, BaresipOptions};
pub use coturn::{Coturn, CoturnOptions};
pub use ear::{EAR, wav as wav_of_ear};
pub use janus::{Janus, JanusHandle, JanusSession};
pub use jssip::{JsSip, JsSipOptions};
pub use kamailio::{Algorithm, Kamailio, KamailioOptions};
pub(crate) use net::has_second_address;
pub use net::{PeerNet, Transport};
pub use pulse::{PulseOptions, PulseServer, Recording};
pub use sipp::{Sipp, SippOptions, SippOutcome};
pub use streams::{PublishOptions, SeenStream, ShownPicture, StreamPage};
pub use websdk::{SdkExamples, WebSdk};
