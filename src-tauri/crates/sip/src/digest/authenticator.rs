use std::time::{Duration, Instant};

use subtle::ConstantTimeEq as _;

use super::answer::{Answer, Protection};
use super::nonce::Nonces;
use super::{Algorithm, Authorization, Challenge, Kind, Password, Qop};
use crate::message::{HeaderError, HeaderName, Request};

const LIFETIME: Duration = Duration::from_secs(300);

/// The server's side: issues challenges and checks what comes back.
#[derive(Debug)]
pub struct Authenticator {
    kind: Kind,
    realm: String,
    algorithms: Vec<Algorithm>,
    qop: Vec<Qop>,
    nonces: Nonces,
}

/// What the credentials of a request are worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Right. Whether that user may do what the request asks is the caller's to decide.
    Accepted { username: String },
    /// None for our realm with an algorithm we offered: challenge.
    Missing,
    /// Right, but the nonce is used up or too old: challenge with `stale`.
    Stale,
    /// Unknown user or wrong password: challenge again, or 403.
    Wrong { username: String },
    /// Cannot be read: 400.
    Malformed(HeaderError),
}

impl Authenticator {
    /// `algorithms` in the order of preference, in which they are offered (RFC 8760 section 2.3). `key` is secret
    /// random data that signs the nonces.
    pub fn new(
        kind: Kind,
        realm: impl Into<String>,
        algorithms: &[Algorithm],
        key: [u8; 32],
    ) -> Authenticator {
        let nonces = Nonces::new(key, LIFETIME);
        Authenticator {
            kind,
            realm: realm.into(),
            algorithms: algorithms.to_vec(),
            qop: vec![Qop::Auth],
            nonces,
        }
    }

    /// How long a nonce may be used; five minutes unless set.
    pub fn with_lifetime(mut self, lifetime: Duration) -> Authenticator {
        self.nonces.set_lifetime(lifetime);
        self
    }

    /// The qualities of protection to offer; `auth` alone unless set.
    pub fn with_qop(mut self, qop: &[Qop]) -> Authenticator {
        self.qop = qop.to_vec();
        self
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The header fields for a 401 or 407, one per algorithm.
    pub fn challenges(&mut self, now: Instant, stale: bool) -> Vec<(HeaderName, String)> {
        let nonce = self.nonces.issue(now);
        let challenge = |algorithm: &Algorithm| Challenge {
            kind: self.kind,
            realm: self.realm.clone(),
            nonce: nonce.clone(),
            opaque: None,
            stale,
            algorithm: Some(*algorithm),
            qop: Some(self.qop.clone()),
        };
        let header = self.kind.challenge_header();
        self.algorithms.iter().map(|algorithm| (header.clone(), challenge(algorithm).to_string())).collect()
    }

    /// Checks the credentials for our realm. `password_of` gives the password of a user name, which is that of the
    /// credentials and may differ from the user of the From.
    pub fn check(
        &mut self,
        now: Instant,
        request: &Request,
        password_of: impl FnOnce(&str) -> Option<Password>,
    ) -> Verdict {
        let authorizations = match request.headers.authorizations() {
            Ok(authorizations) => authorizations,
            Err(error) => return Verdict::Malformed(error),
        };
        let is_ours = |sent: &Authorization| sent.kind == self.kind && sent.realm == self.realm;
        let Some(sent) = authorizations.into_iter().find(is_ours) else { return Verdict::Missing };
        let Some(algorithm) = sent.algorithm.filter(|algorithm| self.algorithms.contains(algorithm)) else {
            return Verdict::Missing;
        };
        let protection = match self.protection(algorithm, &sent) {
            Ok(protection) => protection,
            Err(verdict) => return verdict,
        };
        let live = self.nonces.read(now, &sent.nonce);
        let cnonce = sent.cnonce.as_deref().unwrap_or("");
        let session_cnonce = live.and_then(|live| self.nonces.first_cnonce(live)).unwrap_or(cnonce);
        let answer = Answer {
            algorithm,
            username: &sent.username,
            realm: &self.realm,
            nonce: &sent.nonce,
            method: request.method.as_str(),
            uri: &sent.uri,
            body: &request.body,
            protection,
            session_cnonce,
        };
        let password = password_of(&sent.username);
        // An unknown user costs the same time as a known one.
        let expected = answer.compute(password.as_ref().unwrap_or(&Password::new("")));
        let given = sent.response.to_ascii_lowercase();
        let is_right: bool = expected.as_bytes().ct_eq(given.as_bytes()).into();
        if !is_right || password.is_none() {
            return Verdict::Wrong { username: sent.username };
        }
        let nc = sent.nc.unwrap_or(1);
        match live {
            Some(live) if self.nonces.spend(now, live, nc, cnonce) => {
                Verdict::Accepted { username: sent.username }
            }
            _ => Verdict::Stale,
        }
    }

    /// Without qop only MD5 is accepted (RFC 8760 section 2.6 has it required for the newer ones), and only once per
    /// nonce, since nothing counts.
    fn protection<'a>(
        &self,
        algorithm: Algorithm,
        sent: &'a Authorization,
    ) -> Result<Option<Protection<'a>>, Verdict> {
        match (sent.qop, sent.nc, sent.cnonce.as_deref()) {
            (Some(qop), Some(nc @ 1..), Some(cnonce)) if self.qop.contains(&qop) => {
                Ok(Some(Protection { qop, nc, cnonce }))
            }
            (None, _, _) if algorithm == Algorithm::Md5 => Ok(None),
            _ => Err(Verdict::Missing),
        }
    }
}
