//! Links that let guests in. Only a digest of each is kept: who reads our memory cannot come in by it.

use sha2::{Digest as _, Sha256};
use sidetone_api::ParticipantId;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use subtle::ConstantTimeEq as _;

/// Of all rooms; past it the oldest goes.
const MOST: usize = 1_000;
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long one whose connection broke finds back by an invite for one.
const WAY_BACK: Duration = Duration::from_secs(5 * 60);
const UNKNOWN: &str = "this invite is not good any more: ask for another one";
const TAKEN: &str = "somebody has come by this invite already";

type Key = [u8; 32];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invite {
    pub(crate) room: String,
    /// Who comes by it is named so.
    pub(crate) login: Option<String>,
    /// Comes in without waiting in the lobby.
    pub(crate) admitted: bool,
    /// For one guest.
    pub(crate) once: bool,
}

#[derive(Debug)]
struct Given {
    key: Key,
    invite: Invite,
    since: Instant,
    /// Who are in by it, or wait.
    here: u32,
    left: Option<Instant>,
}

#[derive(Debug, Default)]
pub(crate) struct Invites {
    given: Vec<Given>,
    came: HashMap<ParticipantId, Key>,
}

impl Invites {
    pub(crate) fn give(&mut self, now: Instant, token: &str, invite: Invite) {
        self.given.retain(|given| now.saturating_duration_since(given.since) < LIFE);
        if self.given.len() >= MOST {
            self.given.remove(0);
        }
        self.given.push(Given { key: key(token), invite, since: now, here: 0, left: None });
    }

    /// # Errors
    /// Why nobody comes in by it, for who wants to.
    pub(crate) fn find(&self, now: Instant, token: &str) -> Result<&Invite, &'static str> {
        let key = key(token);
        // All are compared: the time tells nothing of which one came close.
        let mut found = None;
        for given in &self.given {
            if bool::from(given.key.ct_eq(&key)) {
                found = Some(given);
            }
        }
        let given = found.ok_or(UNKNOWN)?;
        if now.saturating_duration_since(given.since) >= LIFE {
            return Err(UNKNOWN);
        }
        if given.invite.once && given.here > 0 {
            return Err(TAKEN);
        }
        let is_late = |left: Instant| now.saturating_duration_since(left) >= WAY_BACK;
        if given.invite.once && given.left.is_some_and(is_late) {
            return Err(TAKEN);
        }
        Ok(&given.invite)
    }

    /// Somebody has come by it.
    pub(crate) fn take(&mut self, token: &str, who: &ParticipantId) {
        let key = key(token);
        if let Some(given) = self.of(&key) {
            given.here += 1;
            self.came.insert(who.clone(), key);
        }
    }

    /// One who came by an invite, if it did so, is not here any more.
    pub(crate) fn left(&mut self, now: Instant, who: &ParticipantId) {
        let Some(key) = self.came.remove(who) else { return };
        if let Some(given) = self.of(&key) {
            given.here = given.here.saturating_sub(1);
            given.left = Some(now);
        }
    }

    /// One was sent out: nobody comes by its invite any more.
    pub(crate) fn kill(&mut self, who: &ParticipantId) {
        if let Some(key) = self.came.remove(who) {
            self.given.retain(|given| given.key != key);
        }
    }

    /// Those of a room are good no more.
    pub(crate) fn revoke(&mut self, room: &str) {
        self.given.retain(|given| given.invite.room != room);
    }

    fn of(&mut self, key: &Key) -> Option<&mut Given> {
        self.given.iter_mut().find(|given| given.key == *key)
    }
}

fn key(token: &str) -> Key {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::{Invite, Invites, LIFE, MOST, WAY_BACK};
    use sidetone_api::ParticipantId;
    use std::time::Instant;

    fn invite(once: bool) -> Invite {
        Invite { room: "r".into(), login: None, admitted: false, once }
    }

    #[test]
    fn an_invite_for_many_is_good_until_it_is_old_revoked_or_the_way_of_one_who_was_sent_out() {
        let (now, mut invites) = (Instant::now(), Invites::default());
        invites.give(now, "a", invite(false));
        let (one, other) = (ParticipantId::new("1"), ParticipantId::new("2"));
        invites.take("a", &one);
        invites.take("a", &other);
        assert!(invites.find(now, "a").is_ok());
        assert!(invites.find(now, "b").is_err() && invites.find(now, "").is_err());
        assert!(invites.find(now + LIFE, "a").is_err());
        invites.kill(&one);
        assert!(invites.find(now, "a").is_err());
        invites.give(now, "c", invite(false));
        invites.revoke("other");
        assert!(invites.find(now, "c").is_ok());
        invites.revoke("r");
        assert!(invites.find(now, "c").is_err());
    }

    #[test]
    fn an_invite_for_one_is_one_guests_who_finds_back_for_a_while() {
        let (now, mut invites) = (Instant::now(), Invites::default());
        invites.give(now, "a", invite(true));
        let who = ParticipantId::new("1");
        invites.take("a", &who);
        assert!(invites.find(now, "a").unwrap_err().contains("already"));
        invites.left(now, &who);
        assert!(invites.find(now, "a").is_ok());
        assert!(invites.find(now + WAY_BACK, "a").is_err());
    }

    #[test]
    fn there_are_no_more_than_can_be_kept() {
        let (now, mut invites) = (Instant::now(), Invites::default());
        for number in 0..=MOST {
            invites.give(now, &number.to_string(), invite(false));
        }
        assert!(invites.find(now, "0").is_err() && invites.find(now, "1").is_ok());
    }
}
