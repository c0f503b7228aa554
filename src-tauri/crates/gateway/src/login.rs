//! One-time login tokens and the sessions that they open.

use crate::GatewayError;
use std::{
    collections::VecDeque,
    fmt::Write,
    time::{Duration, Instant},
};

/// How long a login link can be used.
pub(crate) const TOKEN_LIFE: Duration = Duration::from_secs(600);
/// More unused links than this: the oldest is forgotten.
const MAX_TOKENS: usize = 16;
/// More browsers than this: the oldest has to log in again.
const MAX_SESSIONS: usize = 32;

/// Knows which links are unused and which browsers are logged in. Nothing of it is kept over restarts.
#[derive(Default)]
pub(crate) struct Login {
    tokens: VecDeque<(String, Instant)>,
    sessions: VecDeque<String>,
}

impl Login {
    /// A fresh token of 256 random bits.
    pub(crate) fn issue(&mut self, now: Instant) -> Result<String, GatewayError> {
        self.tokens.retain(|(_, expires)| *expires > now);
        if self.tokens.len() >= MAX_TOKENS {
            self.tokens.pop_front();
        }
        let token = random_text()?;
        self.tokens.push_back((token.clone(), now + TOKEN_LIFE));
        Ok(token)
    }

    /// Burns the token and opens a session; `None` where the token is unknown, used or too old.
    pub(crate) fn redeem(&mut self, token: &str, now: Instant) -> Result<Option<String>, GatewayError> {
        let mut found = None;
        for (index, (known, expires)) in self.tokens.iter().enumerate() {
            // Every token is compared, so that the time tells nothing of which one came close.
            if same(known.as_bytes(), token.as_bytes()) && *expires > now {
                found = Some(index);
            }
        }
        let Some(index) = found else { return Ok(None) };
        let session = random_text()?;
        self.tokens.remove(index);
        if self.sessions.len() >= MAX_SESSIONS {
            self.sessions.pop_front();
        }
        self.sessions.push_back(session.clone());
        Ok(Some(session))
    }

    pub(crate) fn admits(&self, session: &str) -> bool {
        self.sessions.iter().fold(false, |found, known| found | same(known.as_bytes(), session.as_bytes()))
    }
}

/// 256 bits of the system's randomness as 64 hexadecimal digits.
pub(crate) fn random_text() -> Result<String, GatewayError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| GatewayError::Randomness(error.to_string()))?;
    Ok(bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Takes the same time wherever two texts of one length differ.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && std::hint::black_box(a.iter().zip(b).fold(0, |diff, (x, y)| diff | (x ^ y))) == 0
}

#[cfg(test)]
mod tests {
    use super::{Login, MAX_SESSIONS, MAX_TOKENS, TOKEN_LIFE};
    use std::time::{Duration, Instant};

    #[test]
    fn a_token_opens_one_session_and_is_then_worth_nothing() {
        let (mut login, now) = (Login::default(), Instant::now());
        let token = login.issue(now).unwrap();
        assert_eq!(token.len(), 64);
        let session = login.redeem(&token, now).unwrap().unwrap();
        assert!(login.admits(&session));
        assert_eq!(login.redeem(&token, now).unwrap(), None);
        assert!(!login.admits(&token) && !login.admits("") && !login.admits(&session[1..]));
    }

    #[test]
    fn a_token_expires_and_a_wrong_one_is_refused_without_burning_the_right_one() {
        let (mut login, now) = (Login::default(), Instant::now());
        let token = login.issue(now).unwrap();
        assert_eq!(login.redeem(&"0".repeat(64), now).unwrap(), None);
        assert_eq!(login.redeem("", now).unwrap(), None);
        assert!(login.redeem(&token, now + TOKEN_LIFE).unwrap().is_none());
        assert!(login.redeem(&token, now + TOKEN_LIFE - Duration::from_secs(1)).unwrap().is_some());
    }

    #[test]
    fn unused_tokens_and_sessions_are_bounded_and_the_oldest_goes_first() {
        let (mut login, now) = (Login::default(), Instant::now());
        let first = login.issue(now).unwrap();
        for _ in 0..MAX_TOKENS {
            login.issue(now).unwrap();
        }
        assert_eq!(login.redeem(&first, now).unwrap(), None);
        let sessions: Vec<_> = (0..=MAX_SESSIONS)
            .map(|_| {
                let token = login.issue(now).unwrap();
                login.redeem(&token, now).unwrap().unwrap()
            })
            .collect();
        assert!(!login.admits(&sessions[0]));
        assert!(sessions[1..].iter().all(|session| login.admits(session)));
    }
}
