//! `gateway`: registrar and pages, without a window.

use crate::{
    account::secret_of,
    arguments,
    client::{Client, Next, devices, hooks},
    exit::{Error, Exit},
    output::Output,
    pages,
    signals::Interrupt,
};
use sidetone_api::{Command, Secret, SecretUse, Settings, Snapshot};
use sidetone_engine::{Directories, Engine, Options, secrets};
use sidetone_gateway::{Gateway, Running, find_running};
use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

pub(super) async fn run(arguments: arguments::Gateway) -> Result<Exit, Error> {
    let directories = Directories::of_the_platform()?;
    if arguments.link {
        return link(&directories.runtime).await;
    }
    if let Some(folder) = arguments.ui.as_ref().filter(|folder| !folder.join("index.html").is_file()) {
        return Err(Error::usage(format!("--ui {}: there is no index.html", folder.display())));
    }
    let interrupt = Interrupt::listen();
    let token = secret_of(arguments.stream_token_env.as_deref(), "--stream-token-env")?;
    let mut settings = settings(&arguments, &directories)?;
    let hook_secret = match &mut settings {
        Some(settings) => hooks::apply(&arguments.hooks, &mut settings.hooks)?,
        None => None,
    };
    let handle = Engine::start(Options {
        devices: devices(true),
        secrets: secrets::platform(),
        hook_secret,
        settings,
        sip_bind: None,
        tones: true,
        one_at_a_time: true,
        directories: Some(directories.clone()),
    })
    .await?;
    let (mut client, snapshot) = Client::attach(handle, arguments.json, interrupt).await?;
    if let Err(error) = set_token(&client, token).await {
        client.close().await;
        return Err(error);
    }
    let exit = serve(&mut client, &snapshot, arguments, directories).await;
    client.close().await;
    exit
}

/// Before anybody can ask for a stream.
async fn set_token(client: &Client, token: Option<Secret>) -> Result<(), Error> {
    if token.is_some() {
        let of = SecretUse::StreamToken;
        client.command(Command::SetSecret { of, secret: token, remember: false }).await?;
    }
    Ok(())
}

async fn serve(
    client: &mut Client,
    snapshot: &Snapshot,
    arguments: arguments::Gateway,
    directories: Directories,
) -> Result<Exit, Error> {
    let network = |error: sidetone_gateway::GatewayError| Error::new(Exit::Network, error.to_string());
    let another = find_running(&directories.runtime).await;
    let with_pages = arguments.ui.is_some() || pages::are_built();
    let options = sidetone_gateway::Options {
        bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: snapshot.settings.gateway.http_port,
        ui: pages::ui(arguments.ui),
        runtime: Some(directories.runtime),
    };
    let running = Gateway::start(client.handle().clone(), options).await.map_err(network)?;
    introduce(client, snapshot, &running, with_pages, arguments.json)?;
    if let Some(found) = another {
        client.say(&format!(
            "note: another gateway runs at {}; other commands go on using that one",
            found.http
        ));
    }
    client.keep(running);
    loop {
        match client.next(None).await {
            Next::Event(_) | Next::Behind(_) | Next::Deadline => {}
            Next::Interrupted => return Ok(Exit::Done),
            Next::Ended => return Err(Client::ended()),
        }
    }
}

/// Addresses and the login link: lines to read, or one JSON line.
fn introduce(
    client: &mut Client,
    snapshot: &Snapshot,
    running: &Running,
    with_pages: bool,
    json: bool,
) -> Result<(), Error> {
    let login = running.login_url().map_err(|error| Error::new(Exit::Internal, error.to_string()))?;
    let sip = snapshot.gateway.sip_address.as_deref();
    if json {
        let line = serde_json::json!({ "sip": sip, "http": format!("http://{}", running.address()), "login": login });
        client.line(&line.to_string());
        return Ok(());
    }
    match sip {
        Some(sip) => client.say(&format!("registrar  sip:{sip} (UDP and TCP); call echo or tone there")),
        None => client.say(&format!("registrar  not running: {}", snapshot.gateway.info)),
    }
    client.say(&format!("pages      http://{}", running.address()));
    if !with_pages {
        client.say("           (this build has none: run `cargo xtask run` once, or give --ui FOLDER)");
    }
    client.say(&format!("open       {login}"));
    client.say("           (once, within ten minutes; `sidetone-cli gateway --link` prints another)");
    Ok(())
}

/// A link to the gateway that runs already.
async fn link(runtime: &Path) -> Result<Exit, Error> {
    let none = || Error::new(Exit::Network, "no gateway of this user runs on this machine");
    let found = find_running(runtime).await.ok_or_else(none)?;
    let link =
        found.login_link().await.ok_or_else(|| Error::new(Exit::Network, "the gateway gave no link"))?;
    let _ = Output::new(false).line(&link);
    Ok(Exit::Done)
}

/// `None`: the engine reads and keeps the settings file. Else what the file says, changed by the arguments for this run.
fn settings(arguments: &arguments::Gateway, directories: &Directories) -> Result<Option<Settings>, Error> {
    let arguments::Gateway { sip_port, http_port, mic, speaker, stream_token_env, hooks, .. } = arguments;
    let is_same = sip_port.is_none() && http_port.is_none() && mic.is_none() && speaker.is_none();
    if is_same && stream_token_env.is_none() && hooks.url.is_none() {
        return Ok(None);
    }
    let file = directories.config.join("settings.toml");
    let mut settings: Settings = match fs::read_to_string(&file) {
        Ok(text) => toml::from_str(&text)
            .map_err(|error| Error::usage(format!("{}: {}", file.display(), error.message())))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Settings::default(),
        Err(error) => return Err(Error::usage(format!("{}: {error}", file.display()))),
    };
    let gateway = &mut settings.gateway;
    gateway.enabled = true;
    gateway.stream_token |= stream_token_env.is_some();
    gateway.sip_port = sip_port.unwrap_or(gateway.sip_port);
    gateway.http_port = http_port.unwrap_or(gateway.http_port);
    if let Some(mic) = mic {
        settings.audio.microphone = mic.to_string();
    }
    if let Some(speaker) = speaker {
        settings.audio.speaker = speaker.to_string();
    }
    Ok(Some(settings))
}
