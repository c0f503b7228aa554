use thiserror::Error;

use super::answer::{Answer, Protection};
use super::{Authorization, Challenge, Credentials, Kind, Qop, choose};
use crate::message::{HeaderError, Headers, Request, Response};

/// Realms that one client keeps answers for; a hostile response could name any number.
const MAX_REALMS: usize = 8;
/// Stale nonces in a row that are believed.
const MAX_STALE: u8 = 3;

/// The client's side: remembers challenges and signs requests.
#[derive(Debug)]
pub struct Authorizer {
    credentials: Credentials,
    sessions: Vec<Session>,
}

#[derive(Debug)]
struct Session {
    challenge: Challenge,
    cnonce: String,
    /// Requests signed with this nonce.
    uses: u32,
    stale_in_row: u8,
}

/// Why a challenge is not answered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("the credentials were refused")]
    WrongCredentials,
    #[error("no challenge for the realm of the credentials")]
    OtherRealm,
    #[error("no challenge with a known algorithm and quality of protection")]
    NoUsableChallenge,
    #[error("every nonce is declared stale at once")]
    StaleForever,
    #[error("{0}")]
    Header(#[from] HeaderError),
}

impl Authorizer {
    pub fn new(credentials: Credentials) -> Authorizer {
        Authorizer { credentials, sessions: Vec::new() }
    }

    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Takes the challenges of a 401 or 407 to `sent`. `Ok`: sign and send the request again (with a higher CSeq).
    /// `cnonce` is fresh random text of the caller. Of several challenges of one realm the best is answered
    /// ([`choose`]); each realm is answered for itself (RFC 3261 section 22.3).
    pub fn handle_challenge(
        &mut self,
        sent: &Request,
        response: &Response,
        cnonce: &str,
    ) -> Result<(), Refusal> {
        let challenges = response.headers.challenges()?;
        let answered = sent.headers.authorizations().unwrap_or_default();
        let mut refusal = Refusal::NoUsableChallenge;
        let mut accepted = false;
        for (kind, realm) in realms(&challenges) {
            if self.credentials.realm.as_deref().is_some_and(|own| own != realm) {
                refusal = Refusal::OtherRealm;
                continue;
            }
            let offered: Vec<Challenge> =
                challenges.iter().filter(|c| c.kind == kind && c.realm == realm).cloned().collect();
            let Some(best) = choose(&offered) else { continue };
            let ours = answered.iter().find(|sent| sent.kind == kind && sent.realm == realm);
            let stale_in_row = self.judge(best, ours)?;
            let session =
                Session { challenge: best.clone(), cnonce: cnonce.to_owned(), uses: 0, stale_in_row };
            self.replace(session);
            accepted = true;
        }
        if accepted { Ok(()) } else { Err(refusal) }
    }

    /// Puts fresh credentials into `request` for every realm known so far, in place of any it has. Call it last: the
    /// method, the URI and (for auth-int) the body must be final.
    pub fn authorize(&mut self, request: &mut Request) {
        for kind in [Kind::Server, Kind::Proxy] {
            request.headers.remove(&kind.authorization_header());
        }
        let uri = request.uri.to_string();
        let method = request.method.to_string();
        for session in &mut self.sessions {
            let signed = session.sign(&self.credentials, &method, &uri, &request.body);
            if let Some(signed) = signed {
                request.headers.push(signed.kind.authorization_header(), signed);
            }
        }
    }

    /// Forgets all challenges.
    pub fn reset(&mut self) {
        self.sessions.clear();
    }

    /// Whether another attempt makes sense, and the stale nonces in a row up to it. A nonce that had been accepted
    /// before may have expired even if the server does not say so.
    fn judge(&self, challenge: &Challenge, answered: Option<&Authorization>) -> Result<u8, Refusal> {
        let Some(answered) = answered else { return Ok(0) };
        let same_realm = |session: &&Session| {
            session.challenge.kind == challenge.kind && session.challenge.realm == challenge.realm
        };
        let session = self.sessions.iter().find(same_realm);
        let Some(session) = session.filter(|session| session.challenge.nonce == answered.nonce) else {
            return Ok(0);
        };
        if session.uses > 1 && session.challenge.nonce != challenge.nonce {
            return Ok(0);
        }
        match session.stale_in_row {
            _ if !challenge.stale => Err(Refusal::WrongCredentials),
            MAX_STALE.. => Err(Refusal::StaleForever),
            count => Ok(count + 1),
        }
    }

    fn replace(&mut self, session: Session) {
        let (kind, realm) = (session.challenge.kind, &session.challenge.realm);
        self.sessions.retain(|old| old.challenge.kind != kind || old.challenge.realm != *realm);
        if self.sessions.len() == MAX_REALMS {
            self.sessions.remove(0);
        }
        self.sessions.push(session);
    }
}

impl Session {
    fn sign(
        &mut self,
        credentials: &Credentials,
        method: &str,
        uri: &str,
        body: &[u8],
    ) -> Option<Authorization> {
        let challenge = &self.challenge;
        let algorithm = challenge.algorithm?;
        let qop = match &challenge.qop {
            Some(offered) if offered.contains(&Qop::Auth) => Some(Qop::Auth),
            Some(offered) => Some(*offered.first()?),
            None => None,
        };
        self.uses = self.uses.checked_add(1)?;
        let protection = qop.map(|qop| Protection { qop, nc: self.uses, cnonce: &self.cnonce });
        let answer = Answer {
            algorithm,
            username: &credentials.username,
            realm: &challenge.realm,
            nonce: &challenge.nonce,
            method,
            uri,
            body,
            protection,
            session_cnonce: &self.cnonce,
        };
        Some(Authorization {
            kind: challenge.kind,
            username: credentials.username.clone(),
            realm: challenge.realm.clone(),
            nonce: challenge.nonce.clone(),
            uri: uri.to_owned(),
            response: answer.compute(&credentials.password),
            algorithm: Some(algorithm),
            opaque: challenge.opaque.clone(),
            qop,
            cnonce: qop.map(|_| self.cnonce.clone()),
            nc: qop.map(|_| self.uses),
        })
    }
}

/// Each kind and realm once, in order.
fn realms(challenges: &[Challenge]) -> Vec<(Kind, String)> {
    let mut realms: Vec<(Kind, String)> = Vec::new();
    for challenge in challenges {
        let is_new = !realms.iter().any(|(kind, realm)| *kind == challenge.kind && *realm == challenge.realm);
        if is_new && realms.len() < MAX_REALMS {
            realms.push((challenge.kind, challenge.realm.clone()));
        }
    }
    realms
}

impl Headers {
    /// Whether the response to this request is to be taken as an answer to its credentials.
    pub fn has_credentials(&self) -> bool {
        [Kind::Server, Kind::Proxy].into_iter().any(|kind| self.has(&kind.authorization_header()))
    }
}
