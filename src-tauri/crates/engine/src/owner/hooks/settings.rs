//! The settings of hooks, their secret, and the test that shows what the backend says.

use super::{
    super::{Owner, kept::Answer, text},
    door::{Door, to_json},
};
use crate::{
    hooks::{Answer as OfBackend, Config, Fields, Hook, Identity, check_fields, named},
    io::{
        clock,
        http::{Backend, Exchanged, Post, read_url},
        tls,
    },
};
use serde_json::Value;
use sidetone_api::{ConnectionStatus, Failure, HookAuthentication, HookExchange, HookSettings, Reply};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use url::Url;

const LONGEST_URL: usize = 2048;
const LONGEST_TEXT: usize = 256;
const MOST_HOOKS: usize = 64;
const SHOWN_BODY: usize = 4096;
/// Of the backend's headers, all that is shown.
const SHOWN_HEADERS: usize = 64;
const TIMEOUTS: std::ops::RangeInclusive<u32> = 100..=15_000;
const LONGEST_KEEP_ALIVE: u32 = 3_600;

/// # Errors
/// Names the key that is wrong.
pub(in super::super) fn check(hooks: &HookSettings) -> Result<(), Failure> {
    let invalid = |key: &str, words: String| {
        Err(Failure::invalid(format!("hooks.{key}"), format!("hooks.{key}: {words}")))
    };
    if hooks.url.len() > LONGEST_URL {
        return invalid("url", format!("{LONGEST_URL} bytes are the most"));
    }
    if let Some(Err(words)) = url(hooks) {
        return invalid("url", words);
    }
    for (key, text) in [("appKey", &hooks.app_key), ("user", &hooks.user)] {
        if text.len() > LONGEST_TEXT || text.chars().any(char::is_control) {
            return invalid(key, format!("one line of at most {LONGEST_TEXT} bytes is expected"));
        }
    }
    if hooks.user.contains(':') {
        return invalid("user", "a user name of HTTP Basic has no colon".into());
    }
    if hooks.authentication == HookAuthentication::Basic && hooks.user.is_empty() {
        return invalid("user", "HTTP Basic needs a user name".into());
    }
    if !TIMEOUTS.contains(&hooks.timeout_ms) {
        return invalid("timeoutMs", format!("{} to {} are possible", TIMEOUTS.start(), TIMEOUTS.end()));
    }
    if hooks.keep_alive_seconds > LONGEST_KEEP_ALIVE {
        return invalid("keepAliveSeconds", format!("{LONGEST_KEEP_ALIVE} are the most"));
    }
    if hooks.methods.len() > MOST_HOOKS || hooks.policies.len() > MOST_HOOKS {
        return invalid("methods", format!("{MOST_HOOKS} names are the most"));
    }
    for (place, name) in hooks.methods.iter().enumerate() {
        named(&format!("hooks.methods[{place}]"), name)?;
    }
    for (name, policy) in &hooks.policies {
        named("hooks.policies", name)?;
        check_fields(&format!("hooks.policies.{name}"), policy)?;
    }
    if let Some(pem) = trusted_ca(hooks) {
        tls::check_ca(pem).map(|_| ()).or_else(|words| invalid("trustedCa", words.to_string()))?;
    }
    Ok(())
}

/// `None`: there is no backend.
fn url(hooks: &HookSettings) -> Option<Result<Url, String>> {
    Some(hooks.url.trim()).filter(|url| !url.is_empty()).map(read_url)
}

fn trusted_ca(hooks: &HookSettings) -> Option<&str> {
    hooks.trusted_ca.as_deref().filter(|pem| !pem.trim().is_empty())
}

/// The entry of the backend's secret in the key store. Another place has another secret.
pub(in super::super) fn secret_name(hooks: &HookSettings) -> Option<String> {
    let url = url(hooks)?.ok()?;
    Some(format!("hooks:{}", url.origin().ascii_serialization()))
}

impl Owner {
    /// Puts new settings of hooks into `settings`. What a client says of a kept secret is not believed. Gives the name of a secret
    /// that nobody needs any more.
    ///
    /// # Errors
    /// Names the key that is wrong.
    pub(in super::super) fn take_hooks(
        &self,
        mut hooks: HookSettings,
        settings: &mut sidetone_api::Settings,
    ) -> Result<Option<String>, Failure> {
        check(&hooks)?;
        let (before, after) = (secret_name(&settings.hooks), secret_name(&hooks));
        hooks.secret_kept = settings.hooks.secret_kept && before == after;
        settings.hooks = hooks;
        Ok(before.filter(|before| after.as_ref() != Some(before)))
    }

    /// At the beginning, and when the settings, or the secret, are others now.
    pub(in super::super) fn apply_hooks(&mut self) {
        let settings = self.settings.get().hooks.clone();
        let now = Instant::now();
        let limit = Duration::from_millis(settings.timeout_ms.into());
        let door = url(&settings).and_then(Result::ok).map(|url| self.door_to(&settings, url));
        let place = |door: &Option<Door>| door.as_ref().map(|door| door.backend.url(Hook::Connect));
        let same = place(&self.hooks.door) == place(&door);
        self.hooks.keep_alive = match door.as_ref().and_then(|door| door.keep_alive) {
            Some(every) => {
                Some(self.hooks.keep_alive.filter(|due| *due < now + every).unwrap_or(now + every))
            }
            None => None,
        };
        self.hooks.door = door;
        self.hooks.gates.set(limit, Config::of(&settings), same);
        self.hold_hooks(now);
        self.hooks.outbox.try_now(now);
    }

    /// What proves that it is us may come: nobody is asked before, and no event goes out without it.
    fn hold_hooks(&mut self, now: Instant) {
        let identity = self.hooks.door.as_ref().map(|door| &door.identity);
        let lacks =
            identity.is_some_and(|it| it.authentication != HookAuthentication::None && it.secret.is_none());
        self.hooks.gates.hold(now, lacks && self.hooks.waits_for_secret);
        self.hooks.outbox.hold(now, lacks);
    }

    fn door_to(&self, settings: &HookSettings, url: Url) -> Door {
        let methods = settings.methods.iter().filter_map(|name| named("", name).ok()).collect();
        let every = Duration::from_secs(settings.keep_alive_seconds.into());
        Door {
            backend: Arc::new(Backend::new(url, trusted_ca(settings))),
            app_key: settings.app_key.clone(),
            identity: Identity {
                authentication: settings.authentication,
                user: settings.user.clone(),
                secret: self.hook_secret(settings).cloned(),
            },
            methods: (!settings.methods.is_empty()).then_some(methods),
            keep_alive: (!every.is_zero()).then_some(every),
        }
    }

    /// The key store is asked, which may ask the user in turn, or never answer.
    pub(in super::super) fn await_hook_secret(&mut self) {
        self.hooks.waits_for_secret = true;
        self.hold_hooks(Instant::now());
    }

    /// It has answered, or the secret was given meanwhile.
    pub(in super::super) fn on_hook_secret(&mut self) {
        self.hooks.waits_for_secret = false;
        self.apply_hooks();
    }

    /// Answered when the backend has, within its time.
    pub(in super::super) fn test_hook(&mut self, settings: &HookSettings, answer: Answer) {
        let checked = check(settings).and_then(|()| {
            let none = || Failure::invalid("hooks.url", "hooks.url: there is no address to send a test to");
            url(settings).and_then(Result::ok).ok_or_else(none)
        });
        let url = match checked {
            Ok(url) => url,
            Err(failure) => return drop(answer.send(Err(failure))),
        };
        let door = self.door_to(settings, url);
        let hook = Hook::ConnectionStatusEvent;
        let mut fields = self.whole("test", Fields::new());
        for (field, text) in [
            ("appKey", settings.app_key.as_str()),
            ("status", ConnectionStatus::Established.as_str()),
            ("info", "This is a test"),
        ] {
            fields.insert(field.into(), Value::String(text.into()));
        }
        let key = super::super::view::new_id("t").unwrap_or_default();
        let post = door.prepare(hook, key, to_json(&fields));
        let limit = Duration::from_millis(settings.timeout_ms.into());
        let url = door.backend.url(hook).to_string();
        tokio::spawn(async move {
            let began = clock::wallclock_ms();
            let sent = post.clone();
            let exchanged = door.backend.post(post, limit).await;
            let millis = clock::wallclock_ms().saturating_sub(began);
            let exchange = shown(url, &sent, exchanged, millis);
            let _ = answer.send(Ok(Reply::HookTested { exchange }));
        });
    }
}

fn shown(url: String, sent: &Post, exchanged: Exchanged, millis: u64) -> HookExchange {
    let Exchanged { outcome, headers } = exchanged;
    let info = crate::hooks::in_words(&outcome).unwrap_or_else(|| "the backend took it".into());
    let answer = outcome.ok();
    let header = |(name, value): &(&'static str, String)| match *name {
        "authorization" => format!("{name}: {} …", value.split(' ').next().unwrap_or_default()),
        _ => format!("{name}: {value}"),
    };
    let answer_headers = headers
        .iter()
        .take(SHOWN_HEADERS)
        .map(|(name, value)| text::shown(&format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))));
    HookExchange {
        url,
        request_headers: sent.headers.iter().map(header).collect(),
        request_body: String::from_utf8_lossy(&sent.body).into_owned(),
        status: answer.as_ref().map(|answer| answer.status),
        answer_headers: answer_headers.collect(),
        answer_body: answer.as_ref().map(body).unwrap_or_default(),
        info: text::shown(&info),
        millis: u32::try_from(millis).unwrap_or(u32::MAX),
    }
}

fn body(answer: &OfBackend) -> String {
    let end = answer.body.len().min(SHOWN_BODY);
    String::from_utf8_lossy(&answer.body[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{check, secret_name};
    use sidetone_api::{HookAuthentication, HookPolicy, HookSettings};

    fn settings(url: &str) -> HookSettings {
        HookSettings { url: url.into(), ..HookSettings::default() }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = settings("https://backend.example/hooks");
        assert_eq!(check(&good), Ok(()));
        assert_eq!(check(&HookSettings::default()), Ok(()));
        for (field, bad) in [
            ("hooks.url", settings("backend.example")),
            ("hooks.url", settings("ftp://backend.example")),
            ("hooks.url", settings("http://user:swordfish@backend.example")),
            ("hooks.url", settings("http://backend.example/?a=b")),
            ("hooks.url", settings(&format!("http://backend.example/{}", "x".repeat(4000)))),
            ("hooks.timeoutMs", HookSettings { timeout_ms: 0, ..good.clone() }),
            ("hooks.timeoutMs", HookSettings { timeout_ms: 15_001, ..good.clone() }),
            ("hooks.keepAliveSeconds", HookSettings { keep_alive_seconds: 3_601, ..good.clone() }),
            ("hooks.methods[0]", HookSettings { methods: vec!["cal".into()], ..good.clone() }),
            (
                "hooks.policies",
                HookSettings { policies: [("cal".into(), HookPolicy::default())].into(), ..good.clone() },
            ),
            ("hooks.user", HookSettings { authentication: HookAuthentication::Basic, ..good.clone() }),
            ("hooks.trustedCa", HookSettings { trusted_ca: Some("no PEM".into()), ..good }),
        ] {
            let failure = check(&bad).unwrap_err();
            assert_eq!(failure.field.as_deref(), Some(field), "{failure}");
            assert!(!failure.message.contains("swordfish"), "{failure}");
        }
    }

    #[test]
    fn another_place_has_another_secret() {
        let name = secret_name(&settings("https://backend.example/one"));
        assert_eq!(name, secret_name(&settings("https://backend.example:443/two")));
        assert_ne!(name, secret_name(&settings("http://backend.example/one")));
        assert_eq!(secret_name(&settings("")), None);
    }
}
