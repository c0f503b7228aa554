//! Who we are: from a file, from flags, or an extension of a gateway on this machine.

use crate::{
    arguments::Identity,
    exit::{Error, Exit},
};
use sidetone_api::{Account, AccountId, Secret, WcsServer};
use std::{env, fs, net::SocketAddr, path::Path};

/// The id of the one account of a run.
const ID: &str = "cli";
const PASSWORD_ENV: &str = "password-env";

/// An account and what it takes to log in.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) account: Account,
    pub(crate) password: Option<Secret>,
}

/// The account that the arguments name; `None`: the gateway of this machine is meant. `places` is true for `call`, which
/// registers only where it is told to.
///
/// # Errors
/// The file cannot be read, has an unknown key, or the password's variable is not set. The message names it.
pub(crate) fn given(identity: &Identity, places: bool) -> Result<Option<Credentials>, Error> {
    let wcs =
        identity.wcs.clone().map(|url| WcsServer { url, app_key: identity.app_key.clone(), custom: None });
    let mut credentials = match (&identity.account, &identity.aor) {
        (Some(file), _) => from_file(file)?,
        (None, None) if wcs.is_some() => Credentials {
            account: Account {
                name: wcs.as_ref().map(|wcs| wcs.url.clone()).unwrap_or_default(),
                trusted_ca: identity.trusted_ca.as_deref().map(trusted_ca).transpose()?,
                register: false,
                wcs,
                ..account(String::new())
            },
            password: secret_of(identity.password_env.as_deref(), "--password-env")?,
        },
        (None, Some(aor)) => Credentials {
            account: Account {
                user: identity.user.clone(),
                registrar: identity.registrar.clone(),
                outbound_proxy: identity.outbound_proxy.clone(),
                transport: identity.transport.map(Into::into),
                trusted_ca: identity.trusted_ca.as_deref().map(trusted_ca).transpose()?,
                websocket_url: identity.websocket_url.clone(),
                register: !places || identity.registrar.is_some(),
                wcs,
                ..account(aor.clone())
            },
            password: secret_of(identity.password_env.as_deref(), "--password-env")?,
        },
        (None, None) if identity.trusted_ca.is_some() => {
            return Err(Error::usage("--trusted-ca: it belongs to --aor or --wcs"));
        }
        (None, None) => return Ok(None),
    };
    credentials.account.register &= !identity.no_register;
    Ok(Some(credentials))
}

/// An extension of the gateway at `gateway`.
pub(crate) fn extension(identity: &Identity, name: &str, gateway: SocketAddr) -> Result<Credentials, Error> {
    let name = identity.user.as_deref().unwrap_or(name);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    if name.is_empty() || !name.chars().all(plain) {
        return Err(Error::usage(format!(
            "--user {name:?}: an extension has letters, digits and -_.+ alone"
        )));
    }
    let account = Account {
        transport: identity.transport.map(Into::into),
        register: !identity.no_register,
        ..account(format!("sip:{name}@{gateway}"))
    };
    Ok(Credentials { account, password: secret_of(identity.password_env.as_deref(), "--password-env")? })
}

/// More than any authority's certificates.
const LONGEST_CA: u64 = 1024 * 1024;

pub(crate) fn trusted_ca(file: &Path) -> Result<String, Error> {
    let wrong = |why: &dyn std::fmt::Display| Error::usage(format!("trusted-ca {}: {why}", file.display()));
    let size = fs::metadata(file).map_err(|error| wrong(&error))?.len();
    if size > LONGEST_CA {
        return Err(wrong(&"this is too large for a certificate"));
    }
    fs::read_to_string(file).map_err(|error| wrong(&error))
}

fn account(aor: String) -> Account {
    // It is connected by a command, which gives the password and brings the session's id.
    Account { enabled: false, ..Account::new(AccountId::new(ID), aor.clone(), aor) }
}

fn from_file(file: &Path) -> Result<Credentials, Error> {
    let wrong = |why: &dyn std::fmt::Display| Error::usage(format!("--account {}: {why}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| wrong(&error))?;
    let mut table: toml::Table = text.parse().map_err(|error: toml::de::Error| wrong(&error.message()))?;
    if table.contains_key("password") {
        return Err(wrong(&"password: a password is not kept in a file; write password-env = \"VARIABLE\""));
    }
    let variable = match table.remove(PASSWORD_ENV) {
        None => None,
        Some(toml::Value::String(variable)) => Some(variable),
        Some(_) => return Err(wrong(&"password-env: the name of an environment variable is expected")),
    };
    table.entry("id").or_insert_with(|| ID.into());
    let aor = table.get("aor").cloned();
    table.entry("name").or_insert_with(|| aor.unwrap_or_else(|| ID.into()));
    let account: Account = table.try_into().map_err(|error: toml::de::Error| wrong(&error.message()))?;
    let account = Account { enabled: false, ..account };
    Ok(Credentials { account, password: secret_of(variable.as_deref(), PASSWORD_ENV)? })
}

/// What the environment variable holds.
///
/// # Errors
/// It is not set; the message names `source`.
pub(crate) fn secret_of(variable: Option<&str>, source: &str) -> Result<Option<Secret>, Error> {
    let Some(variable) = variable else { return Ok(None) };
    match env::var(variable) {
        Ok(password) => Ok(Some(Secret::new(password))),
        Err(env::VarError::NotPresent) => {
            Err(Error::new(Exit::Usage, format!("{source}: the environment variable {variable} is not set")))
        }
        Err(env::VarError::NotUnicode(_)) => Err(Error::new(
            Exit::Usage,
            format!("{source}: the environment variable {variable} is not UTF-8"),
        )),
    }
}
