//! How the backend knows that it is us.

use super::Hook;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use sha2::Sha256;
use sidetone_api::{HookAuthentication, Secret};
use std::fmt::Write as _;

/// `Name: value` pairs.
pub(crate) type Headers = Vec<(&'static str, String)>;

/// The signature's text begins with this: another way of signing would have another one.
const VERSION: &str = "v1";

/// Who we are to the backend.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) authentication: HookAuthentication,
    pub(crate) user: String,
    pub(crate) secret: Option<Secret>,
}

/// What proves that `body` is ours. `key` is the hook's idempotency key, `at` seconds since 1970.
///
/// `X-Sidetone-Signature` is `v1=` and HMAC-SHA256 (RFC 2104) in hexadecimal over `at.hook.key.body`, keyed with the secret's bytes;
/// `at` is `X-Sidetone-Timestamp`. A backend refuses what is older than a few minutes, and keys that it has seen.
pub(crate) fn headers(identity: &Identity, hook: Hook, key: &str, at: u64, body: &[u8]) -> Headers {
    let secret = identity.secret.as_ref().map(Secret::expose).unwrap_or_default();
    match identity.authentication {
        HookAuthentication::None => Headers::new(),
        HookAuthentication::Basic => {
            let pair = format!("{}:{secret}", identity.user);
            vec![("authorization", format!("Basic {}", base64(pair.as_bytes())))]
        }
        HookAuthentication::Wcs => {
            let code = Hmac::<Md5>::new_from_slice(secret.as_bytes()).map(|mac| mac.chain_update(body));
            let code = code.map(|mac| hex(&mac.finalize().into_bytes())).unwrap_or_default();
            vec![("authorization", format!("WCS {code}"))]
        }
        HookAuthentication::Sha256 => {
            let head = format!("{at}.{hook}.{key}.");
            let code = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
            let code = code.map(|mac| mac.chain_update(head.as_bytes()).chain_update(body));
            let code = code.map(|mac| hex(&mac.finalize().into_bytes())).unwrap_or_default();
            vec![
                ("x-sidetone-timestamp", at.to_string()),
                ("x-sidetone-signature", format!("{VERSION}={code}")),
            ]
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
