//! The computation of RFC 7616 section 3.4, the same for both sides.

use super::{Algorithm, Password, Qop};

/// All that goes into a response, as texts without their quotes.
pub(super) struct Answer<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) username: &'a str,
    pub(super) realm: &'a str,
    pub(super) nonce: &'a str,
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
    pub(super) body: &'a [u8],
    /// `None` computes what RFC 2069 has.
    pub(super) protection: Option<Protection<'a>>,
    /// The cnonce that a session algorithm mixes into the secret: the first one sent with this nonce.
    pub(super) session_cnonce: &'a str,
}

#[derive(Clone, Copy)]
pub(super) struct Protection<'a> {
    pub(super) qop: Qop,
    pub(super) nc: u32,
    pub(super) cnonce: &'a str,
}

impl Answer<'_> {
    pub(super) fn compute(&self, password: &Password) -> String {
        let hash = |parts: &[&str]| {
            let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
            self.algorithm.hash(&parts)
        };
        let mut secret = hash(&[self.username, self.realm, password.reveal()]);
        if self.algorithm.is_session() {
            secret = hash(&[&secret, self.nonce, self.session_cnonce]);
        }
        let covers_body = self.protection.is_some_and(|protection| protection.qop == Qop::AuthInt);
        let request = if covers_body {
            hash(&[self.method, self.uri, &self.algorithm.hash(&[self.body])])
        } else {
            hash(&[self.method, self.uri])
        };
        match self.protection {
            Some(Protection { qop, nc, cnonce }) => {
                hash(&[&secret, self.nonce, &format!("{nc:08x}"), cnonce, qop.as_str(), &request])
            }
            None => hash(&[&secret, self.nonce, &request]),
        }
    }
}

#[cfg(test)]
mod tests;
