use std::fmt;

use super::fields::{Fields, Writer};
use super::{Algorithm, Kind, Qop};
use crate::message::{HeaderError, HeaderFault, Headers, SyntaxError};

/// Digest credentials as a request carries them (Authorization, Proxy-Authorization).
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    pub kind: Kind,
    pub username: String,
    pub realm: String,
    pub nonce: String,
    pub uri: String,
    pub response: String,
    /// `None` for one we do not know; MD5 where none is named.
    pub algorithm: Option<Algorithm>,
    pub opaque: Option<String>,
    /// `None` where the client follows RFC 2069.
    pub qop: Option<Qop>,
    pub cnonce: Option<String>,
    pub nc: Option<u32>,
}

impl Authorization {
    /// Reads one header value; `None` for a scheme other than Digest.
    pub fn parse(kind: Kind, text: &str) -> Result<Option<Authorization>, SyntaxError> {
        let all = Fields::parse(text)?;
        let [fields] = all.as_slice() else {
            return Err(SyntaxError { field: "authentication", reason: "more than one set", offset: 0 });
        };
        if !fields.is_digest() {
            return Ok(None);
        }
        let qop = fields.get("qop").map(|text| {
            let reason = "neither auth nor auth-int";
            Qop::parse(text).ok_or(SyntaxError { field: "qop", reason, offset: 0 })
        });
        Ok(Some(Authorization {
            kind,
            username: fields.required("username")?.to_owned(),
            realm: fields.required("realm")?.to_owned(),
            nonce: fields.required("nonce")?.to_owned(),
            uri: fields.required("uri")?.to_owned(),
            response: fields.required("response")?.to_owned(),
            algorithm: fields.get("algorithm").map_or(Some(Algorithm::Md5), Algorithm::parse),
            opaque: fields.get("opaque").map(str::to_owned),
            qop: qop.transpose()?,
            cnonce: fields.get("cnonce").map(str::to_owned),
            nc: fields.get("nc").map(parse_nc).transpose()?,
        }))
    }
}

/// Eight hexadecimal digits.
fn parse_nc(text: &str) -> Result<u32, SyntaxError> {
    let fits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = if fits { u32::from_str_radix(text, 16).ok() } else { None };
    number.ok_or(SyntaxError { field: "nc", reason: "not eight hexadecimal digits", offset: 0 })
}

impl Headers {
    /// All Digest credentials in their order; an error if any cannot be read.
    pub fn authorizations(&self) -> Result<Vec<Authorization>, HeaderError> {
        let mut found = Vec::new();
        for kind in [Kind::Server, Kind::Proxy] {
            let header = kind.authorization_header();
            for value in self.get_all(&header) {
                let parsed = Authorization::parse(kind, value);
                let broken =
                    |fault| HeaderError { header: header.clone(), fault: HeaderFault::Syntax(fault) };
                found.extend(parsed.map_err(broken)?);
            }
        }
        Ok(found)
    }
}

impl fmt::Display for Authorization {
    /// The header value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = Writer::digest();
        writer.quoted("username", &self.username).quoted("realm", &self.realm).quoted("nonce", &self.nonce);
        writer.quoted("uri", &self.uri).quoted("response", &self.response);
        writer.bare("algorithm", self.algorithm.map_or("unknown", Algorithm::as_str));
        if let Some(cnonce) = &self.cnonce {
            writer.quoted("cnonce", cnonce);
        }
        if let Some(opaque) = &self.opaque {
            writer.quoted("opaque", opaque);
        }
        if let Some(qop) = self.qop {
            writer.bare("qop", qop.as_str());
        }
        if let Some(nc) = self.nc {
            writer.bare("nc", &format!("{nc:08x}"));
        }
        f.write_str(&writer.finish())
    }
}

impl fmt::Debug for Authorization {
    /// Without the response, from which a weak password could be guessed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("kind", &self.kind)
            .field("username", &self.username)
            .field("realm", &self.realm)
            .field("uri", &self.uri)
            .field("algorithm", &self.algorithm)
            .field("qop", &self.qop)
            .field("nc", &self.nc)
            .finish_non_exhaustive()
    }
}
