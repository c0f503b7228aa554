//! Secrets of the settings: passwords of TURN servers, and the token of the gateway's streams. They are kept as the
//! accounts' passwords are.

use super::{Errand, Owner, hooks::secret_name};
use sidetone_api::{Failure, NoticeLevel, Reply, Secret, SecretUse, Settings, VideoSettings};
use sidetone_peer::whip::{IceServer, Token};
use std::collections::HashMap;

const LONGEST: usize = 1024;
/// Of the gateway's token: it is shown to whoever asks, as often as he likes.
const SHORTEST_TOKEN: usize = 8;
const STREAM_TOKEN: &str = "gateway:streams";
const NO_ANSWER: &str = "it does not answer";

/// Secrets of this run by their names in the key store, whether that keeps them or not.
#[derive(Debug, Default)]
pub(super) struct Secrets(HashMap<String, Secret>);

impl Secrets {
    pub(super) fn all(&self) -> impl Iterator<Item = &Secret> {
        self.0.values()
    }
}

/// What the key store said of one.
#[derive(Debug)]
pub(super) enum Told {
    Known(String, Option<Secret>),
    Kept(String, Result<(), String>),
}

impl Owner {
    pub(super) fn set_secret(
        &mut self,
        of: &SecretUse,
        secret: Option<Secret>,
        remember: bool,
    ) -> Result<Reply, Failure> {
        let name = match of {
            SecretUse::IceServer { url, user } => {
                let name = ice_name(url, user).filter(|name| names(self.settings.get()).contains(name));
                name.ok_or_else(|| Failure::not_found("ICE server", &super::text::shown(url)))?
            }
            SecretUse::StreamToken => STREAM_TOKEN.to_owned(),
            SecretUse::Hooks => secret_name(&self.settings.get().hooks)
                .ok_or_else(|| Failure::invalid("hooks.url", "hooks.url: there is no backend"))?,
        };
        let Some(secret) = secret.filter(|secret| !secret.expose().is_empty()) else {
            if *of == SecretUse::StreamToken && self.settings.get().gateway.stream_token {
                let words = "secret: streams need the token; switch gateway.streamToken off first";
                return Err(Failure::invalid("secret", words));
            }
            self.forget_secrets([name.clone()]);
            self.set_kept(&name, false)?;
            self.apply_hooks();
            return Ok(Reply::Done);
        };
        check(of, &secret)?;
        self.secrets.0.insert(name.clone(), secret.clone());
        if *of == SecretUse::Hooks {
            self.on_hook_secret();
        }
        if !remember {
            // What is for one run alone leaves the key store as it is.
            if self.settings.are_kept() {
                self.forget_in_key_store([name.clone()]);
            }
            self.set_kept(&name, false)?;
            return Ok(Reply::Done);
        }
        let errands = self.errands.clone();
        let asked = self.keys.set(name.clone(), secret, {
            let name = name.clone();
            move |result| drop(errands.blocking_send(Errand::Secret(Told::Kept(name, result))))
        });
        if !asked {
            self.on_secret(Told::Kept(name, Err(NO_ANSWER.into())));
        }
        Ok(Reply::Done)
    }

    /// Asks the key store for what it keeps.
    pub(super) fn ask_for_secrets(&mut self) {
        let settings = self.settings.get();
        let servers = settings.video.ice_servers.iter().filter(|server| server.password_kept);
        let kept = servers.filter_map(|server| ice_name(&server.url, &server.user));
        let token = settings.gateway.stream_token.then(|| STREAM_TOKEN.to_owned());
        let hooks = secret_name(&settings.hooks)
            .filter(|name| settings.hooks.secret_kept && !self.secrets.0.contains_key(name));
        let awaited = hooks.is_some();
        let names = kept.chain(token).chain(hooks).collect::<Vec<_>>();
        if awaited {
            self.await_hook_secret();
        }
        for name in names {
            let errands = self.errands.clone();
            let asked = self.keys.get(name.clone(), {
                let name = name.clone();
                move |secret| drop(errands.blocking_send(Errand::Secret(Told::Known(name, secret))))
            });
            if !asked {
                self.on_secret(Told::Known(name, None));
            }
        }
    }

    pub(super) fn on_secret(&mut self, told: Told) {
        match told {
            // What was given meanwhile is newer.
            Told::Known(name, Some(secret)) => {
                self.secrets.0.entry(name.clone()).or_insert(secret);
                self.go_on_with_hooks(&name);
            }
            Told::Known(name, None) if self.secrets.0.contains_key(&name) => self.go_on_with_hooks(&name),
            Told::Known(name, None) => {
                let what = if name == STREAM_TOKEN {
                    "the key store did not give the token of the gateway's streams: nobody is let in"
                        .to_owned()
                } else if is_of_hooks(&name) {
                    "the key store did not give the secret of the hooks' backend: its events wait for it"
                        .to_owned()
                } else {
                    let server = name.trim_start_matches("ice:");
                    format!("the key store did not give the password of {server}: streams go on without it")
                };
                self.notice(NoticeLevel::Warning, &what, None);
                self.go_on_with_hooks(&name);
            }
            Told::Kept(name, result) => {
                let is_kept = result.is_ok();
                self.on_password_kept(result);
                if let Err(failure) = self.set_kept(&name, is_kept) {
                    self.notice(NoticeLevel::Error, &failure.message, None);
                }
            }
        }
    }

    /// Of this run, and in the key store.
    pub(super) fn forget_secrets(&mut self, names: impl IntoIterator<Item = String>) {
        let names: Vec<String> = names.into_iter().collect();
        for name in &names {
            self.secrets.0.remove(name);
        }
        if !names.is_empty() {
            self.forget_in_key_store(names);
        }
    }

    /// Of all that the settings, or this run, have.
    pub(super) fn forget_all_secrets(&mut self) {
        let mut all = names(self.settings.get());
        all.push(STREAM_TOKEN.to_owned());
        all.extend(self.secrets.0.keys().cloned());
        all.sort();
        all.dedup();
        self.forget_secrets(all);
    }

    pub(super) fn stream_token(&self) -> Option<&Secret> {
        self.secrets.0.get(STREAM_TOKEN)
    }

    /// The backend's, where it is known.
    pub(super) fn hook_secret(&self, hooks: &sidetone_api::HookSettings) -> Option<&Secret> {
        self.secrets.0.get(&secret_name(hooks)?)
    }

    /// That of this run.
    pub(super) fn give_hook_secret(&mut self, secret: Option<Secret>) {
        if let Some((name, secret)) = secret_name(&self.settings.get().hooks).zip(secret) {
            self.secrets.0.insert(name, secret);
            self.apply_hooks();
        }
    }

    fn go_on_with_hooks(&mut self, name: &str) {
        if is_of_hooks(name) {
            self.on_hook_secret();
        }
    }

    pub(super) fn ice_password(&self, url: &str, user: &str) -> Option<&Secret> {
        self.secrets.0.get(&ice_name(url, user)?)
    }

    /// What a client says of kept passwords is not believed. Gives the secrets of servers that have gone.
    pub(super) fn keep_passwords_of(&self, video: &mut VideoSettings) -> Vec<String> {
        let before = self.settings.get().video.ice_servers.clone();
        for server in &mut video.ice_servers {
            let name = ice_name(&server.url, &server.user);
            let same = |other: &&sidetone_api::IceServer| ice_name(&other.url, &other.user) == name;
            server.password_kept = before.iter().find(same).is_some_and(|other| other.password_kept);
        }
        let now: Vec<_> = video.ice_servers.iter().filter_map(|it| ice_name(&it.url, &it.user)).collect();
        let gone = before.iter().filter_map(|it| ice_name(&it.url, &it.user));
        gone.filter(|name| !now.contains(name)).collect()
    }

    fn set_kept(&mut self, name: &str, kept: bool) -> Result<(), Failure> {
        let mut settings = self.settings.get().clone();
        for server in &mut settings.video.ice_servers {
            if ice_name(&server.url, &server.user).as_deref() == Some(name) {
                server.password_kept = kept;
            }
        }
        if secret_name(&settings.hooks).as_deref() == Some(name) {
            settings.hooks.secret_kept = kept;
        }
        self.store(settings)
    }

    /// # Errors
    /// Names `gateway.streamToken` where it is switched on and there is none.
    pub(super) fn check_stream_token(&self, is_wanted: bool) -> Result<(), Failure> {
        let has_token = self.settings.get().gateway.stream_token || self.stream_token().is_some();
        if has_token || !is_wanted {
            return Ok(());
        }
        let words = "gateway.streamToken: there is no token yet; give one first (setSecret)";
        Err(Failure::invalid("gateway.streamToken", words))
    }
}

fn check(of: &SecretUse, secret: &Secret) -> Result<(), Failure> {
    if secret.expose().len() > LONGEST {
        return Err(Failure::invalid("secret", format!("secret: {LONGEST} bytes are the most")));
    }
    if *of == SecretUse::StreamToken {
        Token::new(secret.expose())
            .map_err(|error| Failure::invalid("secret", format!("secret: {error}")))?;
        if secret.expose().len() < SHORTEST_TOKEN {
            let words = format!("secret: a token of fewer than {SHORTEST_TOKEN} characters is guessed");
            return Err(Failure::invalid("secret", words));
        }
    }
    Ok(())
}

/// The entry of a TURN server's password in the key store: ports and transports that go without saying are said.
fn ice_name(url: &str, user: &str) -> Option<String> {
    let server = IceServer::parse(url)?;
    Some(format!("ice:{server} of {user}"))
}

fn is_of_hooks(name: &str) -> bool {
    name.starts_with("hooks:")
}

fn names(settings: &Settings) -> Vec<String> {
    let servers = settings.video.ice_servers.iter();
    let servers = servers.filter_map(|server| ice_name(&server.url, &server.user));
    servers.chain(secret_name(&settings.hooks)).collect()
}

#[cfg(test)]
mod tests {
    use super::{check, ice_name};
    use sidetone_api::{Secret, SecretUse};

    #[test]
    fn one_server_has_one_entry_however_it_is_written() {
        let name = ice_name("turn:relay.example", "mara");
        assert_eq!(name, ice_name("TURN:relay.example:3478?transport=udp", "mara"));
        assert_ne!(name, ice_name("turn:relay.example?transport=tcp", "mara"));
        assert_ne!(name, ice_name("turn:relay.example", "tom"));
        assert_eq!(ice_name("http://relay.example", "mara"), None);
    }

    #[test]
    fn a_token_that_cannot_be_sent_or_is_guessed_is_refused_without_being_told() {
        for bad in ["short", "with a space", "line\nbreak-line", &"x".repeat(2_000)] {
            let refused = check(&SecretUse::StreamToken, &Secret::new(bad)).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some("secret"));
            assert!(!refused.message.contains(bad));
        }
        assert_eq!(check(&SecretUse::StreamToken, &Secret::new("long-enough")), Ok(()));
    }
}
