//! Passwords: in the platform's key store, or in memory where none answers.

use sidetone_api::Secret;
use std::collections::HashMap;

/// Keeps passwords by name.
pub trait SecretStore: Send {
    /// `None` where there is no such entry or the store does not answer.
    fn get(&self, name: &str) -> Option<Secret>;
    /// # Errors
    /// Why the store did not take it, in words.
    fn set(&mut self, name: &str, secret: &Secret) -> Result<(), String>;
    /// Nothing to remove is no error.
    ///
    /// # Errors
    /// Why the entry may still be there, in words.
    fn remove(&mut self, name: &str) -> Result<(), String>;
}

/// The platform's key store: Secret Service, Keychain, Credential Manager.
pub fn platform() -> Box<dyn SecretStore> {
    Box::new(Platform)
}

/// Forgets everything at exit.
pub fn memory() -> Box<dyn SecretStore> {
    Box::new(Memory::default())
}

const SERVICE: &str = "sidetone";

struct Platform;

impl SecretStore for Platform {
    fn get(&self, name: &str) -> Option<Secret> {
        let entry = keyring::v1::Entry::new(SERVICE, name).ok()?;
        entry.get_password().ok().map(Secret::new)
    }

    fn set(&mut self, name: &str, secret: &Secret) -> Result<(), String> {
        keyring::v1::Entry::new(SERVICE, name)
            .and_then(|entry| entry.set_password(secret.expose()))
            .map_err(|error| error.to_string())
    }

    fn remove(&mut self, name: &str) -> Result<(), String> {
        use keyring::v1::Error;
        match keyring::v1::Entry::new(SERVICE, name).and_then(|entry| entry.delete_credential()) {
            // A machine without a key store has kept nothing.
            Ok(()) | Err(Error::NoEntry | Error::NoDefaultStore) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[derive(Default)]
struct Memory(HashMap<String, Secret>);

impl SecretStore for Memory {
    fn get(&self, name: &str) -> Option<Secret> {
        self.0.get(name).cloned()
    }

    fn set(&mut self, name: &str, secret: &Secret) -> Result<(), String> {
        self.0.insert(name.to_owned(), secret.clone());
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), String> {
        self.0.remove(name);
        Ok(())
    }
}
