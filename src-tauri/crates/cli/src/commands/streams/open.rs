//! From a name to where it is, and an engine for it.

use super::{
    server::{self, AtServer},
    ways,
};
use crate::{
    arguments::Endpoint,
    client::{Client, devices, hooks},
    exit::{Error, Exit},
    pages,
    signals::Interrupt,
};
use sidetone_api::{GatewaySettings, Secret, SessionId, Settings};
use sidetone_engine::{Directories, Engine, Options, check_stream_name};
use sidetone_gateway::{Gateway, Network, find_running};
use std::{
    env,
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

/// What we do with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Publish,
    Play,
}

/// An engine, and the stream as it is to be told to it.
pub(super) struct Opened {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) token: Option<Secret>,
    /// At the Web Call Server of this session.
    pub(super) session: Option<SessionId>,
    /// The name is one at the engine's own gateway, which nobody can reach yet.
    pub(super) is_own: bool,
}

/// Starts an engine with these settings. A name becomes a URL at a gateway that runs, or stays one at the engine's own.
pub(super) async fn open(
    endpoint: &Endpoint,
    of: Use,
    mut settings: Settings,
    hardware: bool,
) -> Result<Opened, Error> {
    let token = token(endpoint)?;
    let stream = endpoint.stream.as_str();
    let passwords = ways::apply(&endpoint.ways, &mut settings.video)?;
    let hook_secret = hooks::apply(&endpoint.hooks, &mut settings.hooks)?;
    let at_server = server::of(endpoint)?;
    let trusted_ca = settings.video.trusted_ca.clone();
    let is_url = stream.contains("://");
    if !is_url {
        check_stream_name(stream).map_err(|problem| Error::usage(format!("{stream}: {problem}")))?;
    }
    let (name, is_own) = match (&endpoint.gateway, is_url) {
        _ if at_server.is_some() => (stream.to_owned(), false),
        (_, true) => (stream.to_owned(), false),
        (Some(gateway), false) => (at(gateway, of, stream), false),
        (None, false) => match find().await {
            Some(gateway) => (at(&gateway, of, stream), false),
            None => (stream.to_owned(), true),
        },
    };
    settings.gateway.enabled = is_own && of == Use::Publish;
    let interrupt = Interrupt::listen();
    let handle = Engine::start(Options {
        devices: devices(hardware),
        tones: false,
        hook_secret,
        ..Options::in_memory(devices(false), settings)
    })
    .await?;
    let (mut client, _) = Client::attach(handle, endpoint.json, interrupt).await?;
    if let Err(error) = passwords.tell(&client).await {
        client.close().await;
        return Err(error);
    }
    let Some(AtServer { url, name }) = at_server else {
        return Ok(Opened { client, name, token, session: None, is_own });
    };
    match server::connect(&mut client, endpoint, url, token, trusted_ca).await {
        Ok(session) => Ok(Opened { client, name, token: None, session: Some(session), is_own }),
        Err(error) => {
            client.close().await;
            Err(error)
        }
    }
}

/// Settings of an engine that has nothing but streams.
pub(super) fn settings() -> Settings {
    Settings {
        gateway: GatewaySettings { enabled: false, ..GatewaySettings::default() },
        ..Settings::default()
    }
}

fn token(endpoint: &Endpoint) -> Result<Option<Secret>, Error> {
    match &endpoint.token_env {
        Some(variable) => match env::var(variable) {
            Ok(token) if !token.is_empty() => Ok(Some(Secret::new(token))),
            _ => Err(Error::usage(format!("--token-env: {variable} is not set"))),
        },
        None => Ok(endpoint.token.clone()),
    }
}

fn runtime() -> Option<PathBuf> {
    Directories::of_the_platform().ok().map(|directories| directories.runtime)
}

async fn find() -> Option<String> {
    let found = find_running(&runtime()?).await?;
    Some(format!("http://{}", found.http))
}

fn at(gateway: &str, of: Use, name: &str) -> String {
    let kind = match of {
        Use::Publish => "whip",
        Use::Play => "whep",
    };
    format!("{gateway}/{kind}/{}", escaped(name))
}

/// As RFC 3986 section 2.1 has it.
fn escaped(name: &str) -> String {
    name.bytes().fold(String::with_capacity(name.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// Lets others play what this run publishes.
pub(super) async fn serve(client: &mut Client) -> Result<(), Error> {
    let options = sidetone_gateway::Options {
        bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: GatewaySettings::default().http_port,
        ui: pages::ui(None),
        runtime: runtime(),
        data: None,
        network: Network::default(),
    };
    let running = Gateway::start(client.handle().clone(), options)
        .await
        .map_err(|error| Error::new(Exit::Network, error.to_string()))?;
    client.say(&format!("no gateway runs on this machine; this run has one at http://{}", running.address()));
    client.keep(running);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Use, at};

    #[test]
    fn a_name_is_escaped_in_a_url() {
        assert_eq!(at("http://127.0.0.1:1", Use::Publish, "a-1"), "http://127.0.0.1:1/whip/a-1");
        assert_eq!(at("http://h", Use::Play, "gr\u{f6}\u{df}e+1"), "http://h/whep/gr%C3%B6%C3%9Fe%2B1");
    }
}
