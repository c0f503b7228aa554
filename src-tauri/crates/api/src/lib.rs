//! The vocabulary that every client of the engine speaks: the desktop UI, the command line, a browser.
//!
//! Names are those of the Web Call Server contract; JSON keys are camelCase. A [`Command`] goes down and is answered at once
//! by a [`Reply`] or a [`Failure`]; [`Event`]s come up, numbered by [`Envelope::seq`]. State travels whole (`…Changed` with a
//! view that replaces the last one), moments travel once (`…StatusEvent`).
//!
//! `cargo test -p sidetone-api --features typescript` checks that the UI's bindings are current;
//! `cargo xtask bindings` writes them.
#![forbid(unsafe_code)]

mod account;
mod command;
mod directory;
mod event;
mod failure;
mod hooks;
mod id;
mod report;
mod room;
mod secret;
mod settings;
mod status;
mod stream;
#[cfg(feature = "typescript")]
pub mod typescript;
mod view;

pub use account::{
    Account, DtmfMode, IncomingTransfer, MediaEncryption, Prack, SipHeader, Transport, WcsServer,
};
pub use command::{Command, Reply, SettingsChange};
pub use directory::{Contact, ContactAddress, ContactState, HistoryEntry, LineState};
pub use event::{Envelope, Event, NoticeLevel};
pub use failure::{Failure, FailureCode};
pub use hooks::{
    HookAuthentication, HookEventView, HookExchange, HookPolicy, HookSettings, HooksView, RestOnError,
    RestPolicy,
};
pub use id::{AccountId, CallId, ContactId, DataId, ParticipantId, RoomId, SessionId, StreamId};
pub use report::{
    Blame, ReportContents, ReportEvent, ReportFact, ReportMessage, ReportSample, ReportVerdict, ReportView,
    VerdictKind,
};
pub use room::{
    InviteReach, InviteView, KnockingView, ParticipantKind, ParticipantView, RoomAsk, RoomJoining,
    RoomSettings, RoomStream, RoomView, ShownPicture,
};
pub use secret::{Secret, SecretUse};
pub use settings::{
    AudioSettings, CallSettings, DialRule, GatewaySettings, HoldMusic, NetworkSettings, Settings,
    SharingSettings, Theme, UiSettings,
};
pub use status::{
    CallStatus, ConnectionStatus, DataStatus, RegistrationStatus, RoomStatus, SessionDebugStatus,
    StreamStatus, TransferStatus,
};
pub use stream::{
    AudioInput, ContentHint, Corner, GatewayStream, IceServer, Quality, QualityView, SnapshotFile,
    StreamDirection, StreamSources, StreamStatistics, StreamView, VideoInset, VideoSettings, VideoSourceKind,
    VideoSourceView, VideoView,
};
pub use view::{
    CallDirection, CallProblem, CallProblemKind, CallStatistics, CallVideoStatistics, CallVideoView,
    CallView, CodecView, DeviceChoice, DeviceView, DevicesView, Encryption, GatewayClient, GatewayView,
    HoldView, Level, MessagesWaiting, RecordingView, RegisteredExtension, SessionView, SharingView,
    SignallingView, Snapshot, TransferView,
};
