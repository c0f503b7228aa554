use crate::{
    CallId, ParticipantId, Quality, QualityView, RecordingView, RoomId, RoomStatus, Secret, SessionId,
    StreamId, StreamSources,
};
use serde::{Deserialize, Serialize};

/// How we come into a room.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoomJoining {
    /// Of the room: letters, digits, `-`, `_` and `.`, at most 64. It is made where it does not exist, and ours then.
    pub name: String,
    /// What the others read.
    pub login: String,
    /// What we send at once; absent: nothing.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub sources: Option<StreamSources>,
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
    pub audio_muted: bool,
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
    pub video_muted: bool,
    /// Of a room that wants one.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub password: Option<Secret>,
    /// At the Web Call Server of this session; absent: at the embedded gateway.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub session_id: Option<SessionId>,
    /// The link of an invite of another Sidetone, or its token where the session is named: the room is joined there.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub invite: Option<Secret>,
    /// PEM text of the authority of that Sidetone, where it is none that the system trusts. Without a session alone.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub trusted_ca: Option<String>,
    /// Of a room that is made by this.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub settings: Option<RoomSettings>,
}

/// Rules of a room; its hosts set them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RoomSettings {
    /// Nobody comes in any more.
    pub locked: bool,
    /// Guests wait until a host admits them.
    pub lobby: bool,
    /// At most so many, 2 to 32.
    pub most_participants: u32,
    /// Whoever comes in is muted first.
    pub muted_on_entry: bool,
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self { locked: false, lobby: true, most_participants: 16, muted_on_entry: false }
    }
}

/// What is asked of a room that we are in: `{"ask":"raiseHand","on":true}`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "ask", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum RoomAsk {
    Leave,
    /// Begin to send our picture and sound, or change what is sent. `null`: stop.
    SetSources {
        sources: Option<StreamSources>,
    },
    /// A stream of its own beside our picture; `null`: stop.
    ShareScreen {
        sources: Option<StreamSources>,
    },
    Mute {
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        audio: Option<bool>,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        video: Option<bool>,
    },
    RaiseHand {
        on: bool,
    },
    /// One of `👍 👏 ❤️ 😂 😮 🎉`.
    React {
        reaction: String,
    },
    /// To one, or to all.
    SendMessage {
        text: String,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        to: Option<ParticipantId>,
    },
    /// How we hear one: what is absent stays. For us alone.
    Hear {
        participant_id: ParticipantId,
        /// 0.0 to 2.0.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        volume: Option<f32>,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        muted: Option<bool>,
    },
    /// What the screen shows, in which size: pictures of all others are not received, or in the smallest layer.
    Show {
        pictures: Vec<ShownPicture>,
    },

    /// The rest is for hosts.
    ChangeSettings {
        settings: RoomSettings,
    },
    /// `null`: none is asked for any more.
    SetPassword {
        password: Option<Secret>,
    },
    /// Let one who waits in the lobby in.
    Admit {
        participant_id: ParticipantId,
    },
    /// Send one who waits away.
    Refuse {
        participant_id: ParticipantId,
    },
    /// Take one out; an invite that it came by is dead.
    Remove {
        participant_id: ParticipantId,
    },
    /// Absent: everybody but hosts. They may speak again by themselves.
    MuteOther {
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        participant_id: Option<ParticipantId>,
    },
    /// The other becomes a host; we stay one unless `only`.
    MakeHost {
        participant_id: ParticipantId,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
        only: bool,
    },
    /// A link for guests; the reply has it.
    Invite {
        /// Who comes by it is named so; absent: asked for.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        login: Option<String>,
        /// Comes in without waiting in the lobby.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
        admitted: bool,
        /// For one guest, one time.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
        once: bool,
    },
    /// No invite that was given out is good any more; who is in stays.
    RevokeInvites,
    /// Everybody in the room and in this call hears each other.
    AddCall {
        call_id: CallId,
    },
    /// The call goes on with us alone.
    RemoveCall {
        call_id: CallId,
    },
    /// Call somebody into the room: a SIP URI, a number or name.
    CallIn {
        callee: String,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        session_id: Option<SessionId>,
    },
    /// Everybody sees and hears a stream of the gateway; `null`: no more.
    PlayStream {
        name: Option<String>,
    },
    /// The whole room as one picture and sound under a name, or to a WHIP URL; `null`: no more.
    Publish {
        name: Option<String>,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        token: Option<Secret>,
    },
    /// The same into a file.
    Record {
        on: bool,
    },
    /// Everybody is sent away, and the room ends.
    Close,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShownPicture {
    /// As [`RoomStream::name`].
    pub name: String,
    /// Of its tile, device pixels.
    pub width: u32,
    pub height: u32,
}

/// A room that we are in, wait to come into, or have just left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RoomView {
    pub room_id: RoomId,
    pub name: String,
    /// Of the Web Call Server where it is.
    pub session_id: Option<SessionId>,
    pub status: RoomStatus,
    /// Why, in words.
    pub info: String,
    /// Ourselves.
    pub own: ParticipantId,
    pub settings: RoomSettings,
    pub has_password: bool,
    /// In the order in which they came; ourselves among them.
    pub participants: Vec<ParticipantView>,
    /// Who waits in the lobby; told to hosts alone.
    pub knocking: Vec<KnockingView>,
    /// What is played into the room.
    pub played: Option<String>,
    /// Where the room is published.
    pub published: Option<String>,
    pub recording: Option<RecordingView>,
    /// Milliseconds since 1970; since when we are in.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub joined_at: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum ParticipantKind {
    /// A Sidetone.
    App,
    /// A browser.
    Web,
    /// A call.
    Phone,
    /// A stream that is played into the room.
    Stream,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ParticipantView {
    pub participant_id: ParticipantId,
    /// What the others read.
    pub login: String,
    pub kind: ParticipantKind,
    pub host: bool,
    /// Came by an invite.
    pub guest: bool,
    /// Of a [`ParticipantKind::Phone`], where it is our call.
    pub call_id: Option<CallId>,
    pub streams: Vec<RoomStream>,
    /// Muted by itself.
    pub audio_muted: bool,
    /// Its place in the row of raised hands, from 1; `null`: it is down.
    pub hand: Option<u32>,
    /// Speaks at present.
    pub speaking: bool,
    /// Who was loudest for longest: one of all.
    pub active: bool,
    /// Its sound reaches the room: `false` where it is not muted and nothing has come for a while; `null` where that is not known.
    pub heard: Option<bool>,
    pub quality: QualityView,
    /// As we hear it.
    pub volume: f32,
    pub muted_here: bool,
}

/// A picture, a sound or both that a participant sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RoomStream {
    pub name: String,
    pub screen: bool,
    pub has_video: bool,
    pub has_audio: bool,
    pub video_muted: bool,
    /// Our stream that sends or plays it, as in [`crate::Snapshot::streams`]; `null` while we do not.
    pub stream_id: Option<StreamId>,
    /// Why its picture is not shown: paused because nobody looks, too little bandwidth; empty where it is.
    pub info: String,
    pub level: Quality,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct KnockingView {
    pub participant_id: ParticipantId,
    pub login: String,
    /// Milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub since: u64,
}

/// A link for guests, and who can follow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct InviteView {
    pub url: String,
    /// The same as a QR code: an SVG.
    pub qr: String,
    pub reach: InviteReach,
    /// In words, with what to do to reach further.
    pub info: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum InviteReach {
    /// Browsers on this machine alone.
    Machine,
    /// This network.
    Network,
    /// Everywhere, by the public address of the settings.
    World,
}
