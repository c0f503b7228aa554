use serde::Deserialize;
use std::{fmt, hint::black_box};

/// What a secret is for that the settings need and do not have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "of", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum SecretUse {
    /// The password of a TURN server of the settings: its `url` and `user` there.
    IceServer { url: String, user: String },
    /// What WHIP and WHEP clients of the gateway have to show as bearer token.
    StreamToken,
    /// The password of HTTP Basic at the hooks' backend, or the key of their signature.
    Hooks,
}

/// A password on its way in. It can be read by [`Secret::expose`] alone: not printed, not serialised. Two are compared in a
/// time that tells nothing but their lengths.
#[derive(Clone, Eq, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), other.0.as_bytes());
        let differences =
            ours.iter().zip(theirs).fold(0, |all, (ours, theirs)| black_box(all | (ours ^ theirs)));
        ours.len() == theirs.len() && black_box(differences) == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_output_never_shows_the_text() {
        assert!(!format!("{:?}", Secret::new("hunter2")).contains("hunter2"));
    }

    #[test]
    fn secrets_are_equal_where_every_byte_is() {
        let secret = Secret::new("hunter2");
        assert_eq!(secret, Secret::new("hunter2"));
        for other in ["", "hunter", "hunter22", "hunter3", "Hunter2"] {
            assert_ne!(secret, Secret::new(other), "{other}");
        }
    }
}
