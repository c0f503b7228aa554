//! Links, clocks, fake devices and real peers for tests.
//!
//! Real peers run as processes on this machine, each in a directory of its own, and end with the value that
//! started them. A test that needs them begins with [`room!`]:
//!
//! ```no_run
//! # #[cfg(unix)]
//! # fn the_speaker_is_heard() -> Result<(), sidetone_testkit::RigError> {
//! use sidetone_testkit::{Needs, PulseServer, room};
//! let Some(room) = room!(Needs::tools(&["pulseaudio", "pactl", "paplay", "parecord"])) else { return Ok(()) };
//! let sound = PulseServer::start(room.dir())?;
//! # let _ = sound; Ok(()) }
//! ```
//!
//! What is missing on the machine makes the test print why and pass, but fail where `CI=true` is set on Linux.
#![forbid(unsafe_code)]

pub mod audio;
pub mod bench;
#[cfg(unix)]
pub mod browser;
mod certificates;
mod descriptors;
mod dns;
mod error;
pub mod link;
#[cfg(target_os = "linux")]
pub mod measure;
#[cfg(unix)]
mod peers;
mod ports;
#[cfg(unix)]
mod process;
mod replay;
mod require;
#[cfg(unix)]
mod room;
mod stun;
#[cfg(unix)]
mod turn;
mod udp_path;

pub use certificates::{CertificateOptions, TestAuthority, TestCertificate};
pub use descriptors::raise_descriptors;
pub use dns::{DnsHabit, DnsRecord, DnsServer};
pub use error::{Result, RigError};
#[cfg(unix)]
pub use peers::{
    Aiortc, AiortcOptions, Algorithm, AnswerMode, Backend, Baresip, BaresipEncryption, BaresipEvent,
    BaresipOptions, Coturn, CoturnOptions, EAR, Heard, HookReply, Janus, JanusHandle, JanusSession, JsSip,
    JsSipOptions, Kamailio, KamailioOptions, PeerNet, PublishOptions, PulseOptions, PulseServer, Recording,
    SdkExamples, SeenStream, ShownPicture, Sipp, SippOptions, SippOutcome, StreamPage, Transport, WebSdk,
    wav_of_ear,
};
pub use ports::{free_port, free_port_range};
#[cfg(unix)]
pub use process::{Process, Signal, until};
pub use replay::Replay;
pub use require::{Needs, require, skip};
#[cfg(unix)]
pub use room::{Room, enter_room, enter_room_as_program};
pub use stun::StunServer;
pub use udp_path::UdpPath;

#[doc(hidden)]
pub mod macro_support {
    /// `crate::module::test::marker` without the crate and the marker: the name that the test harness knows.
    pub fn test_name<T>(_marker: T) -> &'static str {
        let path = std::any::type_name::<T>();
        let path = path.rsplit_once("::").map_or(path, |(test, _)| test);
        path.split_once("::").map_or(path, |(_, test)| test)
    }
}

/// Runs the rest of the test in a process of its own: see [`enter_room`](crate::enter_room).
///
/// `room!(needs)` gives `Some(room)` in that process and `None` in the test that the harness started, which then
/// returns at once.
#[macro_export]
macro_rules! room {
    ($needs:expr) => {{
        fn marker() {}
        $crate::enter_room($crate::macro_support::test_name(marker), &$needs)
    }};
}
