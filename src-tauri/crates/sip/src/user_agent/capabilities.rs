//! What we say that we can do: Allow, Supported, and the extensions that a peer may require.

use super::UserAgent;
use super::prack::{self, Reliable};

/// Option tags that a request may require (RFC 4028, RFC 3891, RFC 4488).
const EXTENSIONS: [&str; 3] = ["timer", "replaces", "norefersub"];

impl UserAgent {
    /// The value of Allow.
    pub(super) fn allow(&self) -> &'static str {
        match self.registrar {
            Some(_) => {
                "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, MESSAGE, REGISTER"
            }
            None => "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, MESSAGE",
        }
    }

    /// The value of Supported, but for INVITEs: reliable responses are for those that begin a call.
    pub(super) fn supported(&self) -> String {
        EXTENSIONS.join(", ")
    }

    pub(super) fn supported_by_invite(&self, prack: Reliable) -> String {
        match prack {
            Reliable::Off => self.supported(),
            Reliable::Supported | Reliable::Required => format!("{}, {}", prack::TAG, self.supported()),
        }
    }

    /// What a request may require of us.
    pub(super) fn extensions(&self) -> Vec<&'static str> {
        let reliable = (self.config.prack != Reliable::Off).then_some(prack::TAG);
        reliable.into_iter().chain(EXTENSIONS).collect()
    }
}
