//! Who may come in, and under which name.

use super::{LONGEST_NAME, PARTICIPANTS};
use sidetone_api::{Failure, ParticipantId, ParticipantKind, RoomSettings, Secret};

/// One who wants to come in.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: ParticipantId,
    pub(crate) login: String,
    pub(crate) kind: ParticipantKind,
    pub(crate) guest: bool,
    /// The user of the gateway itself: no lock, lobby or password is for it, and it is a host.
    pub(crate) own: bool,
    /// Let in by an invite, or brought in by a member.
    pub(crate) admitted: bool,
    pub(crate) password: Option<Secret>,
    /// Its session: whoever was taken out does not come back by it.
    pub(crate) origin: String,
    /// Milliseconds since 1970.
    pub(crate) at: u64,
}

/// How it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    In,
    /// Waits in the lobby.
    Knocks,
}

/// What an object has in every page: one of these as a name would be found there without having been put there.
const OF_EVERY_OBJECT: [&str; 12] = [
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
];

/// # Errors
/// In words.
pub(crate) fn check_room_name(name: &str) -> Result<(), String> {
    check_length("a room's name", name)?;
    let fits = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    if let Some(character) = name.chars().find(|character| !fits(*character)) {
        return Err(format!("{character:?} cannot be in a room's name"));
    }
    if name.chars().all(|character| character == '.') || OF_EVERY_OBJECT.contains(&name) {
        return Err("a room cannot be named so".into());
    }
    Ok(())
}

/// A name is compared and shown as it is: nothing invisible may be in it.
///
/// # Errors
/// In words.
pub(crate) fn check_login(login: &str) -> Result<(), String> {
    check_length("a participant's name", login)?;
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let bad = |c: char| c.is_control() || turns(c) || (c.is_whitespace() && c != ' ');
    if let Some(character) = login.chars().find(|character| bad(*character)) {
        return Err(format!("{character:?} cannot be in a participant's name"));
    }
    if login.trim() != login {
        return Err("a participant's name neither begins nor ends with a space".into());
    }
    if OF_EVERY_OBJECT.contains(&login) {
        return Err("a participant cannot be named so".into());
    }
    Ok(())
}

fn check_length(what: &str, name: &str) -> Result<(), String> {
    match name.chars().take(LONGEST_NAME + 1).count() {
        0 => Err(format!("{what} is missing")),
        length if length > LONGEST_NAME => Err(format!("{what} has {LONGEST_NAME} characters at most")),
        _ => Ok(()),
    }
}

/// # Errors
/// Names the field.
pub(crate) fn check_settings(settings: &RoomSettings) -> Result<(), Failure> {
    if PARTICIPANTS.contains(&settings.most_participants) {
        return Ok(());
    }
    let (least, most) = (PARTICIPANTS.start(), PARTICIPANTS.end());
    let words = format!(
        "settings.mostParticipants: {} is not between {least} and {most}",
        settings.most_participants
    );
    Err(Failure::invalid("settings.mostParticipants", words))
}
