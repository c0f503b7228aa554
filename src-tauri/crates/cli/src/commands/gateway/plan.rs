//! What the flags and the file come to; flags win.

use super::file::{self, File};
use crate::{
    account::{secret_of, trusted_ca},
    arguments::{Gateway, Listen},
    client::hooks,
    exit::Error,
};
use sidetone_api::{HookSettings, Secret, Settings, SharingSettings};
use sidetone_engine::{
    ExchangePlace, LEAST_KBIT, MediaLimits, MediaPlace, check_advertised, check_hooks_url, check_sharing,
};
use sidetone_gateway::{Access, Limits, Network, RestUser, TlsIdentity};
use sidetone_media::Selection;
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// More than any chain of certificates.
const LONGEST_PEM: u64 = 1024 * 1024;

/// All that a gateway is started with.
#[derive(Debug)]
pub(super) struct Plan {
    /// `None`: the engine reads and keeps the settings file. Else what that says, changed for this run.
    pub(super) settings: Option<Settings>,
    pub(super) hook_secret: Option<Secret>,
    pub(super) stream_token: Option<Secret>,
    pub(super) network: Network,
    pub(super) exchange: ExchangePlace,
    pub(super) media: MediaPlace,
    pub(super) ui: Option<PathBuf>,
}

impl Plan {
    /// # Errors
    /// Names the flag or the key that is wrong.
    pub(super) fn of(arguments: &Gateway, settings_file: &Path) -> Result<Self, Error> {
        let file = arguments.config.as_deref().map(file::read).transpose()?;
        let is_changed = file.is_some() || arguments.changes_settings();
        let file = file.unwrap_or_default();
        let (mut settings, mut hook_secret) = (None, None);
        if is_changed {
            let mut changed = read_settings(settings_file)?;
            hook_secret = apply(arguments, &file, &mut changed)?;
            settings = Some(changed);
        }
        let token = arguments.stream_token_env.as_deref();
        let stream_token = match token {
            Some(variable) => secret_of(Some(variable), "--stream-token-env")?,
            None => secret_of(file.access.stream_token_env.as_deref(), "access.stream-token-env")?,
        };
        let ui = arguments.ui.clone().or_else(|| file.media.ui.clone());
        if let Some(folder) = ui.as_ref().filter(|folder| !folder.join("index.html").is_file()) {
            return Err(Error::usage(format!("--ui {}: there is no index.html", folder.display())));
        }
        let exchange = exchange(&arguments.listen, &file)?;
        let media = media(&arguments.listen, &file)?;
        let network = network(arguments.listen.clone(), file)?;
        Ok(Self { settings, hook_secret, stream_token, network, exchange, media, ui })
    }
}

impl Gateway {
    /// Where the rest of the settings is as it is kept.
    fn changes_settings(&self) -> bool {
        self.sip_port.is_some()
            || self.http_port.is_some()
            || self.mic.is_some()
            || self.speaker.is_some()
            || self.stream_token_env.is_some()
            || self.hooks.url.is_some()
    }
}

fn read_settings(path: &Path) -> Result<Settings, Error> {
    match fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text)
            .map_err(|error| Error::usage(format!("{}: {}", path.display(), error.message()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Settings::default()),
        Err(error) => Err(Error::usage(format!("{}: {error}", path.display()))),
    }
}

/// The hooks' secret, if any.
fn apply(arguments: &Gateway, file: &File, settings: &mut Settings) -> Result<Option<Secret>, Error> {
    let gateway = &mut settings.gateway;
    gateway.enabled = true;
    gateway.stream_token |= arguments.stream_token_env.is_some() || file.access.stream_token_env.is_some();
    gateway.sip_port = arguments.sip_port.unwrap_or(gateway.sip_port);
    gateway.http_port = arguments.http_port.unwrap_or(gateway.http_port);
    if let Some(sharing) = &file.sharing {
        gateway.sharing = shared(sharing)?;
    }
    let chosen = |flag: &Option<Selection>, text: &Option<String>, key: &str| match (flag, text) {
        (Some(selection), _) => Ok(Some(selection.to_string())),
        (None, Some(text)) => {
            let selection = text.parse::<Selection>();
            selection.map(|it| Some(it.to_string())).map_err(|why| Error::usage(format!("{key}: {why}")))
        }
        (None, None) => Ok(None),
    };
    if let Some(microphone) = chosen(&arguments.mic, &file.media.microphone, "media.microphone")? {
        settings.audio.microphone = microphone;
    }
    if let Some(speaker) = chosen(&arguments.speaker, &file.media.speaker, "media.speaker")? {
        settings.audio.speaker = speaker;
    }
    let kept = file.hooks.as_ref().map(|file| apply_hooks(file, &mut settings.hooks)).transpose()?.flatten();
    let given = hooks::apply(&arguments.hooks, &mut settings.hooks)?;
    Ok(if arguments.hooks.url.is_some() { given } else { kept })
}

fn shared(file: &file::Sharing) -> Result<SharingSettings, Error> {
    let text =
        |path: &Option<PathBuf>| path.as_deref().map(|it| it.display().to_string()).unwrap_or_default();
    let sharing = SharingSettings {
        on: file.on,
        port: file.port.unwrap_or(SharingSettings::default().port),
        public: file.public.clone(),
        certificate: text(&file.certificate),
        key: text(&file.key),
    };
    check_sharing(&sharing)
        .map_err(|failure| Error::usage(failure.message.trim_start_matches("gateway.")))?;
    Ok(sharing)
}

fn apply_hooks(file: &file::Hooks, settings: &mut HookSettings) -> Result<Option<Secret>, Error> {
    if file.url.is_empty() {
        return Err(Error::usage("hooks.url: it is missing"));
    }
    check_hooks_url(&file.url).map_err(|why| Error::usage(format!("hooks.url: {why}")))?;
    let usual = HookSettings::default();
    *settings = HookSettings {
        url: file.url.clone(),
        app_key: file.app_key.clone().unwrap_or(usual.app_key),
        authentication: file.authentication,
        user: file.user.clone(),
        secret_kept: false,
        timeout_ms: file.timeout_ms.unwrap_or(usual.timeout_ms),
        methods: file.methods.clone(),
        keep_alive_seconds: file.keep_alive_seconds.unwrap_or(usual.keep_alive_seconds),
        trusted_ca: file.trusted_ca.as_deref().map(trusted_ca).transpose()?,
        policies: file.policies.clone(),
    };
    secret_of(file.secret_env.as_deref(), "hooks.secret-env")
}

fn exchange(flags: &Listen, file: &File) -> Result<ExchangePlace, Error> {
    let users = file.sip.users.iter().map(|(name, variable)| {
        let key = format!("sip.users.{name}");
        let password = secret_of(Some(variable), &key)?;
        let password = password.ok_or_else(|| Error::usage(format!("{key}: it has no password")))?;
        Ok((name.clone(), password))
    });
    Ok(ExchangePlace {
        address: flags.sip_listen.or(file.listen.sip),
        users: users.collect::<Result<_, Error>>()?,
    })
}

/// More than anybody has between a browser and a gateway.
const MOST_KBIT: u32 = 100_000_000;
const MOST_ADVERTISED: usize = 8;

fn media(flags: &Listen, file: &File) -> Result<MediaPlace, Error> {
    let advertise = if flags.advertise.is_empty() { &file.media.advertise } else { &flags.advertise };
    for ip in advertise {
        check_advertised(*ip).map_err(|why| Error::usage(format!("advertise: {why}")))?;
    }
    if advertise.len() > MOST_ADVERTISED {
        return Err(Error::usage(format!("advertise: {MOST_ADVERTISED} addresses are the most")));
    }
    let limit = |key: &str, kbit: Option<u32>| match kbit {
        Some(kbit) if !(LEAST_KBIT..=MOST_KBIT).contains(&kbit) => {
            Err(Error::usage(format!("limits.{key}: it is from {LEAST_KBIT} to {MOST_KBIT}")))
        }
        kbit => Ok(kbit),
    };
    Ok(MediaPlace {
        advertise: advertise.clone(),
        port: flags.udp_port.or(file.media.udp_port).unwrap_or_default(),
        limits: MediaLimits {
            session_kbit: limit("session-kbit", file.limits.session_kbit)?,
            kbit: limit("kbit", file.limits.kbit)?,
        },
    })
}

fn network(flags: Listen, file: File) -> Result<Network, Error> {
    let many = |flags: Vec<SocketAddr>, file: Vec<SocketAddr>| if flags.is_empty() { file } else { flags };
    let texts = |flags: Vec<String>, file: Vec<String>| if flags.is_empty() { file } else { flags };
    let user = flags.rest_user.or(file.rest.user);
    let password = match &flags.rest_password_env {
        Some(variable) => secret_of(Some(variable), "--rest-password-env")?,
        None => secret_of(file.rest.password_env.as_deref(), "rest.password-env")?,
    };
    let rest = match (user, password) {
        (Some(user), Some(password)) => Some(RestUser { user, password }),
        (None, None) => None,
        (Some(_), None) => {
            return Err(Error::usage("rest-password-env: it is missing, and there is a rest-user"));
        }
        (None, Some(_)) => {
            return Err(Error::usage("rest-user: it is missing, and there is a rest-password-env"));
        }
    };
    let sounds = flags.sounds.or(file.rest.sounds);
    if let Some(folder) = sounds.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(Error::usage(format!("sounds {}: there is no such folder", folder.display())));
    }
    let usual = Limits::default();
    Ok(Network {
        http: flags.http_listen.or(file.listen.http),
        ws: many(flags.ws_listen, file.listen.ws),
        wss: many(flags.wss_listen, file.listen.wss),
        https: many(flags.https_listen, file.listen.https),
        tls: tls(flags.tls_certificate.or(file.tls.certificate), flags.tls_key.or(file.tls.key))?,
        rest: flags.rest_listen.or(file.listen.rest),
        rest_tls: flags.rest_tls || file.rest.tls,
        access: Access {
            hosts: texts(flags.hosts, file.access.hosts),
            origins: texts(flags.origins, file.access.origins),
            sounds,
            rest,
            rest_in_the_open: flags.rest_in_the_open || file.rest.in_the_open,
        },
        limits: Limits {
            sessions: file.limits.sessions.unwrap_or(usual.sessions),
            messages_per_second: file.limits.messages_per_second.unwrap_or(usual.messages_per_second),
            rest_per_second: file.limits.rest_per_second.unwrap_or(usual.rest_per_second),
        },
    })
}

fn tls(certificate: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<TlsIdentity>, Error> {
    let (certificate, key) = match (certificate, key) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) => return Ok(None),
        (Some(_), None) => {
            return Err(Error::usage("tls-key: it is missing, and there is a tls-certificate"));
        }
        (None, Some(_)) => {
            return Err(Error::usage("tls-certificate: it is missing, and there is a tls-key"));
        }
    };
    Ok(Some(TlsIdentity {
        certificates: pem("tls-certificate", &certificate)?,
        key: Secret::new(pem("tls-key", &key)?),
    }))
}

fn pem(what: &str, path: &Path) -> Result<String, Error> {
    let wrong = |why: &dyn std::fmt::Display| Error::usage(format!("{what} {}: {why}", path.display()));
    let size = fs::metadata(path).map_err(|error| wrong(&error))?.len();
    if size > LONGEST_PEM {
        return Err(wrong(&"this is too long for PEM"));
    }
    fs::read_to_string(path).map_err(|error| wrong(&error))
}
