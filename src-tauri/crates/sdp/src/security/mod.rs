//! What a media section says about its protection: profile, keys (RFC 4568), certificate (RFC 8122), role (RFC 4145).

mod crypto;
mod fingerprint;
mod key;
mod profile;
mod suite;

pub use crypto::CryptoLine;
pub use fingerprint::{Fingerprint, HashFunction, Setup};
pub use key::SrtpKey;
pub use profile::Profile;
pub use suite::Suite;
