//! From the arguments to an engine with one session.

use super::{Client, Connected, Session, audio, check_camera, check_folder, find_camera, hooks, is_hardware};
use crate::{
    account::{self, Credentials},
    arguments::{CallVideo, Camera, Common, Screen},
    exit::{Error, Exit},
    pages,
    signals::Interrupt,
};
use sidetone_api::{
    Command, GatewaySettings, NetworkSettings, Reply, Settings, SettingsChange, Snapshot, VideoSettings,
};
use sidetone_engine::{Directories, Engine, Options, secrets};
use sidetone_gateway::{Found, Gateway, Network, find_running};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Calls out.
    Call,
    /// Waits for calls: others must find it.
    Wait,
}

/// Where the account is.
enum Place {
    Given(Credentials),
    Running(SocketAddr),
    /// A gateway of this very run.
    Own,
}

/// Starts an engine and connects the account of the arguments, else an extension of this machine's gateway.
pub(crate) async fn open(common: &Common, video: Option<&CallVideo>, role: Role) -> Result<Connected, Error> {
    audio::check(&common.audio)?;
    let video = video.filter(|video| video.video);
    if let Some(video) = video {
        check(video)?;
    }
    let hardware =
        audio::needs_hardware(&common.audio) || video.is_some_and(|video| is_hardware(&video.camera));
    let place = match account::given(&common.identity, role == Role::Call)? {
        Some(credentials) => Place::Given(credentials),
        None => running_gateway().await.map_or(Place::Own, Place::Running),
    };
    let mut settings = settings(common, matches!(place, Place::Own));
    let hook_secret = hooks::apply(&common.hooks, &mut settings.hooks)?;
    let interrupt = Interrupt::listen();
    let handle = Engine::start(Options {
        directories: None,
        devices: audio::devices(hardware),
        secrets: secrets::memory(),
        hook_secret,
        settings: Some(settings),
        exchange: Default::default(),
        media: Default::default(),
        sip_bind: None,
        tones: !common.audio.speaker.is_synthetic(),
        one_at_a_time: !common.every_call_speaks,
    })
    .await?;
    let (mut client, snapshot) = Client::attach(handle, common.json, interrupt).await?;
    let session = async {
        if let Some(video) = video {
            set_camera(&client, video).await?;
        }
        connect(&mut client, common, role, place, &snapshot).await
    };
    match session.await {
        Ok(session) => Ok(Connected { client, session }),
        Err(error) => {
            client.close().await;
            Err(error)
        }
    }
}

fn check(video: &CallVideo) -> Result<(), Error> {
    if video.camera == Camera::None {
        return Err(Error::usage("--camera none: a call with video has a picture; leave out --video"));
    }
    video.encoding.check(&video.video_codec)?;
    check_camera(&video.camera)?;
    match &video.video_out {
        Screen::File(path) => check_folder("--video-out", path),
        Screen::Null => Ok(()),
    }
}

async fn set_camera(client: &Client, video: &CallVideo) -> Result<(), Error> {
    let camera = find_camera(client, &video.camera).await?.unwrap_or_default();
    let settings = VideoSettings { camera, ..video.encoding.settings(&video.video_codec) };
    let command =
        Command::ChangeSettings(SettingsChange { video: Some(settings), ..SettingsChange::default() });
    client.command(command).await?;
    Ok(())
}

async fn connect(
    client: &mut Client,
    common: &Common,
    role: Role,
    place: Place,
    snapshot: &Snapshot,
) -> Result<Session, Error> {
    let extension = |gateway| account::extension(&common.identity, &extension_name(role), gateway);
    let Credentials { account, password } = match place {
        Place::Given(credentials) => credentials,
        Place::Running(gateway) => extension(gateway)?,
        Place::Own => {
            let gateway = own_gateway(snapshot)?;
            let local = snapshot.sessions.iter().find(|session| session.local);
            match (role, local) {
                // The engine is registered there already, by a name that is as good as any for a caller.
                (Role::Call, Some(local)) if common.identity.user.is_none() => {
                    let (id, aor) = (local.session_id.clone(), local.aor.clone());
                    let known = Some(local.clone());
                    return Ok(Session { id, aor, registers: true, at_server: false, known });
                }
                (Role::Call, _) => {}
                (Role::Wait, _) => serve(client, gateway).await?,
            }
            extension(gateway)?
        }
    };
    let (id, registers) = (account.id.clone(), account.register);
    let at_server = account.wcs.is_some();
    let aor = if account.aor.is_empty() { account.name.clone() } else { account.aor.clone() };
    client.command(Command::SaveAccount { account, password: None, remember: false }).await?;
    match client.command(Command::Connect { account_id: id, password, auth_token: None }).await? {
        Reply::Session { session_id: id } => Ok(Session { id, aor, registers, at_server, known: None }),
        other => Err(Error::new(Exit::Internal, format!("connect was answered by {other:?}"))),
    }
}

fn settings(common: &Common, own_gateway: bool) -> Settings {
    Settings {
        audio: audio::settings(&common.audio),
        network: NetworkSettings {
            sip_port: common.sip_port,
            rtp_port: common.rtp_port,
            dns: common.dns.clone(),
            ..NetworkSettings::default()
        },
        gateway: GatewaySettings { enabled: own_gateway, ..GatewaySettings::default() },
        ..Settings::default()
    }
}

/// Callers get a name of their own each, so that a call from one to another does not come back.
fn extension_name(role: Role) -> String {
    match role {
        Role::Call => format!("cli-{}", std::process::id()),
        Role::Wait => "cli".into(),
    }
}

async fn running_gateway() -> Option<SocketAddr> {
    let Found { sip, .. } = find_running(&Directories::of_the_platform().ok()?.runtime).await?;
    sip
}

fn own_gateway(snapshot: &Snapshot) -> Result<SocketAddr, Error> {
    let gateway = &snapshot.gateway;
    gateway.sip_address.as_deref().and_then(|address| address.parse().ok()).ok_or_else(|| {
        Error::new(Exit::Network, format!("the gateway of this run did not start: {}", gateway.info))
    })
}

/// Lets other programs of this user find the gateway of this run, which takes a port for HTTP.
async fn serve(client: &mut Client, gateway: SocketAddr) -> Result<(), Error> {
    let options = sidetone_gateway::Options {
        bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: GatewaySettings::default().http_port,
        ui: pages::ui(None),
        runtime: Directories::of_the_platform().ok().map(|directories| directories.runtime),
        data: None,
        network: Network::default(),
    };
    let running = Gateway::start(client.handle().clone(), options)
        .await
        .map_err(|error| Error::new(Exit::Network, error.to_string()))?;
    client.say(&format!("no gateway runs on this machine; this run has one at {gateway}"));
    client.keep(running);
    Ok(())
}
