//! The attributes of protection and ICE, from the media section or, where they may stand there, from the session.

use crate::description::{Media, SessionDescription};
use crate::ice::{Candidate, IceCredentials};
use crate::security::{CryptoLine, Fingerprint, Setup};

/// More candidates than this are not read.
const CANDIDATES: usize = 64;
/// More `a=crypto` or `a=fingerprint` lines than this are not read.
const LINES: usize = 32;

impl SessionDescription {
    /// The fingerprints that we can check, media section first; empty where there are none.
    pub fn fingerprints_of(&self, media: &Media) -> Vec<Fingerprint> {
        let mut found: Vec<_> = read(media.values("fingerprint"), Fingerprint::parse);
        if found.is_empty() && media.attribute("fingerprint").is_none() {
            found = read(self.all("fingerprint"), Fingerprint::parse);
        }
        found
    }

    /// Whether there is a fingerprint at all, readable or not.
    pub fn has_fingerprint(&self, media: &Media) -> bool {
        self.either(media, "fingerprint").is_some()
    }

    /// None where there is no `a=setup`, or one that is no word of RFC 4145.
    pub fn setup_of(&self, media: &Media) -> Option<Setup> {
        self.either(media, "setup").and_then(Setup::from_name)
    }

    /// The credentials of ICE; None where a part is missing or illegal, and ICE is then not done.
    pub fn ice_credentials_of(&self, media: &Media) -> Option<IceCredentials> {
        IceCredentials::new(self.either(media, "ice-ufrag")?, self.either(media, "ice-pwd")?)
    }

    /// The peer answers checks and makes none (RFC 8445 section 2.5).
    pub fn is_ice_lite(&self) -> bool {
        self.attributes.iter().any(|attribute| attribute.name.eq_ignore_ascii_case("ice-lite"))
    }

    /// The group that a `mid` is bundled in (RFC 9143).
    pub fn is_bundled(&self, mid: &str) -> bool {
        self.all("group").any(|group| {
            let mut words = group.split_ascii_whitespace();
            words.next().is_some_and(|kind| kind.eq_ignore_ascii_case("BUNDLE"))
                && words.any(|word| word == mid)
        })
    }

    fn either<'a>(&'a self, media: &'a Media, name: &'a str) -> Option<&'a str> {
        media.value(name).or_else(|| self.all(name).next())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.attributes.iter().filter(move |attribute| attribute.name.eq_ignore_ascii_case(name));
        named.filter_map(|attribute| attribute.value.as_deref())
    }
}

impl Media {
    /// The `a=crypto` lines that we can use, in their order.
    pub fn crypto(&self) -> Vec<CryptoLine> {
        read(self.values("crypto"), CryptoLine::parse)
    }

    /// The suites of all `a=crypto` lines, usable or not.
    pub fn crypto_suites(&self) -> Vec<&str> {
        self.values("crypto").take(LINES).filter_map(|value| value.split_ascii_whitespace().nth(1)).collect()
    }

    /// The candidates over UDP that are addresses.
    pub fn candidates(&self) -> Vec<Candidate> {
        self.values("candidate").take(CANDIDATES).filter_map(Candidate::parse).collect()
    }

    pub fn mid(&self) -> Option<&str> {
        self.value("mid").map(str::trim).filter(|mid| !mid.is_empty())
    }
}

fn read<'a, T, E>(values: impl Iterator<Item = &'a str>, parse: impl Fn(&str) -> Result<T, E>) -> Vec<T> {
    values.take(LINES).filter_map(|value| parse(value).ok()).collect()
}
