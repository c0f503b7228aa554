//! Where a password may not be: in files, events, failures, or anything that is logged. A program of its own, because it
//! listens to all that is logged in it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use sidetone_api::{
    Account, AccountId, Command, Event, RegistrationStatus, Secret, SecretUse, SettingsChange,
};
use sidetone_engine::{Directories, Engine, Events, Next, Options};
use sidetone_media::Synthetic;
use sidetone_sip::digest::Credentials;
use sidetone_sip::{Config, Hop, Input, Output, RegistrarConfig, Transport, UserAgent, Users};
use std::{
    io,
    net::{Ipv4Addr, UdpSocket},
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

const RIGHT: &str = "Tr0ub4dor&3";
const WRONG: &str = "correct horse";
const SOON: Duration = Duration::from_secs(15);

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A registrar that wants `RIGHT` of alice, on a thread that ends with the test.
fn registrar() -> String {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    let users = Users::List(vec![Credentials::new("alice".to_owned(), RIGHT)]);
    let config = Config {
        registrar: Some(RegistrarConfig { users, ..RegistrarConfig::default() }),
        ..Config::default()
    };
    let mut agent = UserAgent::new(config, [3; 32]);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, remote)) = socket.recv_from(&mut buffer) {
            let hop = Hop::new(Transport::Udp, address, remote);
            agent.handle_input(Instant::now(), Input::Datagram { hop, bytes: &buffer[..length] });
            while let Some(output) = agent.poll_output() {
                if let Output::Transmit { hop, bytes } = output {
                    let _ = socket.send_to(&bytes, hop.remote);
                }
            }
        }
    });
    format!("sip:alice@{address}")
}

/// Reads until a registration status; keeps the text of everything.
async fn status(events: &mut Events, texts: &mut Vec<String>, wanted: RegistrationStatus) {
    let read = tokio::time::timeout(SOON, async {
        loop {
            let Some(Next::Event(envelope)) = events.next().await else { panic!("no event") };
            texts.push(format!("{envelope:?}"));
            texts.push(serde_json::to_string(&*envelope).unwrap());
            if matches!(envelope.event, Event::RegistrationStatusEvent { status, .. } if status == wanted) {
                return;
            }
        }
    });
    read.await.unwrap_or_else(|_| panic!("{wanted:?} did not come: {texts:#?}"));
}

fn files_below(folder: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => files_below(&path, texts),
            path => texts.push(String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()),
        }
    }
}

#[tokio::test]
async fn a_password_is_in_no_file_no_event_no_failure_and_no_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    tracing::info!("what is logged is seen here");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config").join("settings.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "[gateway]\nenabled = false\n").unwrap();
    let options = Options {
        directories: Some(Directories::below(dir.path())),
        devices: Arc::new(Synthetic),
        secrets: sidetone_engine::secrets::memory(),
        settings: None,
        exchange: Default::default(),
        media: Default::default(),
        sip_bind: Some(Ipv4Addr::LOCALHOST.into()),
        tones: false,
        hook_secret: None,
        one_at_a_time: true,
    };
    let mut texts = vec![format!("{options:?}")];
    let handle = Engine::start(options).await.unwrap();
    let (snapshot, mut events) = handle.attach().await.unwrap();
    texts.push(format!("{snapshot:?}"));
    let account = Account::new(AccountId::new("alice"), "Alice", registrar());
    let save = |password: &str, aor: &str| Command::SaveAccount {
        account: Account { aor: aor.into(), ..account.clone() },
        password: Some(Secret::new(password)),
        remember: true,
    };
    texts.push(format!("{:?}", save(RIGHT, "sip:alice@example.org")));
    for (password, aor) in [(RIGHT, "no address"), (WRONG, "")] {
        texts.push(format!("{:?}", handle.command(save(password, aor)).await.unwrap_err()));
    }
    handle.command(save(WRONG, &account.aor)).await.unwrap();
    status(&mut events, &mut texts, RegistrationStatus::AuthenticationFail).await;
    handle.command(save(RIGHT, &account.aor)).await.unwrap();
    status(&mut events, &mut texts, RegistrationStatus::Registered).await;
    let connect = Command::Connect {
        account_id: AccountId::new("alice"),
        password: Some(Secret::new(RIGHT)),
        auth_token: None,
    };
    texts.push(format!("{connect:?}"));
    handle.command(connect).await.unwrap();
    status(&mut events, &mut texts, RegistrationStatus::Registered).await;
    let mut video = sidetone_api::VideoSettings::default();
    let url = "turn:127.0.0.1:9?transport=tcp".to_owned();
    let server = sidetone_api::IceServer { url: url.clone(), user: "mara".into(), password_kept: false };
    video.ice_servers.push(server);
    let change = Command::ChangeSettings(SettingsChange { video: Some(video), ..SettingsChange::default() });
    handle.command(change).await.unwrap();
    for of in [SecretUse::IceServer { url, user: "mara".into() }, SecretUse::StreamToken] {
        let set = Command::SetSecret { of, secret: Some(Secret::new(RIGHT)), remember: true };
        texts.push(format!("{set:?}"));
        handle.command(set).await.unwrap();
    }
    // A TURN server that nobody listens at: what is told of it names no password.
    let publish = Command::PublishStream {
        name: "http://127.0.0.1:9/whip/tv".into(),
        token: Some(Secret::new(RIGHT)),
        sources: sidetone_api::StreamSources { video: Some("bars".into()), ..Default::default() },
        settings: None,
        session_id: None,
    };
    texts.push(format!("{publish:?}"));
    handle.command(publish).await.unwrap();
    texts.push(format!("{handle:?} {events:?}"));
    texts.push(format!("{:?}", handle.command(Command::GetSnapshot).await.unwrap()));
    handle.shut_down().await;
    while let Some(Next::Event(envelope)) = events.next().await {
        texts.push(format!("{envelope:?}"));
    }
    files_below(dir.path(), &mut texts);
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("what is logged is seen here"));
    texts.push(log);
    assert!(texts.iter().any(|text| text.contains("Alice")));
    for text in &texts {
        for secret in [RIGHT, WRONG] {
            assert!(!text.contains(secret), "{secret:?} is in {text}");
        }
    }
}
