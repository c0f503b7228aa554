use std::fmt;

use super::fields::{Fields, Writer};
use super::{Algorithm, Kind, Qop};
use crate::message::{HeaderError, HeaderFault, Headers, SyntaxError};

/// A Digest challenge (WWW-Authenticate, Proxy-Authenticate).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    pub kind: Kind,
    pub realm: String,
    pub nonce: String,
    pub opaque: Option<String>,
    /// The nonce was too old; the credentials were right.
    pub stale: bool,
    /// `None` for one we do not know; MD5 where none is named.
    pub algorithm: Option<Algorithm>,
    /// The ones we know of those offered; `None` where the challenge offers none (RFC 2069).
    pub qop: Option<Vec<Qop>>,
}

impl Challenge {
    /// Whether we can answer it.
    pub fn is_usable(&self) -> bool {
        let has_qop = self.qop.as_ref().is_none_or(|offered| !offered.is_empty());
        let needs_qop = self.algorithm.is_some_and(Algorithm::is_session);
        self.algorithm.is_some() && has_qop && (self.qop.is_some() || !needs_qop)
    }

    /// The Digest challenges of one header value; other schemes are passed over.
    pub fn parse(kind: Kind, text: &str) -> Result<Vec<Challenge>, SyntaxError> {
        let mut challenges = Vec::new();
        for fields in Fields::parse(text)?.iter().filter(|fields| fields.is_digest()) {
            challenges.push(Challenge {
                kind,
                realm: fields.required("realm")?.to_owned(),
                nonce: fields.required("nonce")?.to_owned(),
                opaque: fields.get("opaque").map(str::to_owned),
                stale: fields.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
                algorithm: fields.get("algorithm").map_or(Some(Algorithm::Md5), Algorithm::parse),
                qop: fields
                    .get("qop")
                    .map(|offered| offered.split(',').map(str::trim).filter_map(Qop::parse).collect()),
            });
        }
        Ok(challenges)
    }
}

/// The strongest challenge that can be answered, the topmost of equals. RFC 8760 section 2.4 has the topmost one
/// chosen unless local policy says otherwise; ours is that strength decides.
pub fn choose(challenges: &[Challenge]) -> Option<&Challenge> {
    let usable = challenges.iter().filter(|challenge| challenge.is_usable());
    usable.rev().max_by_key(|challenge| challenge.algorithm.map(Algorithm::strength))
}

impl Headers {
    /// All Digest challenges in their order, those of the server before those of proxies. A challenge that cannot be
    /// read is an error only if no other can.
    pub fn challenges(&self) -> Result<Vec<Challenge>, HeaderError> {
        let mut found = Vec::new();
        let mut broken = None;
        for kind in [Kind::Server, Kind::Proxy] {
            let header = kind.challenge_header();
            for value in self.get_all(&header) {
                match Challenge::parse(kind, value) {
                    Ok(challenges) => found.extend(challenges),
                    Err(fault) => broken = Some((header.clone(), fault)),
                }
            }
        }
        match broken {
            Some((header, fault)) if found.is_empty() => {
                Err(HeaderError { header, fault: HeaderFault::Syntax(fault) })
            }
            _ => Ok(found),
        }
    }
}

impl fmt::Display for Challenge {
    /// The header value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = Writer::digest();
        writer.quoted("realm", &self.realm).quoted("nonce", &self.nonce);
        if let Some(opaque) = &self.opaque {
            writer.quoted("opaque", opaque);
        }
        if self.stale {
            writer.bare("stale", "true");
        }
        writer.bare("algorithm", self.algorithm.map_or("unknown", Algorithm::as_str));
        if let Some(offered) = &self.qop {
            let names: Vec<&str> = offered.iter().map(|qop| qop.as_str()).collect();
            writer.quoted("qop", &names.join(","));
        }
        f.write_str(&writer.finish())
    }
}
