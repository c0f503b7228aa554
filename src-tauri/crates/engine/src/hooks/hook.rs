use std::fmt;

/// What becomes of the one who waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Decides on a session: whatever the policy, a refusal refuses.
    Connect,
    /// A client asks for something, which waits for the verdict.
    Direct,
    /// Somebody else asks for something, and is answered 403 where it is refused.
    Incoming,
    /// It has happened, or happens whatever the backend says.
    Event,
    /// As an event; its refusal ends the stream.
    KeepAlive,
}

macro_rules! hooks {
    ($($variant:ident = $name:literal, $kind:ident, $extra:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Hook { $($variant,)* }

        impl Hook {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub(crate) fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// Called only where it is named.
            pub(crate) fn is_extra(self) -> bool {
                match self { $(Self::$variant => $extra,)* }
            }
        }
    };
}

hooks! {
    Connect = "connect", Connect, false;
    Call = "call", Direct, false;
    Answer = "answer", Direct, false;
    Hold = "hold", Direct, false;
    Unhold = "unhold", Event, false;
    Transfer = "transfer", Direct, false;
    SendDtmf = "sendDtmf", Direct, false;
    Hangup = "hangup", Event, false;
    PublishStream = "publishStream", Direct, false;
    UnPublishStream = "unPublishStream", Event, false;
    PlayStream = "playStream", Direct, false;
    PauseStream = "pauseStream", Direct, false;
    StopStream = "stopStream", Event, false;
    Snapshot = "snapshot", Direct, false;
    AvailableStream = "availableStream", Direct, true;
    OnDataEvent = "OnDataEvent", Direct, false;
    SubmitBugReport = "submitBugReport", Direct, false;
    PushLogs = "pushLogs", Event, false;
    SessionDebug = "sessionDebug", Direct, false;
    OnCallEvent = "OnCallEvent", Incoming, false;
    OnTransferEvent = "OnTransferEvent", Incoming, true;
    ConnectionStatusEvent = "ConnectionStatusEvent", Event, false;
    RegistrationStatusEvent = "RegistrationStatusEvent", Event, false;
    CallStatusEvent = "CallStatusEvent", Event, false;
    TransferStatusEvent = "TransferStatusEvent", Event, false;
    StreamStatusEvent = "StreamStatusEvent", Event, false;
    StreamKeepAliveEvent = "StreamKeepAliveEvent", KeepAlive, false;
    DataStatusEvent = "DataStatusEvent", Event, false;
    BugReportStatusEvent = "BugReportStatusEvent", Event, false;
    SessionDebugStatusEvent = "SessionDebugStatusEvent", Event, false;
}

impl Hook {
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|hook| hook.name() == name)
    }

    /// The first to go where there is no room: nobody's state depends on it.
    pub(crate) fn may_be_dropped(self) -> bool {
        self.kind() == Kind::KeepAlive || self == Self::PushLogs
    }

    /// The next one of an object says the same.
    pub(crate) fn replaces_older(self) -> bool {
        self.kind() == Kind::KeepAlive
    }

    /// There are so many that they go one by one, and everything else has room beside them.
    pub(crate) fn goes_alone(self) -> bool {
        self == Self::PushLogs
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
