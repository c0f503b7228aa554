//! The backend of a run.

use crate::{account::secret_of, arguments::Hooks, exit::Error};
use sidetone_api::{HookSettings, Secret};

/// Puts the backend of the arguments, if any, into `settings`, and gives its secret.
///
/// # Errors
/// The variable of the secret is not set; the message names it.
pub(crate) fn apply(hooks: &Hooks, settings: &mut HookSettings) -> Result<Option<Secret>, Error> {
    let Some(url) = &hooks.url else { return Ok(None) };
    let (authentication, user) = hooks.authentication.clone().unwrap_or_default();
    settings.url.clone_from(url);
    (settings.authentication, settings.user, settings.secret_kept) = (authentication, user, false);
    secret_of(hooks.secret_env.as_deref(), "--hooks-secret-env")
}
