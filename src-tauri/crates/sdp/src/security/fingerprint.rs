use std::fmt;

use crate::error::{Fault, fault};

/// A hash function of certificates that is still safe to rely on (RFC 8122 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashFunction {
    Sha256,
    Sha384,
    Sha512,
}

/// `a=fingerprint` (RFC 8122): the hash of the certificate that the DTLS handshake must show.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    pub hash: HashFunction,
    /// As many bytes as the hash has.
    pub bytes: Vec<u8>,
}

/// `a=setup` (RFC 4145): who begins the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    Active,
    Passive,
    ActPass,
    HoldConn,
}

impl HashFunction {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// Bytes of the hash.
    pub fn size(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|hash| hash.name().eq_ignore_ascii_case(name))
    }
}

impl Fingerprint {
    /// The value of `a=fingerprint`: the name of the hash and its bytes in hexadecimal with colons between.
    pub(crate) fn parse(value: &str) -> Result<Self, Fault> {
        let Some((name, digits)) = value.trim().split_once(' ') else {
            return fault("a=fingerprint", "is not a hash name and bytes");
        };
        let Some(hash) = HashFunction::from_name(name) else {
            return fault("a=fingerprint hash", "is not sha-256, sha-384 or sha-512");
        };
        let byte = |pair: &str| match pair.as_bytes() {
            [a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => u8::from_str_radix(pair, 16).ok(),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = digits.trim().split(':').take(65).map(byte).collect();
        match bytes {
            Some(bytes) if bytes.len() == hash.size() => Ok(Self { hash, bytes }),
            _ => fault("a=fingerprint bytes", "are not as many hexadecimal pairs as the hash has"),
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash.name())?;
        for (index, byte) in self.bytes.iter().enumerate() {
            write!(f, "{}{byte:02X}", if index == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

impl Setup {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
            Self::HoldConn => "holdconn",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Passive, Self::ActPass, Self::HoldConn]
            .into_iter()
            .find(|setup| setup.as_str().eq_ignore_ascii_case(name.trim()))
    }
}
