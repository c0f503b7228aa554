use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A password. It is never shown by `Debug`, its memory is cleared when dropped, and comparison takes a time that
/// does not depend on where two passwords differ.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    pub fn new(text: impl Into<String>) -> Password {
        Password(Zeroizing::new(text.into()))
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Password::new(text)
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Password::new(text)
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a client authenticates with. The user name need not be that of its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub username: String,
    pub password: Password,
    /// The only realm they are for; any realm where `None`.
    pub realm: Option<String>,
}

impl Credentials {
    pub fn new(username: impl Into<String>, password: impl Into<Password>) -> Credentials {
        Credentials { username: username.into(), password: password.into(), realm: None }
    }

    pub fn for_realm(self, realm: impl Into<String>) -> Credentials {
        Credentials { realm: Some(realm.into()), ..self }
    }
}
