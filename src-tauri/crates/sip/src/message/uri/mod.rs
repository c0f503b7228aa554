//! SIP, SIPS and tel URIs; other schemes are kept as they are.

mod equivalence;
mod parse;

use std::fmt;
use std::str::FromStr;

use super::error::SyntaxError;
use super::lex;
use super::{Host, Params};

pub(crate) use parse::is_param_char;

/// A URI of RFC 3261 section 19.1, RFC 3966 or any other scheme.
///
/// `user`, `password`, `headers` and the parameters hold their text with its `%HH` escapes as it came; what a code
/// sets without escapes is escaped when written. [`Uri::user_text`] and [`Uri::set_user_text`] convert.
/// `PartialEq` compares component by component; the rules of RFC 3261 section 19.1.4 are [`Uri::is_equivalent`].
#[derive(Clone, PartialEq, Eq)]
pub struct Uri {
    pub scheme: Scheme,
    /// The user part; the number for a tel URI.
    pub user: Option<String>,
    pub password: Option<String>,
    /// An empty name for tel and other schemes.
    pub host: Host,
    pub port: Option<u16>,
    pub params: Params,
    pub headers: Vec<(String, String)>,
    /// All that follows the colon, for [`Scheme::Other`] only.
    pub opaque: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    Sip,
    Sips,
    Tel,
    /// In lower case.
    Other(String),
}

impl Uri {
    /// `sip:user@host:port`; the user is plain text and gets escaped.
    pub fn sip(user: Option<&str>, host: Host, port: Option<u16>) -> Uri {
        let mut uri = Uri::bare(Scheme::Sip);
        uri.host = host;
        uri.port = port;
        if let Some(user) = user {
            uri.set_user_text(user);
        }
        uri
    }

    /// Reads a URI that fills all of `text`.
    pub fn parse(text: &str) -> Result<Uri, SyntaxError> {
        parse::parse(text)
    }

    /// The user part with its escapes resolved.
    pub fn user_text(&self) -> Option<String> {
        self.user.as_deref().map(lex::unescape)
    }

    /// Sets the user part from plain text, in which a percent sign is just a percent sign.
    pub fn set_user_text(&mut self, text: &str) {
        self.user = Some(text.replace('%', "%25"));
    }

    /// sip or sips.
    pub fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    pub fn is_loose_route(&self) -> bool {
        self.params.has("lr")
    }

    /// The `transport` parameter.
    pub fn transport(&self) -> Option<&str> {
        self.params.get("transport")
    }

    /// Whether both name the same resource (RFC 3261 section 19.1.4; RFC 3966 section 4 for tel).
    pub fn is_equivalent(&self, other: &Uri) -> bool {
        equivalence::is_equivalent(self, other)
    }

    pub(crate) fn bare(scheme: Scheme) -> Uri {
        Uri {
            scheme,
            user: None,
            password: None,
            host: Host::Name(String::new()),
            port: None,
            params: Params::new(),
            headers: Vec::new(),
            opaque: String::new(),
        }
    }

    fn write(&self, out: &mut impl fmt::Write, password: Option<&str>) -> fmt::Result {
        write!(out, "{}:", self.scheme)?;
        match self.scheme {
            Scheme::Other(_) => {
                if self.opaque.is_empty() {
                    return out.write_str("-");
                }
                return lex::write_escaped(out, &self.opaque, parse::is_opaque_char);
            }
            Scheme::Tel => {
                let number = self.user.as_deref().unwrap_or("");
                let kept: String = number.chars().filter(|c| parse::is_number_char(*c)).collect();
                out.write_str(if parse::is_number(&kept) { &kept } else { "0" })?;
                return self.params.write_uri(out);
            }
            Scheme::Sip | Scheme::Sips => {}
        }
        if let Some(user) = self.user.as_deref().filter(|user| !user.is_empty()) {
            lex::write_escaped(out, user, parse::is_user_char)?;
            if let Some(password) = password {
                out.write_char(':')?;
                lex::write_escaped(out, password, parse::is_password_char)?;
            }
            out.write_char('@')?;
        }
        write!(out, "{}", self.host)?;
        if let Some(port) = self.port {
            write!(out, ":{port}")?;
        }
        self.params.write_uri(out)?;
        let named = self.headers.iter().filter(|(name, _)| !name.is_empty());
        for (index, (name, value)) in named.enumerate() {
            out.write_char(if index == 0 { '?' } else { '&' })?;
            lex::write_escaped(out, name, parse::is_header_char)?;
            out.write_char('=')?;
            lex::write_escaped(out, value, parse::is_header_char)?;
        }
        Ok(())
    }
}

impl FromStr for Uri {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uri::parse(text)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, self.password.as_deref())
    }
}

impl fmt::Debug for Uri {
    /// The password is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, self.password.as_ref().map(|_| "***"))
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scheme::Sip => f.write_str("sip"),
            Scheme::Sips => f.write_str("sips"),
            Scheme::Tel => f.write_str("tel"),
            Scheme::Other(name) if parse::is_scheme(name) => f.write_str(name),
            Scheme::Other(_) => f.write_str("unknown"),
        }
    }
}
