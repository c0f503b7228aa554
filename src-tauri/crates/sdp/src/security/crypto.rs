use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::{SrtpKey, Suite};
use crate::error::{Fault, fault};
use crate::parse::number;

/// Padding is written and, as some phones leave it out, not asked for; nor are zeros in the last bits.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// `a=crypto` with one key that we can use (RFC 4568 section 9.1).
#[derive(Clone, PartialEq, Eq)]
pub struct CryptoLine {
    /// 1 to 9 digits; the answer repeats it.
    pub tag: u32,
    /// The suite as it was written; the answer repeats it.
    pub suite_name: String,
    pub key: SrtpKey,
}

impl CryptoLine {
    pub fn new(tag: u32, key: SrtpKey) -> Self {
        Self { tag, suite_name: key.suite().name().to_owned(), key }
    }

    /// Reads the value of an `a=crypto`. Several keys, a master key identifier and every session parameter that
    /// takes protection away or that we do not know are refused (RFC 4568 section 6.3.7: the line is then not
    /// usable); the lifetime is not enforced: both ends wrap before 2^48 packets have gone.
    pub(crate) fn parse(value: &str) -> Result<Self, Fault> {
        let mut words = value.split_ascii_whitespace();
        let (Some(tag), Some(suite_name), Some(keys)) = (words.next(), words.next(), words.next()) else {
            return fault("a=crypto", "is not a tag, a suite and a key");
        };
        let Some(tag) = number::<u32>(tag).filter(|_| tag.len() <= 9) else {
            return fault("a=crypto tag", "is not a number of at most 9 digits");
        };
        let Some(suite) = Suite::from_name(suite_name) else {
            return fault("a=crypto suite", "is not known");
        };
        let key = key(suite, keys)?;
        if let Some(parameter) = words.find(|word| !is_hint(word)) {
            return match parameter.to_ascii_uppercase().as_str() {
                "UNENCRYPTED_SRTP" | "UNENCRYPTED_SRTCP" | "UNAUTHENTICATED_SRTP" => {
                    fault("a=crypto session parameter", "takes the protection away")
                }
                _ => fault("a=crypto session parameter", "is not supported"),
            };
        }
        Ok(Self { tag, suite_name: suite_name.to_owned(), key })
    }
}

/// Parameters that change nothing: the window size of the replay check, no key derivation rate, and optional ones.
fn is_hint(parameter: &str) -> bool {
    let upper = parameter.to_ascii_uppercase();
    upper.starts_with("WSH=") || upper == "KDR=0" || upper.starts_with('-')
}

fn key(suite: Suite, parameters: &str) -> Result<SrtpKey, Fault> {
    if parameters.contains(';') {
        return fault("a=crypto key", "comes with others; one is supported");
    }
    let Some((method, info)) = parameters.split_once(':') else {
        return fault("a=crypto key", "has no method");
    };
    if !method.eq_ignore_ascii_case("inline") {
        return fault("a=crypto key method", "is not inline");
    }
    let mut parts = info.split('|');
    let text = parts.next().unwrap_or_default();
    for part in parts {
        match part.split_once(':') {
            Some(_) => return fault("a=crypto master key identifier", "is not supported"),
            None if is_lifetime(part) => {}
            None => return fault("a=crypto lifetime", "is not a number or a power of two"),
        }
    }
    let bytes = BASE64.decode(text).map(Zeroizing::new);
    match bytes.ok().and_then(|bytes| SrtpKey::new(suite, &bytes)) {
        Some(key) => Ok(key),
        None => fault("a=crypto key", "is not as many bytes in base64 as the suite's key and salt have"),
    }
}

fn is_lifetime(text: &str) -> bool {
    let digits = text.strip_prefix("2^").unwrap_or(text);
    !digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The value of the attribute, key included: for the description alone.
impl fmt::Display for CryptoLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = Zeroizing::new(BASE64.encode(self.key.bytes()));
        write!(f, "{} {} inline:{}", self.tag, self.suite_name, *key)
    }
}

impl fmt::Debug for CryptoLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CryptoLine({} {})", self.tag, self.suite_name)
    }
}
