//! What WHIP and WHEP clients of the embedded gateway ask of the engine.
//!
//! The gateway has checked the form of everything here: a name is one, a fragment can be parsed. Who publishes what, tokens,
//! entity tags and the descriptions themselves are the engine's.

use sidetone_api::Secret;
use sidetone_peer::whip::{EntityTag, Fragment, IfMatch, Kind, Link, NotMet};

/// Characters of a stream's name at the gateway.
pub const LONGEST_NAME: usize = 128;

/// An offer to publish or to play a stream of the gateway.
#[derive(Debug, Clone)]
pub struct StreamOffer {
    pub kind: Kind,
    pub name: String,
    /// At most [`sidetone_peer::whip::MAX_BODY`].
    pub sdp: String,
    /// Bearer token, where the client shows one.
    pub token: Option<Secret>,
}

/// A session that was opened. Where nobody receives it any more (the reply cannot be sent), the engine ends it again.
#[derive(Debug, Clone)]
pub struct StreamAccepted {
    /// What its URL ends with: letters and digits that nobody can guess.
    pub resource: String,
    /// SDP, with all candidates.
    pub answer: String,
    /// Of ICE: it changes with each restart.
    pub tag: EntityTag,
    /// ICE servers and extensions that the client is told of.
    pub links: Vec<Link>,
}

/// News of a session's ICE; [`sidetone_peer::whip::Wanted`] tells what they want.
#[derive(Debug, Clone)]
pub struct StreamPatch {
    pub resource: String,
    pub if_match: Option<IfMatch>,
    pub fragment: Fragment,
    pub token: Option<Secret>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamPatched {
    /// The candidates are known now.
    Trickled,
    /// Our new credentials and candidates, and the tag that goes with them.
    Restarted { fragment: Fragment, tag: EntityTag },
}

/// Why not, in the contract's words where it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamDeclined {
    #[error("Stream name is already in use")]
    NameInUse,
    /// Nobody publishes it.
    #[error("Stream not found")]
    StreamNotFound,
    #[error("there is no such session (any more)")]
    SessionNotFound,
    #[error("a token is needed")]
    TokenNeeded,
    #[error("the token is not accepted")]
    TokenRefused,
    /// The hooks' backend refuses it: its reason.
    #[error("{0}")]
    Forbidden(String),
    /// It cannot be read.
    #[error("{0}")]
    BadOffer(String),
    /// It can be read, but there is nothing in it that we can do.
    #[error("{0}")]
    Unacceptable(String),
    #[error("No common codecs")]
    NoCommonCodecs,
    #[error(transparent)]
    NotMet(#[from] NotMet),
    /// Too many streams or players.
    #[error("{0}")]
    Limit(String),
    #[error("the engine has stopped")]
    Stopped,
}

/// Whether a stream can have this name: letters and digits of any script, and `- _ . ~ @ + : , = !`.
///
/// # Errors
/// In words.
pub fn check_stream_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a stream needs a name".into());
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(format!("a stream's name has {LONGEST_NAME} characters at most"));
    }
    let fits = |character: char| character.is_alphanumeric() || "-_.~@+:,=!".contains(character);
    if let Some(character) = name.chars().find(|character| !fits(*character)) {
        return Err(format!("{character:?} cannot be in a stream's name"));
    }
    if name.chars().all(|character| character == '.') {
        return Err("a stream's name is more than dots".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_stream_name;

    #[test]
    fn names_are_words_of_any_script_and_no_paths() {
        for good in ["a", "Kamera-1", "stream_1.hd", "größe", "配信", "a@b+c:d,e=f!", "..a", &"x".repeat(128)]
        {
            assert_eq!(check_stream_name(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "a\\b",
            "a b",
            "a%2fb",
            "a?b",
            "a#b",
            "a\n",
            "\u{202e}a",
            "a\0",
            "<a>",
            "\"",
            &"x".repeat(129),
        ] {
            assert!(check_stream_name(bad).is_err(), "{bad}");
        }
    }
}
