use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! status {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

status!(
    /// Whether the link of a session answers.
    ConnectionStatus {
        /// The link answered.
        Established = "ESTABLISHED",
        /// It never did: name, refusal, TLS, time-out.
        Failed = "FAILED",
        /// It had answered and was lost or closed.
        Disconnected = "DISCONNECTED",
    }
);
status!(
    /// Whether the registrar of a session sends calls here.
    RegistrationStatus {
        Registered = "REGISTERED",
        /// Any loss or refusal that is not about the password; the reason is in `info`, and trying goes on.
        Unregistered = "UNREGISTERED",
        /// 401 or 407 after our credentials, or 403.
        AuthenticationFail = "AUTHENTICATION_FAIL",
    }
);
status!(
    /// Where a call is. `FINISH`, `BUSY` and `FAILED` are ends.
    CallStatus {
        /// Sent, 100 received, or being sent.
        Trying = "TRYING",
        /// 180.
        Ring = "RING",
        /// 183.
        SessionProgress = "SESSION_PROGRESS",
        /// 486 or 600.
        Busy = "BUSY",
        /// 200 to INVITE.
        Established = "ESTABLISHED",
        /// Either side holds.
        Hold = "HOLD",
        /// Ended in the normal way.
        Finish = "FINISH",
        /// Failed, or ended with an error.
        Failed = "FAILED",
    }
);
status!(
    /// How far a transfer has come.
    TransferStatus {
        /// 2xx to REFER.
        Accepted = "ACCEPTED",
        /// A NOTIFY with 1xx.
        Trying = "TRYING",
        /// A NOTIFY with 2xx.
        Completed = "COMPLETED",
        /// A refused REFER, a NOTIFY of 300 or more, or no final NOTIFY within 60 s.
        Failed = "FAILED",
    }
);
status!(
    /// What became of data that was sent.
    DataStatus {
        /// The far end's 2xx.
        Accepted = "ACCEPTED",
        Failed = "FAILED",
    }
);
status!(
    /// Whether a server keeps logs of a session.
    SessionDebugStatus {
        Started = "STARTED",
        Stopped = "STOPPED",
    }
);
status!(
    /// Where a stream is. `UNPUBLISHED`, `STOPPED` and `FAILED` are ends.
    StreamStatus {
        /// Its media flows out.
        Publishing = "PUBLISHING",
        /// We stopped publishing.
        Unpublished = "UNPUBLISHED",
        /// Its media flows in.
        Playing = "PLAYING",
        Paused = "PAUSED",
        /// It is over, by us or by its publisher.
        Stopped = "STOPPED",
        Failed = "FAILED",
    }
);

status!(
    /// Where we are with a room. `LEFT` and `FAILED` are ends.
    RoomStatus {
        /// Asked to come in.
        Joining = "JOINING",
        /// A host decides.
        Lobby = "LOBBY",
        Joined = "JOINED",
        /// By ourselves, by a host, or because the room ended.
        Left = "LEFT",
        /// Refused, or lost.
        Failed = "FAILED",
    }
);

impl RoomStatus {
    pub fn is_end(self) -> bool {
        matches!(self, Self::Left | Self::Failed)
    }
}

impl StreamStatus {
    pub fn is_end(self) -> bool {
        matches!(self, Self::Unpublished | Self::Stopped | Self::Failed)
    }
}

impl CallStatus {
    pub fn is_end(self) -> bool {
        matches!(self, Self::Busy | Self::Finish | Self::Failed)
    }
}
