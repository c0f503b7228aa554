//! One who is in a room.

use super::{Present, rate::Rate};
use sidetone_api::{ParticipantId, ParticipantKind};

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: ParticipantId,
    pub(crate) login: String,
    pub(crate) kind: ParticipantKind,
    pub(crate) host: bool,
    /// Came by an invite.
    pub(crate) guest: bool,
    pub(crate) streams: Vec<Published>,
    pub(crate) audio_muted: bool,
    /// By somebody else: the room is to pass nothing of its sound.
    pub(crate) silenced: bool,
    /// Rises with each hand that is raised.
    pub(super) hand: Option<u64>,
    /// Whom the others know it by beside its name, as a session.
    pub(super) origin: String,
    pub(super) rate: Rate,
}

/// A stream that a participant sends, once it flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) name: String,
    pub(crate) screen: bool,
    pub(crate) has_video: bool,
    pub(crate) has_audio: bool,
    pub(crate) video_muted: bool,
}

/// One who waits to be let in.
#[derive(Debug)]
pub(crate) struct Knocking {
    pub(crate) member: Member,
    /// Milliseconds since 1970.
    pub(crate) since: u64,
}

impl Member {
    pub(super) fn present(&self) -> Present {
        let streams = self.streams.iter().map(|stream| stream.name.clone()).collect();
        Present { login: self.login.clone(), streams }
    }

    /// Calls and played streams have nobody who could decide.
    pub(super) fn may_host(&self) -> bool {
        matches!(self.kind, ParticipantKind::App | ParticipantKind::Web)
    }
}
