//! What we say that we can do: Allow, Supported, and the extensions that a peer may require.

use super::UserAgent;

/// Option tags that a request may require (RFC 4028, RFC 3891, RFC 4488).
const EXTENSIONS: [&str; 3] = ["timer", "replaces", "norefersub"];

impl UserAgent {
    /// The value of Allow.
    pub(super) fn allow(&self) -> &'static str {
        match self.registrar {
            Some(_) => "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, REFER, NOTIFY, MESSAGE, REGISTER",
            None => "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, REFER, NOTIFY, MESSAGE",
        }
    }

    /// The value of Supported.
    pub(super) fn supported(&self) -> String {
        self.extensions().join(", ")
    }

    pub(super) fn extensions(&self) -> Vec<&'static str> {
        EXTENSIONS.to_vec()
    }
}
