//! Digest authentication of RFC 2617, RFC 7616 and RFC 8760, both sides.
//!
//! A client keeps one [`Authorizer`] per account, a server one [`Authenticator`] per realm. Neither reads a clock or
//! draws a random number: time, cnonces and the key of the nonces come from outside.
//!
//! # Deliberate deviations
//!
//! - RFC 8760 section 2.4: of several challenges of a realm the strongest is answered, not the topmost; the topmost of
//!   equals. A user agent may have such a policy of its own.
//! - RFC 7616 section 3.4.4: `userhash` is neither offered nor used, and `username*` is not read. Names beyond ASCII
//!   travel as UTF-8 in `username`.
//! - RFC 7616 section 3.5: Authentication-Info (`nextnonce`, `rspauth`) is not used.
//! - RFC 7616 section 3.4: a client without `qop` is accepted with MD5 only, once per nonce; the session algorithms
//!   are not used without it.
//! - `auth` is preferred to `auth-int` where both are offered, since intermediaries may change bodies.
//! - RFC 3261 section 22.4 item 7: the `uri` is not compared with the Request-URI, which proxies change; the digest
//!   covers it, and nonce counts keep it from being replayed.

mod algorithm;
mod answer;
mod authenticator;
mod authorization;
mod authorizer;
mod challenge;
mod credentials;
mod fields;
mod nonce;

pub use algorithm::Algorithm;
pub use authenticator::{Authenticator, Verdict};
pub use authorization::Authorization;
pub use authorizer::{Authorizer, Refusal};
pub use challenge::{Challenge, choose};
pub use credentials::{Credentials, Password};

use crate::message::HeaderName;

/// Who asks: the user agent server (401) or a proxy (407).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Server,
    Proxy,
}

impl Kind {
    /// The status with which credentials are asked for.
    pub fn status(self) -> u16 {
        match self {
            Kind::Server => 401,
            Kind::Proxy => 407,
        }
    }

    /// The header that asks.
    pub fn challenge_header(self) -> HeaderName {
        match self {
            Kind::Server => HeaderName::WWW_AUTHENTICATE,
            Kind::Proxy => HeaderName::PROXY_AUTHENTICATE,
        }
    }

    /// The header that answers.
    pub fn authorization_header(self) -> HeaderName {
        match self {
            Kind::Server => HeaderName::AUTHORIZATION,
            Kind::Proxy => HeaderName::PROXY_AUTHORIZATION,
        }
    }
}

/// Quality of protection (RFC 7616 section 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Qop {
    Auth,
    /// Covers the body too.
    AuthInt,
}

impl Qop {
    pub fn parse(text: &str) -> Option<Qop> {
        [Qop::Auth, Qop::AuthInt].into_iter().find(|qop| qop.as_str().eq_ignore_ascii_case(text))
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Qop::Auth => "auth",
            Qop::AuthInt => "auth-int",
        }
    }
}
