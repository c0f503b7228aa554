//! The server's side of a PATCH (RFC 9725 section 4.3.1).

use super::{EntityTag, Fragment, IfMatch};

/// What a PATCH of a fragment is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// More candidates; answered with 204.
    Trickle,
    /// New credentials; answered with 200, ours, and a new tag.
    Restart,
}

/// Why it is not done; the status says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotMet {
    /// 428
    #[error("If-Match is needed: the session's ETag, or \"*\" to restart ICE")]
    Required,
    /// 412
    #[error("If-Match is not the session's ETag")]
    Failed,
    /// 400
    #[error("an ICE restart needs new a=ice-ufrag and a=ice-pwd")]
    NoCredentials,
}

/// What a session knows of its client's ICE.
#[derive(Debug, Clone, Copy)]
pub struct Condition<'a> {
    pub tag: &'a EntityTag,
    /// The client's `ice-ufrag` of now.
    pub ufrag: &'a str,
}

impl Wanted {
    /// Decides by the header and the credentials. A restart is what brings new credentials; `*` with those of now is a client's
    /// trickle that does not care about tags.
    ///
    /// # Errors
    /// [`NotMet`].
    pub fn of(if_match: Option<&IfMatch>, fragment: &Fragment, now: Condition<'_>) -> Result<Self, NotMet> {
        let if_match = if_match.ok_or(NotMet::Required)?;
        if !if_match.matches(now.tag) {
            return Err(NotMet::Failed);
        }
        let ufrag = fragment.credentials().map(|credentials| credentials.ufrag.as_str());
        match (if_match, ufrag) {
            (_, Some(ufrag)) if ufrag == now.ufrag => Ok(Self::Trickle),
            (_, Some(_)) => Ok(Self::Restart),
            (IfMatch::Tags(_), None) => Ok(Self::Trickle),
            (IfMatch::Any, None) => Err(NotMet::NoCredentials),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, NotMet, Wanted};
    use crate::whip::{EntityTag, Fragment, IfMatch};

    #[test]
    fn the_tag_and_the_credentials_tell_a_restart_from_a_trickle() {
        let tag = EntityTag::strong("7").unwrap();
        let now = Condition { tag: &tag, ufrag: "old0" };
        let with = |ufrag: &str| {
            Fragment::parse(&format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{}\r\n", "p".repeat(22))).unwrap()
        };
        let (same, new, none) = (with("old0"), with("new0"), Fragment::default());
        let decide = |header: &str, fragment| Wanted::of(IfMatch::parse(header).as_ref(), fragment, now);
        assert_eq!(decide("\"7\"", &same), Ok(Wanted::Trickle));
        assert_eq!(decide("\"7\"", &none), Ok(Wanted::Trickle));
        assert_eq!(decide("*", &new), Ok(Wanted::Restart));
        assert_eq!(decide("\"*\"", &new), Ok(Wanted::Restart));
        assert_eq!(decide("\"7\"", &new), Ok(Wanted::Restart));
        assert_eq!(decide("*", &same), Ok(Wanted::Trickle));
        assert_eq!(decide("*", &none), Err(NotMet::NoCredentials));
        assert_eq!(decide("\"6\"", &same), Err(NotMet::Failed));
        assert_eq!(decide("", &same), Err(NotMet::Required));
        assert_eq!(Wanted::of(None, &same, now), Err(NotMet::Required));
    }
}
