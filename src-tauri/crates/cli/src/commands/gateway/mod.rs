//! `gateway`: registrar, streams, pages, sockets and the REST API, without a window.

mod file;
mod plan;

use super::{lines, phone::carry_out};
use crate::{
    arguments,
    client::{Client, Next, devices},
    descriptors,
    exit::{Error, Exit},
    output::Output,
    pages,
    signals::Interrupt,
};
use plan::Plan;
use serde_json::json;
use sidetone_api::{Command, Secret, SecretUse, Snapshot};
use sidetone_engine::{Directories, Engine, ExchangePlace, Options, secrets};
use sidetone_gateway::{Gateway, GatewayError, Network, Purpose, Running, find_running};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

pub(super) async fn run(arguments: arguments::Gateway) -> Result<Exit, Error> {
    let directories = Directories::of_the_platform()?;
    if arguments.link {
        return link(&directories.runtime).await;
    }
    let interrupt = Interrupt::listen();
    descriptors::raise();
    let plan = Plan::of(&arguments, &directories.config.join("settings.toml"))?;
    let Plan { settings, hook_secret, stream_token, network, exchange, media, ui } = plan;
    let sip_listen = exchange.clone();
    let handle = Engine::start(Options {
        devices: devices(true),
        secrets: secrets::platform(),
        hook_secret,
        settings,
        exchange,
        media,
        sip_bind: None,
        tones: true,
        one_at_a_time: true,
        directories: Some(directories.clone()),
    })
    .await?;
    let (mut client, snapshot) = Client::attach(handle, arguments.json, interrupt).await?;
    let served = Served { network, sip_listen, ui, json: arguments.json, commands: arguments.commands };
    let exit = match set_token(&client, stream_token).await {
        Ok(()) => serve(&mut client, &snapshot, served, directories).await,
        Err(error) => Err(error),
    };
    client.close().await;
    exit
}

/// What is served, and how that is told.
struct Served {
    network: Network,
    sip_listen: ExchangePlace,
    ui: Option<PathBuf>,
    json: bool,
    commands: bool,
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
    served: Served,
    directories: Directories,
) -> Result<Exit, Error> {
    let Served { network, sip_listen, ui, json, commands } = served;
    let network_error = |error: GatewayError| match error {
        GatewayError::Wrong { .. } => Error::usage(error.to_string()),
        error => Error::new(Exit::Network, error.to_string()),
    };
    let sip = sip_place(snapshot, &sip_listen)?;
    let another = find_running(&directories.runtime).await;
    let with_pages = ui.is_some() || pages::are_built();
    let options = sidetone_gateway::Options {
        bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: snapshot.settings.gateway.http_port,
        ui: pages::ui(ui),
        runtime: Some(directories.runtime),
        data: Some(directories.data),
        network,
    };
    let running = Gateway::start(client.handle().clone(), options).await.map_err(network_error)?;
    introduce(client, snapshot, &Introduced { running: &running, sip, with_pages }, json)?;
    if sip_listen.users.is_empty() && sip.is_some_and(|sip| !sip.ip().is_loopback()) {
        client.say(
            "note: anybody who reaches the registrar may register there; sip.users of the file says who may",
        );
    }
    if let Some(found) = another {
        client.say(&format!(
            "note: another gateway runs at {}; other commands go on using that one",
            found.http
        ));
    }
    client.keep(running);
    let mut lines = commands.then(lines::of_stdin);
    loop {
        let line = async {
            match &mut lines {
                Some(lines) => lines.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            line = line => match line {
                Some(line) => {
                    if let Some(text) = carry_out(client, line).await
                        && !client.line(&text)
                    {
                        return Ok(Exit::Done);
                    }
                }
                // Nobody commands any more; the gateway goes on.
                None => lines = None,
            },
            next = client.next(None) => match next {
                Next::Event(_) | Next::Behind(_) | Next::Deadline => {}
                Next::Interrupted => return Ok(Exit::Done),
                Next::Ended => return Err(Client::ended()),
            },
        }
    }
}

/// Where the registrar listens; `None` where it does not run, which is an error where an address was asked for.
fn sip_place(snapshot: &Snapshot, wanted: &ExchangePlace) -> Result<Option<SocketAddr>, Error> {
    let own: Option<SocketAddr> =
        snapshot.gateway.sip_address.as_deref().and_then(|address| address.parse().ok());
    match (own, wanted.address) {
        (Some(own), Some(wanted)) => Ok(Some(SocketAddr::new(wanted.ip(), own.port()))),
        (None, Some(wanted)) => {
            let info = &snapshot.gateway.info;
            Err(Error::new(Exit::Network, format!("sip-listen: {wanted} cannot be opened: {info}")))
        }
        (own, None) => Ok(own),
    }
}

struct Introduced<'a> {
    running: &'a Running,
    sip: Option<SocketAddr>,
    with_pages: bool,
}

impl Introduced<'_> {
    /// Every address by the name of what is there: where something has no listener of its own it is where the pages are.
    fn addresses(&self) -> Vec<(&'static str, String)> {
        let places = self.running.places();
        let has = |one: &[Purpose]| places.iter().any(|(purpose, _)| one.contains(purpose));
        let url = |purpose: Purpose, address: &SocketAddr| {
            let is_rest = matches!(purpose, Purpose::Rest | Purpose::RestTls);
            let path = if is_rest { "/rest-api" } else { "" };
            (purpose.name(), format!("{}://{address}{path}", purpose.scheme()))
        };
        let mut all: Vec<_> = places.iter().map(|(purpose, address)| url(*purpose, address)).collect();
        let first = self.running.address();
        if !has(&[Purpose::Ws, Purpose::Wss]) {
            all.push(url(Purpose::Ws, &first));
        }
        if !has(&[Purpose::Rest, Purpose::RestTls]) {
            all.push(url(Purpose::Rest, &first));
        }
        all.extend(self.sip.map(|sip| ("sip", format!("sip:{sip}"))));
        all
    }
}

/// Addresses and the login link: lines to read, each address as `listening NAME URL` too, or one JSON line.
fn introduce(
    client: &mut Client,
    snapshot: &Snapshot,
    introduced: &Introduced<'_>,
    json: bool,
) -> Result<(), Error> {
    let Introduced { running, sip, with_pages } = introduced;
    let login = running.login_url().map_err(|error| Error::new(Exit::Internal, error.to_string()))?;
    let addresses = introduced.addresses();
    if json {
        let of = |wanted: &str| {
            let of_name = addresses.iter().filter(|(name, _)| *name == wanted);
            of_name.map(|(_, url)| url.as_str()).collect::<Vec<_>>()
        };
        let line = json!({
            "sip": sip.map(|sip| sip.to_string()),
            "http": of("http").first(),
            "ws": of("ws"),
            "wss": of("wss"),
            "https": of("https"),
            "rest": of("rest").first(),
            "login": login,
        });
        client.line(&line.to_string());
        return Ok(());
    }
    for (name, url) in &addresses {
        client.say(&format!("listening {name} {url}"));
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
