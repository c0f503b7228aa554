use crate::{
    Account, AccountId, AudioSettings, CallId, CallSettings, Contact, ContactId, DataId, GatewaySettings,
    HistoryEntry, HookEventView, HookExchange, HookSettings, InviteView, NetworkSettings, ReportContents,
    ReportView, RoomAsk, RoomId, RoomJoining, Secret, SecretUse, SessionId, SipHeader, Snapshot, StreamId,
    StreamSources, UiSettings, VideoSettings, VideoSourceView,
};
use serde::{Deserialize, Serialize};

/// What a client asks for: `{"command":"call","callee":"echo"}`. Names are the contract's; it is answered at once and
/// reports through events. An unknown command or key is an error that names it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "command", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Command {
    /// Open a session for a stored account. The password is used for this run only.
    Connect {
        account_id: AccountId,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        password: Option<Secret>,
        /// Of a session that a Web Call Server keeps for us: it goes on.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        auth_token: Option<Secret>,
    },
    /// Unregister, hang up the session's calls, close it.
    Disconnect {
        session_id: SessionId,
    },
    /// Now: also where a lost Web Call Server is to be connected again later.
    Register {
        session_id: SessionId,
    },
    Unregister {
        session_id: SessionId,
    },
    /// Place a call. Where no session is named, the first one that can place calls is taken.
    Call {
        /// A SIP URI, `user@host`, or a number or name at the session's domain.
        callee: String,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        session_id: Option<SessionId>,
        /// Headers of this INVITE.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<SipHeader>>", optional))]
        headers: Vec<SipHeader>,
        /// The name that the callee sees, instead of the account's.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        caller_name: Option<String>,
        /// Hide who calls (RFC 3323), whatever the account says.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
        anonymous: bool,
        /// With our picture, from the camera of the settings.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
        video: bool,
    },
    /// Call whom we called last.
    Redial,
    Answer {
        call_id: CallId,
        /// With our picture, where the caller offers video.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
        video: bool,
    },
    /// Adds video to an answered call, drops it, or decides on what the far end has added. The far end may refuse; the call
    /// goes on with its sound then, and its view says why.
    SetCallVideo {
        call_id: CallId,
        on: bool,
    },
    /// Cancel, decline (486) or end.
    Hangup {
        call_id: CallId,
    },
    Hold {
        call_id: CallId,
    },
    Unhold {
        call_id: CallId,
    },
    /// Hold every other call and go on with this one.
    Swap {
        call_id: CallId,
    },
    /// Let these calls hear each other and us; held ones are resumed. Calls of the conference stay in it.
    Merge {
        call_ids: Vec<CallId>,
    },
    /// Take a call out of the conference, and hold it.
    Split {
        call_id: CallId,
    },
    /// Blind transfer: ask the far end to call `target` instead.
    Transfer {
        call_id: CallId,
        target: String,
    },
    /// Attended transfer: ask the far end of `call_id` to take our place in the call `consultation_call_id`.
    TransferAttended {
        call_id: CallId,
        consultation_call_id: CallId,
    },
    /// Obey a REFER of the far end.
    AcceptTransfer {
        call_id: CallId,
    },
    RefuseTransfer {
        call_id: CallId,
    },
    /// Send a ringing call elsewhere (302).
    Redirect {
        call_id: CallId,
        target: String,
    },
    /// Record a call to a WAV file, one channel a party.
    StartRecording {
        call_id: CallId,
    },
    PauseRecording {
        call_id: CallId,
        paused: bool,
    },
    StopRecording {
        call_id: CallId,
    },
    /// Publish at the embedded gateway under a name, or at a WHIP endpoint.
    PublishStream {
        /// A name, or an `https:` or `http:` URL.
        name: String,
        /// Bearer token of the endpoint.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        token: Option<Secret>,
        sources: StreamSources,
        /// Instead of the stored settings.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        settings: Option<VideoSettings>,
        /// At the Web Call Server of this session.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        session_id: Option<SessionId>,
    },
    /// Stop publishing.
    UnPublishStream {
        stream_id: StreamId,
    },
    /// Play what is published at the embedded gateway under a name, or at a WHEP endpoint.
    PlayStream {
        /// A name, or an `https:` or `http:` URL.
        name: String,
        /// Bearer token of the endpoint.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        token: Option<Secret>,
        /// At the Web Call Server of this session.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        session_id: Option<SessionId>,
    },
    /// Stop playing.
    StopStream {
        stream_id: StreamId,
    },
    /// Nothing more of a played stream is received until it is resumed.
    PauseStream {
        stream_id: StreamId,
        paused: bool,
    },
    /// Change a stream while it is live, without negotiation; what is absent stays.
    ChangeStream {
        stream_id: StreamId,
        /// Of a published one.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        sources: Option<StreamSources>,
        /// Of a published one: silence goes out, and players are told.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        audio_muted: Option<bool>,
        /// Of a published one: black goes out, and players are told.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        video_muted: Option<bool>,
        /// Of a played one, 0.0 to 2.0.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        volume: Option<f32>,
    },
    /// Write the stream's next picture as a PNG; `SnapshotTaken` follows.
    Snapshot {
        stream_id: StreamId,
    },
    /// Record a stream, published or played, to a file that every player knows; switching it off ends the file.
    RecordStream {
        stream_id: StreamId,
        on: bool,
    },
    /// Connect a stream that waits for its next attempt at once.
    RetryStream {
        stream_id: StreamId,
    },
    /// Tell those who play a stream that is published at a Web Call Server something.
    SendStreamEvent {
        stream_id: StreamId,
        /// JSON, or else a text.
        payload: String,
    },
    /// Have a Web Call Server keep logs of a session, ours among them, or no longer; `SessionDebugStatusEvent` follows.
    SessionDebug {
        session_id: SessionId,
        on: bool,
    },
    /// Look for cameras, screens and windows; the reply has them.
    GetVideoSources,
    /// Come into a room, or make it.
    JoinRoom(RoomJoining),
    /// Of a room that we are in.
    AskRoom {
        room_id: RoomId,
        room: RoomAsk,
    },
    /// Deliver text to a SIP URI (MESSAGE) or to the far end of a call.
    SendData {
        /// A SIP URI, a number or name at the session's domain, or a call's id. At a Web Call Server also the id of a session there;
        /// empty: the body, as JSON where it is that, is for the server's backend.
        to: String,
        body: String,
        /// `text/plain` where absent.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        content_type: Option<String>,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        session_id: Option<SessionId>,
    },
    /// `dtmf`: digits of `0-9 * # A-D`.
    SendDtmf {
        call_id: CallId,
        dtmf: String,
    },
    MuteAudio {
        call_id: CallId,
        muted: bool,
    },
    /// Choose devices, in calls too; an absent one stays.
    SelectDevices {
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        microphone: Option<String>,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        speaker: Option<String>,
        /// Empty: ring on the speaker.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        ringer: Option<String>,
    },
    /// Measure the microphone outside a call; `MicrophoneLevel` events follow until it is switched off.
    TestMicrophone {
        on: bool,
    },
    /// Play a short test tone on the speaker.
    TestSpeaker,
    /// Create or replace an account and connect it where it is enabled.
    SaveAccount {
        account: Account,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        password: Option<Secret>,
        /// Put the password into the platform's key store; otherwise it lives in memory.
        #[serde(default)]
        remember: bool,
    },
    RemoveAccount {
        account_id: AccountId,
    },
    /// Replace the named parts of the settings.
    ChangeSettings(SettingsChange),
    /// Give a secret that the settings need and do not have; absent: forget it.
    SetSecret {
        #[serde(rename = "for")]
        of: SecretUse,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        secret: Option<Secret>,
        /// Put it into the platform's key store; otherwise it lives in memory.
        #[serde(default)]
        remember: bool,
    },
    /// Older entries than `before` (an entry's `startedAt`), newest first.
    GetHistory {
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional, type = "number"))]
        before: Option<u64>,
        /// At most 500.
        limit: u32,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
        missed: bool,
        /// Only where name or address contains this.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        search: Option<String>,
    },
    /// The missed calls have been seen.
    SeeMissedCalls,
    RemoveHistory {
        call_id: CallId,
    },
    ClearHistory,
    /// Create (empty id) or replace.
    SaveContact {
        contact: Contact,
    },
    RemoveContact {
        contact_id: ContactId,
    },
    /// The text of a vCard file, 3.0 or 4.0.
    ImportContacts {
        vcard: String,
    },
    /// All contacts as vCard 4.0.
    ExportContacts,
    /// History, contacts, accounts, passwords, settings, recordings' list and the authority that guests' devices trust: as on the
    /// first day. Recordings stay.
    DeleteEverything,
    /// Send a `ConnectionStatusEvent` that says it is a test to the backend of these settings, with the secret that is known; the
    /// reply has the exchange.
    TestHook {
        hooks: HookSettings,
    },
    /// Events that wait for the backend, or that it did not take, oldest first.
    GetHookEvents {
        /// At most 500.
        limit: u32,
    },
    /// Deliver what the backend did not take once more: one event, or all of them.
    SendHookAgain {
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<String>,
    },
    /// Forget what the backend did not take: one event, or all of them.
    ForgetHookEvents {
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<String>,
    },
    /// Collect the last minutes, to be looked at before they are stored; the reply has them. Nothing is written.
    PrepareBugReport,
    /// Store what `prepareBugReport` collected last, or what there is now. The reply and `BugReportStatusEvent` have its file's name.
    SubmitBugReport {
        /// What the user says, at most 10000 bytes.
        words: String,
        /// Sections that are not to be in it: `messages`, `events`, `samples`, or the name of one of its facts.
        #[serde(default)]
        leave_out: Vec<String>,
        /// A PNG of at most 8 MB, as base64.
        #[serde(default)]
        screenshot: Option<String>,
    },
    /// The stored reports, newest first.
    GetBugReports,
    ReadBugReport {
        file: String,
    },
    RemoveBugReport {
        file: String,
    },
    /// The whole state, and the number of the last event that it contains.
    GetSnapshot,
}

/// Parts of the settings; an absent one stays.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SettingsChange {
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub audio: Option<AudioSettings>,
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub network: Option<NetworkSettings>,
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub gateway: Option<GatewaySettings>,
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub ui: Option<UiSettings>,
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub calls: Option<CallSettings>,
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub video: Option<VideoSettings>,
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub hooks: Option<HookSettings>,
}

impl Command {
    /// A call as the account places it.
    pub fn call(callee: impl Into<String>, session_id: Option<SessionId>) -> Self {
        Self::Call {
            callee: callee.into(),
            session_id,
            headers: Vec::new(),
            caller_name: None,
            anonymous: false,
            video: false,
        }
    }
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "reply", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Reply {
    Done,
    Session { session_id: SessionId },
    Call { call_id: CallId },
    Account { account_id: AccountId },
    Data { data_id: DataId },
    Stream { stream_id: StreamId },
    Room { room_id: RoomId },
    Invite { invite: InviteView },
    VideoSources { sources: Vec<VideoSourceView> },
    Contact { contact_id: ContactId },
    Imported { added: u32, changed: u32, refused: Vec<String> },
    Text { text: String },
    History { entries: Vec<HistoryEntry> },
    HookTested { exchange: HookExchange },
    Report { report: Box<ReportContents> },
    ReportStored { report: ReportView },
    Reports { reports: Vec<ReportView> },
    HookEvents { events: Vec<HookEventView> },
    Snapshot { snapshot: Snapshot },
}

#[cfg(test)]
mod tests {
    use super::Command;
    use serde_json::from_str;

    #[test]
    fn a_call_is_one_line_of_json() {
        let command: Command = from_str(r#"{"command":"call","callee":"echo"}"#).unwrap();
        assert_eq!(command, Command::call("echo", None));
        assert_eq!(from_str::<Command>(r#"{"command":"testSpeaker"}"#).unwrap(), Command::TestSpeaker);
    }

    #[test]
    fn an_unknown_command_or_key_is_named() {
        let error = from_str::<Command>(r#"{"command":"cal","callee":"echo"}"#).unwrap_err().to_string();
        assert!(error.contains("cal"), "{error}");
        let error = from_str::<Command>(r#"{"command":"call","calee":"echo"}"#).unwrap_err().to_string();
        assert!(error.contains("calee"), "{error}");
    }

    #[test]
    fn a_missing_key_is_named() {
        let error = from_str::<Command>(r#"{"command":"answer"}"#).unwrap_err().to_string();
        assert!(error.contains("callId"), "{error}");
    }
}
