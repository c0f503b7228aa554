use crate::{
    CallId, CallStatistics, CallStatus, CallView, ConnectionStatus, Contact, ContactId, ContactState, DataId,
    DataStatus, DevicesView, GatewayView, HistoryEntry, HooksView, Level, ParticipantId, RegistrationStatus,
    RoomId, RoomStatus, RoomView, SessionDebugStatus, SessionId, SessionView, Settings, SnapshotFile,
    StreamId, StreamStatistics, StreamStatus, StreamView, TransferStatus,
};
use serde::{Deserialize, Serialize};

/// An event with its number. Numbers rise by one; a gap means that the client was too slow and should ask for a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub seq: u64,
    /// Milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub time: u64,
    #[serde(flatten)]
    pub event: Event,
}

/// What happened. The `…StatusEvent`s are the contract's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "event", rename_all_fields = "camelCase")]
pub enum Event {
    ConnectionStatusEvent {
        status: ConnectionStatus,
        session_id: SessionId,
        info: String,
    },
    RegistrationStatusEvent {
        status: RegistrationStatus,
        session_id: SessionId,
        info: String,
    },
    /// An incoming call, before its first CallStatusEvent.
    OnCallEvent {
        call_id: CallId,
        session_id: SessionId,
        caller: String,
        callee: String,
        info: String,
    },
    CallStatusEvent {
        status: CallStatus,
        call_id: CallId,
        session_id: SessionId,
        /// The SIP code and text behind it, or the reason in words.
        info: String,
    },
    /// How our transfer of a call goes on.
    TransferStatusEvent {
        status: TransferStatus,
        call_id: CallId,
        session_id: SessionId,
        /// To whom.
        target: String,
        info: String,
    },
    /// The far end asks us to call `target` instead (REFER).
    OnTransferEvent {
        call_id: CallId,
        session_id: SessionId,
        target: String,
        /// By whom.
        referred_by: String,
    },
    StreamStatusEvent {
        status: StreamStatus,
        stream_id: StreamId,
        /// The stream's name or URL.
        name: String,
        /// In the contract's words where it has some: `Stopped by publisher stop`.
        info: String,
    },
    /// A snapshot was asked for and is written, or could not be: then `file` is absent and `info` says why.
    SnapshotTaken {
        stream_id: StreamId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        file: Option<SnapshotFile>,
        info: String,
    },
    DataStatusEvent {
        status: DataStatus,
        data_id: DataId,
        session_id: SessionId,
        info: String,
    },
    /// Data that came, or that we sent.
    OnDataEvent {
        session_id: SessionId,
        incoming: bool,
        /// URIs.
        from: String,
        to: String,
        content_type: String,
        body: String,
    },
    /// Somebody told something about a stream at a Web Call Server: `data` of its publisher, `notEnoughBandwidth`, …
    OnStreamEvent {
        stream_id: StreamId,
        kind: String,
        /// JSON.
        payload: String,
    },
    /// A Web Call Server keeps logs of a session, or no longer.
    SessionDebugStatusEvent {
        status: SessionDebugStatus,
        session_id: SessionId,
        /// The file, where the server names one.
        info: String,
    },
    /// A bug report is stored, or is not.
    BugReportStatusEvent {
        /// The file's name, or `FAILED`.
        status: String,
        info: String,
    },
    RoomStatusEvent {
        status: RoomStatus,
        room_id: RoomId,
        /// The room's name.
        name: String,
        info: String,
    },
    /// A message in a room, ours too.
    RoomMessage {
        room_id: RoomId,
        from: ParticipantId,
        /// Its name, also where it has left.
        login: String,
        /// Absent: to all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        to: Option<ParticipantId>,
        text: String,
    },
    RoomReaction {
        room_id: RoomId,
        from: ParticipantId,
        reaction: String,
    },
    /// The far end pressed a key.
    DtmfReceived {
        call_id: CallId,
        digit: String,
    },
    /// What was asked of an object came to nothing, and the object is as it was: the backend refused it, or it could not be done
    /// any more when the backend had let it pass. Or the backend did not take an event that it has to.
    ErrorEvent {
        /// The hook's name.
        hook: String,
        /// The backend's reason, or ours.
        info: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        session_id: Option<SessionId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        call_id: Option<CallId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        stream_id: Option<StreamId>,
    },
    /// Something that the user should know; `info` says it in words.
    Notice {
        level: NoticeLevel,
        info: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        call_id: Option<CallId>,
    },

    SessionChanged {
        session: SessionView,
    },
    SessionClosed {
        session_id: SessionId,
    },
    CallChanged {
        call: CallView,
    },
    /// Twice a second in a call with media.
    CallMeasured {
        call_id: CallId,
        statistics: CallStatistics,
    },
    StreamChanged {
        stream: StreamView,
    },
    /// Once a second while it flows.
    StreamMeasured {
        stream_id: StreamId,
        statistics: StreamStatistics,
    },
    RoomChanged {
        room: RoomView,
    },
    /// Five times a second where somebody is heard: how loud each is.
    RoomMeasured {
        room_id: RoomId,
        levels: Vec<(ParticipantId, Level)>,
    },
    /// Ten times a second while the microphone is tested.
    MicrophoneLevel {
        level: Level,
    },
    DevicesChanged {
        devices: DevicesView,
    },
    GatewayChanged {
        gateway: GatewayView,
    },
    HistoryAdded {
        entry: HistoryEntry,
    },
    HistoryCleared,
    /// One entry is gone.
    HistoryRemoved {
        call_id: CallId,
    },
    MissedCallsChanged {
        missed_calls: u32,
    },
    ContactChanged {
        contact: Contact,
    },
    ContactRemoved {
        contact_id: ContactId,
    },
    ContactStateChanged {
        state: ContactState,
    },
    HooksChanged {
        hooks: HooksView,
    },
    SettingsChanged {
        settings: Settings,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum NoticeLevel {
    Info,
    Warning,
    Error,
}

impl Event {
    /// Numbers for a screen, not news: dropped first where a client is slow, and left out of logs.
    pub fn is_measurement(&self) -> bool {
        matches!(
            self,
            Self::CallMeasured { .. }
                | Self::StreamMeasured { .. }
                | Self::RoomMeasured { .. }
                | Self::MicrophoneLevel { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Envelope, Event};
    use crate::{CallId, CallStatus, SessionId};

    #[test]
    fn an_event_line_carries_event_status_id_and_info() {
        let envelope = Envelope {
            seq: 7,
            time: 1,
            event: Event::CallStatusEvent {
                status: CallStatus::SessionProgress,
                call_id: CallId::new("c1"),
                session_id: SessionId::new("s1"),
                info: "183 Session Progress".into(),
            },
        };
        let text = serde_json::to_string(&envelope).unwrap();
        assert_eq!(
            text,
            r#"{"seq":7,"time":1,"event":"CallStatusEvent","status":"SESSION_PROGRESS","callId":"c1","sessionId":"s1","info":"183 Session Progress"}"#
        );
        assert_eq!(serde_json::from_str::<Envelope>(&text).unwrap(), envelope);
    }
}
