//! Rooms at the embedded gateway: who is in them, who may do what there, and what each is told, in which order.
//!
//! No socket, clock or stream is in here: what is asked goes in with the time, [`Room::poll`] is drained. What belongs to one room is
//! told in the order in which it happened, whoever did it; that is all that the order rules of the Web SDK's room module ask for.

mod ask;
mod entry;
mod invites;
mod member;
mod mirror;
mod rate;
mod room;
#[cfg(test)]
mod tests;
mod voices;

pub(crate) use entry::{Came, Entry, check_login, check_room_name, check_settings};
pub(crate) use invites::{Invite, Invites};
pub(crate) use member::{Member, Published};
pub(crate) use mirror::{Heard, Mirror};
pub(crate) use room::Room;
pub(crate) use voices::{LOOK, Sound, Voices};

use sidetone_api::ParticipantId;

/// Rooms at a time.
pub(crate) const MOST_ROOMS: usize = 100;
/// Participants that a room can be set to.
pub(crate) const PARTICIPANTS: std::ops::RangeInclusive<u32> = 2..=32;
/// Who waits in front of one room.
pub(crate) const MOST_KNOCKING: usize = 32;
/// Characters of a room's name, and of a participant's.
pub(crate) const LONGEST_NAME: usize = 64;
/// Characters of one message.
pub(crate) const LONGEST_MESSAGE: usize = 4_000;
/// Streams of one participant.
pub(crate) const MOST_STREAMS: usize = 8;
/// What can be said with a picture alone.
pub(crate) const REACTIONS: [&str; 6] = ["👍", "👏", "❤️", "😂", "😮", "🎉"];

/// Another participant, as one who comes in hears of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Present {
    pub(crate) login: String,
    /// Names.
    pub(crate) streams: Vec<String>,
}

/// What a participant is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// Who was there before it; the first that it hears.
    State(Vec<Present>),
    Joined {
        login: String,
    },
    Left {
        login: String,
    },
    Published {
        login: String,
        stream: String,
    },
    /// A stream is over, by itself or by a fault.
    Unpublished {
        login: String,
        stream: String,
        failed: bool,
    },
    Message {
        from: ParticipantId,
        login: String,
        /// To one alone.
        to: Option<ParticipantId>,
        text: String,
    },
    Reaction {
        from: ParticipantId,
        reaction: String,
    },
}

/// What comes of what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    Tell {
        to: ParticipantId,
        news: News,
    },
    /// One that waited in the lobby is in.
    Admitted(ParticipantId),
    /// One that waited is not let in.
    Refused(ParticipantId, String),
    /// A participant is out by the will of others.
    Out(ParticipantId, String),
    /// Nothing is heard of a participant until it speaks again by itself.
    Silenced(ParticipantId),
    /// A host has ended it for all.
    Closed,
}
