//! Streams that go by a TURN server alone, over UDP, TCP and TLS; servers of the settings and of the endpoint; and what is
//! told where one is of no use. With coturn.

use crate::endpoint::Endpoint;
use crate::kit::{LOOPBACK, Phone, gateway, quiet};
use crate::streams::bars_and_tone;
use crate::streams_network::{picture_is_fresh, small};
use sidetone_api::{
    Command, IceServer, NoticeLevel, Secret, SecretUse, Settings, SettingsChange, StreamId, StreamStatus,
};
use sidetone_testkit::{
    CertificateOptions, Coturn, CoturnOptions, TestAuthority, TestCertificate, free_port, require,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

struct Rig {
    coturn: Coturn,
    authority: TestAuthority,
    _dir: TempDir,
}

/// coturn, or nothing where it is not installed.
fn rig() -> Option<Rig> {
    if !require(&[Coturn::TOOL]) {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new("Relay CA").unwrap();
    let certificate =
        CertificateOptions { dns: &["relay.example"], addresses: &[LOOPBACK], ..Default::default() };
    let certificate: TestCertificate = authority.issue(&certificate).unwrap();
    let options = CoturnOptions { tls: Some(&certificate), ..CoturnOptions::default() };
    let coturn = Coturn::start(dir.path(), &options).unwrap();
    Some(Rig { coturn, authority, _dir: dir })
}

impl Rig {
    fn urls(&self) -> [String; 3] {
        let tls = self.coturn.tls().unwrap();
        [self.coturn.url("udp"), self.coturn.url("tcp"), format!("turns:{tls}")]
    }

    /// A phone whose streams may go by `url` alone, and which knows the password.
    async fn phone_only_by(&self, url: &str) -> Phone {
        let phone = Phone::start(only_by(url, &self.authority.pem())).await;
        tell_password(&phone, url, "secret").await;
        phone
    }

    fn allocations(&self) -> usize {
        self.coturn.log().matches("ALLOCATE processed, success").count()
    }
}

/// A relay, and a gateway with its endpoint.
async fn scene() -> Option<(Rig, Phone, Endpoint)> {
    let rig = rig()?;
    let host = Phone::start(small(gateway())).await;
    let endpoint = Endpoint::start(host.handle.clone()).await;
    Some((rig, host, endpoint))
}

fn by(url: &str) -> Settings {
    let mut settings = small(quiet());
    let server = IceServer { url: url.into(), user: "mara".into(), password_kept: false };
    settings.video.ice_servers = vec![server];
    settings
}

fn only_by(url: &str, ca: &str) -> Settings {
    let mut settings = by(url);
    settings.video.relay_only = true;
    settings.video.trusted_ca = Some(ca.into());
    settings
}

async fn tell_password(phone: &Phone, url: &str, password: &str) {
    let of = SecretUse::IceServer { url: url.into(), user: "mara".into() };
    phone.done(Command::SetSecret { of, secret: Some(Secret::new(password)), remember: false }).await;
}

/// Alice publishes under the name, and the host sees it.
async fn seen_at_host(
    alice: &mut Phone,
    host: &mut Phone,
    endpoint: &Endpoint,
    name: &str,
) -> (StreamId, StreamId) {
    let published = alice.publish(&endpoint.whip(name), bars_and_tone()).await;
    alice.stream_status(&published, StreamStatus::Publishing).await;
    let inside = host.played(name).await;
    picture_is_fresh(host, &inside).await;
    (published, inside)
}

#[tokio::test]
async fn streams_go_by_a_turn_server_alone_over_udp_tcp_and_tls() {
    let Some((rig, mut host, endpoint)) = scene().await else { return };
    for (place, url) in rig.urls().iter().enumerate() {
        let before = rig.allocations();
        let mut alice = rig.phone_only_by(url).await;
        let name = format!("tv{place}");
        let (published, inside) = seen_at_host(&mut alice, &mut host, &endpoint, &name).await;
        let outside = alice.play(&endpoint.whep(&name)).await;
        alice.stream_status(&outside, StreamStatus::Playing).await;
        picture_is_fresh(&alice, &outside).await;
        assert_eq!(rig.allocations(), before + 2, "{url}: {}", rig.coturn.log());
        alice.done(Command::UnPublishStream { stream_id: published }).await;
        alice.finish().await;
        host.stream_status(&inside, StreamStatus::Stopped).await;
    }
    host.finish().await;
}

#[tokio::test]
async fn a_server_that_came_with_the_endpoints_answer_is_used() {
    let Some((rig, mut host, endpoint)) = scene().await else { return };
    for (place, url) in rig.urls().iter().take(2).enumerate() {
        endpoint.link(format!(
            "<{url}>; rel=\"ice-server\"; username=\"mara\"; credential=\"secret\"; credential-type=\"password\""
        ));
        // One of the settings that nobody listens at, so that streams may be for relays alone.
        let silent = format!("turn:127.0.0.1:{}?transport=tcp", free_port(LOOPBACK).unwrap());
        let mut alice = rig.phone_only_by(&silent).await;
        let name = format!("tv{place}");
        let (_, inside) = seen_at_host(&mut alice, &mut host, &endpoint, &name).await;
        assert!(rig.allocations() > place, "{}", rig.coturn.log());
        alice.finish().await;
        host.stream_status(&inside, StreamStatus::Stopped).await;
    }
    host.finish().await;
}

#[tokio::test]
async fn a_server_of_no_use_is_told_in_words_and_the_stream_goes_on_without_it() {
    let Some((rig, host, endpoint)) = scene().await else { return };
    let [udp, tcp, tls] = rig.urls();
    let nobody = format!("turn:127.0.0.1:{}?transport=tcp", free_port(LOOPBACK).unwrap());
    let foreign = format!("turns:localhost:{}", rig.coturn.tls().unwrap().port());
    for (url, password, ca, words) in [
        (&udp, "hunter2", true, "does not accept the user name and password"),
        (&tcp, "hunter2", true, "does not accept the user name and password"),
        (&nobody, "secret", true, "nobody listens there"),
        (&tls, "secret", false, "settings of streams as trusted CA"),
        (&foreign, "secret", true, "not for localhost"),
        (
            &"turn:nowhere.invalid".to_owned(),
            "secret",
            true,
            "turn:nowhere.invalid:3478?transport=udp is left out",
        ),
        (&udp, "", true, "its password is not known"),
    ] {
        let mut settings = by(url);
        settings.video.trusted_ca = ca.then(|| rig.authority.pem());
        let mut alice = Phone::start(settings).await;
        if !password.is_empty() {
            tell_password(&alice, url, password).await;
        }
        let published = alice.publish(&endpoint.whip("tv"), bars_and_tone()).await;
        assert_eq!(alice.notice(words).await, NoticeLevel::Warning);
        alice
            .until("the stream", |state| {
                state.streams.first().is_some_and(|it| it.status == Some(StreamStatus::Publishing))
            })
            .await;
        alice.done(Command::UnPublishStream { stream_id: published }).await;
        let seen = format!("{:?}", alice.finish().await);
        assert!(!seen.contains("hunter2"));
    }
    host.finish().await;
}

#[tokio::test]
async fn where_streams_may_go_by_relays_alone_and_there_is_none_they_fail_in_words() {
    let Some((rig, host, endpoint)) = scene().await else { return };
    let mut alice = Phone::start(only_by(&rig.coturn.url("udp"), &rig.authority.pem())).await;
    let published = alice.publish(&endpoint.whip("tv"), bars_and_tone()).await;
    let info = alice.stream_status(&published, StreamStatus::Failed).await;
    assert_eq!(info, "streams are to go by a TURN server alone, and none can be used");
    assert_eq!(endpoint.sessions(), 0, "the session was deleted");
    alice.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn a_relay_that_dies_ends_the_connection_and_the_stream_comes_back_with_it() {
    let Some((mut rig, host, endpoint)) = scene().await else { return };
    let url = rig.coturn.url("tcp");
    let mut alice = rig.phone_only_by(&url).await;
    let published = alice.publish(&endpoint.whip("tv"), bars_and_tone()).await;
    alice.stream_status(&published, StreamStatus::Publishing).await;
    rig.coturn.kill();
    assert_eq!(alice.notice("the connection").await, NoticeLevel::Warning);
    alice.until("the loss", |state| state.streams.first().is_some_and(|it| it.retry_at.is_some())).await;
    alice.done(Command::UnPublishStream { stream_id: published }).await;
    alice.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn passwords_are_for_servers_of_the_settings_and_what_a_client_says_of_them_is_not_believed() {
    let mut alice = Phone::start(by("turn:relay.example")).await;
    let set = |url: &str, user: &str, secret: Option<&str>, remember| Command::SetSecret {
        of: SecretUse::IceServer { url: url.into(), user: user.into() },
        secret: secret.map(Secret::new),
        remember,
    };
    for (url, user) in [("turn:other.example", "mara"), ("turn:relay.example", "tom"), ("nonsense", "mara")] {
        let refused = alice.ask(set(url, user, Some("secret"), false)).await.unwrap_err();
        assert!(refused.message.contains("ICE server"), "{refused}");
    }
    let kept = |phone: &Phone| phone.state().settings.video.ice_servers[0].password_kept;
    let mut video = alice.state().settings.video.clone();
    video.ice_servers[0].password_kept = true;
    let change =
        |video| Command::ChangeSettings(SettingsChange { video: Some(video), ..SettingsChange::default() });
    alice.done(change(video.clone())).await;
    alice.check().await;
    assert!(!kept(&alice));
    alice.done(set("TURN:relay.example:3478", "mara", Some("secret"), true)).await;
    alice.until("it is kept", |state| state.settings.video.ice_servers[0].password_kept).await;
    video.ice_servers[0].password_kept = false;
    video.width = 320;
    alice.done(change(video.clone())).await;
    alice.check().await;
    assert!(kept(&alice));
    alice.done(set("turn:relay.example", "mara", None, false)).await;
    alice.check().await;
    assert!(!kept(&alice));
    alice.finish().await;
}

/// Says this to whoever connects, and closes.
async fn says(bytes: &'static [u8]) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut first = [0; 1];
            let _ = stream.read(&mut first).await;
            let _ = stream.write_all(bytes).await;
        }
    });
    address
}

#[tokio::test]
async fn a_turn_server_that_talks_nonsense_over_a_stream_is_told_and_left() {
    let host = Phone::start(small(gateway())).await;
    let endpoint = Endpoint::start(host.handle.clone()).await;
    for (scheme, query, bytes, words) in [
        ("turn", "?transport=tcp", &[0xff; 3_000][..], "no STUN message"),
        ("turn", "?transport=tcp", b"HTTP/1.1 400 Bad Request\r\n\r\n", "the connection"),
        ("turn", "?transport=tcp", b"", "the connection"),
        ("turns", "", b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak TLS"),
    ] {
        let url = format!("{scheme}:{}{query}", says(bytes).await);
        let mut alice = Phone::start(by(&url)).await;
        tell_password(&alice, &url, "secret").await;
        let published = alice.publish(&endpoint.whip("tv"), bars_and_tone()).await;
        assert_eq!(alice.notice(words).await, NoticeLevel::Warning);
        alice
            .until("the stream", |state| {
                state.streams.first().is_some_and(|it| it.status == Some(StreamStatus::Publishing))
            })
            .await;
        alice.done(Command::UnPublishStream { stream_id: published }).await;
        alice.finish().await;
    }
    host.finish().await;
}
