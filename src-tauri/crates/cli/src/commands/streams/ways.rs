//! From the arguments to the engine's ICE servers, their password and the trusted CA.

use crate::{
    account::{secret_of, trusted_ca},
    arguments::Ways,
    client::Client,
    exit::Error,
};
use sidetone_api::{Command, IceServer, Secret, SecretUse, VideoSettings};

/// Of the TURN servers: what is told to the engine once it runs.
pub(super) struct Passwords(Vec<(SecretUse, Secret)>);

/// Puts them into the settings.
///
/// # Errors
/// A file that cannot be read, or a variable that is not set.
pub(super) fn apply(ways: &Ways, video: &mut VideoSettings) -> Result<Passwords, Error> {
    video.trusted_ca = ways.trusted_ca.as_deref().map(trusted_ca).transpose()?;
    video.relay_only = ways.relay_only;
    let password = secret_of(ways.turn_password_env.as_deref(), "--turn-password-env")?;
    let user = ways.turn_user.clone().unwrap_or_default();
    let mut passwords = Vec::new();
    for url in &ways.ice_server {
        let is_turn = url.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("turn"));
        let user = if is_turn { user.clone() } else { String::new() };
        if let Some(password) = password.clone().filter(|_| is_turn) {
            passwords.push((SecretUse::IceServer { url: url.clone(), user: user.clone() }, password));
        }
        video.ice_servers.push(IceServer { url: url.clone(), user, password_kept: false });
    }
    Ok(Passwords(passwords))
}

impl Passwords {
    /// # Errors
    /// The engine does not take one.
    pub(super) async fn tell(self, client: &Client) -> Result<(), Error> {
        for (of, secret) in self.0 {
            client.command(Command::SetSecret { of, secret: Some(secret), remember: false }).await?;
        }
        Ok(())
    }
}
