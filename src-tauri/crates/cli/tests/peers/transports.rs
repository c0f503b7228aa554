//! TLS, WebSockets and DNS, at Kamailio with certificates of an authority of ours and names of a server of ours.

use super::phone::{Phone, SOON, text};
use serde_json::{Value, json};
use sidetone_testkit::{
    AnswerMode, Baresip, BaresipOptions, CertificateOptions, DnsServer, Kamailio, KamailioOptions, Needs,
    Room, TestAuthority, TestCertificate, room,
};
use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    time::Duration,
};

/// The domain that Kamailio serves.
const DOMAIN: &str = "sip.test";
const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

fn needs() -> Needs {
    Needs::tools(&["kamailio", "baresip"]).network()
}

struct World {
    proxy: Kamailio,
    dns: DnsServer,
    authority: TestAuthority,
    ca: PathBuf,
}

fn for_domain<'a>() -> CertificateOptions<'a> {
    CertificateOptions { dns: &[DOMAIN], ..CertificateOptions::default() }
}

/// A proxy with a certificate that `issue` makes, and the addresses of its name.
fn world(room: &Room, issue: impl FnOnce(&TestAuthority) -> TestCertificate) -> World {
    let authority = TestAuthority::new("Example CA").unwrap();
    let certificate = issue(&authority);
    let options = KamailioOptions { tls: Some(&certificate), ..KamailioOptions::default() };
    let proxy = Kamailio::start(room.dir(), &options).unwrap();
    let dns = DnsServer::start(IpAddr::V4(LOOPBACK)).unwrap();
    dns.host(DOMAIN, LOOPBACK);
    dns.host("edge.test", LOOPBACK);
    let ca = room.dir().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    World { proxy, dns, authority, ca }
}

fn good(room: &Room) -> World {
    world(room, |authority| authority.issue(&for_domain()).unwrap())
}

impl World {
    /// The port where TLS is spoken.
    fn secure_port(&self) -> u16 {
        self.proxy.tls().unwrap().port()
    }

    /// Alice of the domain, whose names come from our server, with her authority trusted.
    fn alice(&self, extra: &[&str]) -> Phone {
        let (dns, ca) = (self.dns.address().to_string(), text(&self.ca));
        let given = ["--dns", &dns, "--trusted-ca", &ca];
        Phone::with_account(&format!("sip:alice@{DOMAIN}"), &[&given[..], extra].concat())
    }

    /// Publishes the port for TLS under the name of another host: the domain's certificate counts, not that host's.
    fn publish_tls(&self) {
        self.dns.srv(&format!("_sips._tcp.{DOMAIN}"), 0, 0, self.secure_port(), "edge.test");
    }
}

/// How the link is spoken to, as the session told last.
fn signalling(phone: &mut Phone) -> Value {
    let shown = |value: &Value| value["session"]["signalling"]["transport"].is_string();
    if let Some(seen) = phone.seen.iter().rev().find(|value| shown(value)) {
        return seen["session"]["signalling"].clone();
    }
    phone.wait("how the link is spoken to", SOON, shown)["session"]["signalling"].clone()
}

fn hears(phone: &mut Phone) {
    phone.wait("sound", SOON, |value| {
        value["event"] == "CallMeasured"
            && value["statistics"]["packetsReceived"].as_u64().is_some_and(|packets| packets > 20)
    });
}

/// Registers, calls baresip through the proxy, and is called by it, all over one transport.
fn calls_both_ways(room: &Room, world: &World, transport: &str, extra: &[&str]) -> Value {
    let registrar = Some(world.proxy.address());
    let options =
        BaresipOptions { user: "bob", registrar, answer: AnswerMode::Auto, ..BaresipOptions::default() };
    let mut baresip = Baresip::start(room.dir(), &options).unwrap();
    let mut phone =
        world.alice(&[&["--transport", transport, "--mic", "tone", "--speaker", "null"], extra].concat());
    phone.status("RegistrationStatusEvent", "REGISTERED");
    let link = signalling(&mut phone);
    assert_eq!(link["transport"], transport, "{link}");

    let call = phone.call("bob");
    phone.status("CallStatusEvent", "ESTABLISHED");
    hears(&mut phone);
    let view = phone.seen.iter().rev().find(|value| value["call"]["signalling"].is_object()).unwrap();
    assert_eq!(view["call"]["signalling"]["transport"], transport, "{view}");
    assert_eq!(view["call"]["signalling"]["secure"], link["secure"], "{view}");
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    baresip.wait_event("CALL_CLOSED", SOON).unwrap();

    baresip.dial(&world.proxy.aor("alice")).unwrap();
    let incoming = phone.wait("OnCallEvent", SOON, |value| value["event"] == "OnCallEvent");
    phone.ask(json!({"command": "answer", "callId": incoming["callId"]}));
    phone.status("CallStatusEvent", "ESTABLISHED");
    hears(&mut phone);
    baresip.hang_up().unwrap();
    phone.status("CallStatusEvent", "FINISH");
    phone.finish();
    link
}

#[test]
fn calls_go_both_ways_over_tls() {
    let Some(room) = room!(needs()) else { return };
    let world = good(&room);
    world.publish_tls();
    let link = calls_both_ways(&room, &world, "tls", &[]);
    assert_eq!(link["secure"], true);
    assert_eq!(link["info"], "TLS 1.3, certificate of sip.test by Example CA");
    assert_eq!(link["remote"], world.proxy.tls().unwrap().to_string());
}

#[test]
fn calls_go_both_ways_over_a_websocket() {
    let Some(room) = room!(needs()) else { return };
    let world = good(&room);
    let url = format!("ws://{DOMAIN}:{}/", world.proxy.address().port());
    let link = calls_both_ways(&room, &world, "ws", &["--websocket-url", &url]);
    assert_eq!((&link["secure"], &link["info"]), (&json!(false), &json!("not encrypted")));
}

#[test]
fn calls_go_both_ways_over_a_secure_websocket() {
    let Some(room) = room!(needs()) else { return };
    let world = good(&room);
    let url = format!("wss://{DOMAIN}:{}/", world.secure_port());
    let link = calls_both_ways(&room, &world, "wss", &["--websocket-url", &url]);
    assert_eq!(link["secure"], true);
    assert_eq!(link["info"], "TLS 1.3, certificate of sip.test by Example CA");
}

/// The connection fails with these words, and nothing is registered.
fn fails(phone: &mut Phone, words: &[&str]) {
    let event = phone.status("ConnectionStatusEvent", "FAILED");
    let info = event["info"].as_str().unwrap();
    for word in words {
        assert!(info.contains(word), "{word:?} is not in {info:?}");
    }
    assert!(!phone.seen.iter().any(|value| value["status"] == "REGISTERED"));
}

#[test]
fn certificates_that_are_not_as_they_should_be_are_refused_with_the_reason_in_words() {
    let Some(room) = room!(Needs::tools(&["kamailio"]).network()) else { return };
    for transport in ["tls", "wss"] {
        let refused = |issue: &dyn Fn(&TestAuthority) -> TestCertificate, trusted: bool, words: &[&str]| {
            let world = world(&room, issue);
            world.publish_tls();
            let (dns, url) =
                (world.dns.address().to_string(), format!("wss://{DOMAIN}:{}/", world.secure_port()));
            let mut extra = vec!["--transport", transport, "--dns", &dns];
            if transport == "wss" {
                extra.extend(["--websocket-url", &url]);
            }
            let ca = text(&world.ca);
            if trusted {
                extra.extend(["--trusted-ca", &ca]);
            }
            fails(&mut Phone::with_account(&format!("sip:alice@{DOMAIN}"), &extra), words);
        };
        // The name of the SRV target is not the one that counts.
        let wrong = |authority: &TestAuthority| {
            authority.issue(&CertificateOptions { dns: &["edge.test"], ..for_domain() }).unwrap()
        };
        refused(&wrong, true, &["for edge.test, not for sip.test", "use the name"]);
        let expired = |authority: &TestAuthority| {
            authority.issue(&CertificateOptions { until_year: 2024, ..for_domain() }).unwrap()
        };
        refused(&expired, true, &["expired on 2024-01-01", "renew"]);
        let own = |_: &TestAuthority| TestCertificate::self_signed(&for_domain()).unwrap();
        refused(&own, true, &["self-signed", "trusted CA"]);
        let private = |authority: &TestAuthority| authority.issue(&for_domain()).unwrap();
        refused(&private, false, &["issuer Example CA is unknown", "trusted CA"]);
        let client = |authority: &TestAuthority| {
            authority.issue(&CertificateOptions { for_servers: false, ..for_domain() }).unwrap()
        };
        refused(&client, true, &["not one for a TLS server"]);
    }
}

#[test]
fn plain_tcp_where_tls_is_expected_is_said_so() {
    let Some(room) = room!(Needs::tools(&["kamailio"]).network()) else { return };
    let world = good(&room);
    world.dns.srv(&format!("_sips._tcp.{DOMAIN}"), 0, 0, world.proxy.address().port(), DOMAIN);
    let mut phone = world.alice(&["--transport", "tls"]);
    let event = phone.status_within("ConnectionStatusEvent", "FAILED", Duration::from_secs(20));
    assert!(event["info"].as_str().unwrap().contains("TLS"), "{event}");
}

#[test]
fn a_dead_server_of_first_priority_is_passed_over() {
    let Some(room) = room!(Needs::tools(&["kamailio"]).network()) else { return };
    let world = good(&room);
    let name = format!("_sips._tcp.{DOMAIN}");
    // Nobody listens at the first; the second has no address; the third lives.
    world.dns.srv(&name, 1, 0, 9, "edge.test");
    world.dns.srv(&name, 2, 0, 5061, "gone.test");
    world.dns.srv(&name, 3, 0, world.secure_port(), "edge.test");
    let mut phone = world.alice(&["--transport", "tls"]);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    assert_eq!(signalling(&mut phone)["remote"], world.proxy.tls().unwrap().to_string());
    phone.finish();
}

#[test]
fn naptr_chooses_tls_for_an_account_that_names_no_transport() {
    let Some(room) = room!(Needs::tools(&["kamailio"]).network()) else { return };
    let world = good(&room);
    world.dns.naptr(DOMAIN, 20, "SIP+D2U", &format!("_sip._udp.{DOMAIN}"));
    world.dns.naptr(DOMAIN, 10, "SIPS+D2T", &format!("_sips._tcp.{DOMAIN}"));
    world.dns.srv(&format!("_sip._udp.{DOMAIN}"), 0, 0, world.proxy.address().port(), "edge.test");
    world.publish_tls();
    let mut phone = world.alice(&[]);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    let link = signalling(&mut phone);
    assert_eq!((&link["transport"], &link["secure"]), (&json!("tls"), &json!(true)), "{link}");
    phone.finish();
}

/// Saves an account with the password of all and connects it.
fn add_account(phone: &mut Phone, account: &Value) -> String {
    let reply = phone
        .ask(json!({"command": "saveAccount", "account": account, "password": "secret", "remember": false}));
    assert!(reply["reply"].is_object(), "{reply}");
    let id = &account["id"];
    let fits = |value: &Value| value["session"]["accountId"] == *id;
    let found = phone.seen.iter().rev().find(|value| fits(value)).cloned();
    let session = found.unwrap_or_else(|| phone.wait("a session", SOON, fits));
    session["session"]["sessionId"].as_str().unwrap().to_owned()
}

#[test]
fn three_accounts_register_at_once_over_three_transports() {
    let Some(room) = room!(Needs::tools(&["kamailio"]).network()) else { return };
    let world = good(&room);
    world.publish_tls();
    let mut phone = world.alice(&["--transport", "tls"]);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    let udp = world.proxy.address().port();
    let url = format!("wss://{DOMAIN}:{}/", world.secure_port());
    let bob =
        json!({"id": "bob", "name": "Bob", "aor": format!("sip:bob@{DOMAIN}:{udp}"), "transport": "udp"});
    let carol = json!({"id": "carol", "name": "Carol", "aor": format!("sip:carol@{DOMAIN}"),
        "websocketUrl": url, "trustedCa": world.authority.pem()});
    for account in [bob, carol] {
        let session = add_account(&mut phone, &account);
        phone.wait("its registration", SOON, |value| {
            value["event"] == "RegistrationStatusEvent"
                && value["status"] == "REGISTERED"
                && value["sessionId"] == session.as_str()
        });
    }
    let snapshot = phone.ask(json!({"command": "getSnapshot"}));
    let sessions = snapshot["reply"]["snapshot"]["sessions"].as_array().unwrap();
    let mut transports: Vec<&str> =
        sessions.iter().map(|session| session["signalling"]["transport"].as_str().unwrap()).collect();
    transports.sort_unstable();
    assert_eq!(transports, ["tls", "udp", "wss"]);
    phone.finish();
}

#[test]
fn an_account_that_does_not_trust_the_authority_does_not_share_the_connection_of_one_that_does() {
    let Some(room) = room!(Needs::tools(&["kamailio"]).network()) else { return };
    let world = good(&room);
    world.publish_tls();
    let mut phone = world.alice(&["--transport", "tls"]);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    let mallory = json!({"id": "m", "name": "M", "aor": format!("sip:m@{DOMAIN}"), "transport": "tls"});
    let session = add_account(&mut phone, &mallory);
    let event = phone.wait("a failure", SOON, |value| {
        value["event"] == "ConnectionStatusEvent" && value["sessionId"] == session.as_str()
    });
    assert_eq!(event["status"], "FAILED", "{event}");
    assert!(event["info"].as_str().unwrap().contains("issuer Example CA is unknown"), "{event}");
    phone.finish();
}

#[test]
fn a_call_outlives_its_connection_and_the_next_request_opens_a_new_one() {
    let Some(room) = room!(needs()) else { return };
    let authority = TestAuthority::new("Example CA").unwrap();
    let certificate = authority.issue(&for_domain()).unwrap();
    let options = KamailioOptions { tls: Some(&certificate), ..KamailioOptions::default() };
    let mut proxy = Kamailio::start(room.dir(), &options).unwrap();
    let (address, tls) = (proxy.address(), proxy.tls().unwrap());
    let dns = DnsServer::start(IpAddr::V4(LOOPBACK)).unwrap();
    dns.host(DOMAIN, LOOPBACK);
    dns.srv(&format!("_sips._tcp.{DOMAIN}"), 0, 0, tls.port(), DOMAIN);
    let ca = room.dir().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let options = BaresipOptions {
        user: "bob",
        registrar: Some(address),
        answer: AnswerMode::Auto,
        ..BaresipOptions::default()
    };
    let mut baresip = Baresip::start(room.dir(), &options).unwrap();
    let (ca, server) = (text(&ca), dns.address().to_string());
    let arguments =
        ["--transport", "tls", "--dns", &server, "--trusted-ca", &ca, "--mic", "tone", "--speaker", "null"];
    let mut phone = Phone::with_account(&format!("sip:alice@{DOMAIN}"), &arguments);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    let call = phone.call("bob");
    phone.status("CallStatusEvent", "ESTABLISHED");
    hears(&mut phone);

    proxy.kill();
    let session =
        phone.seen.iter().find_map(|value| value["session"]["sessionId"].as_str()).unwrap().to_owned();
    let register = json!({"command": "register", "sessionId": session});
    // Does not wait for the time when it would be tried again by itself.
    phone.ask(register.clone());
    phone.status("RegistrationStatusEvent", "UNREGISTERED");
    let packets = |value: &Value| value["statistics"]["packetsReceived"].as_u64();
    let before = phone.wait("sound without a proxy", SOON, |value| packets(value).is_some());
    let before = packets(&before).unwrap();
    phone.wait("more sound", SOON, |value| packets(value).is_some_and(|now| now > before + 50));
    assert_eq!(phone.statuses_of(&call).last().unwrap(), "ESTABLISHED");

    let options = KamailioOptions {
        tls: Some(&certificate),
        port: Some(address.port()),
        tls_port: Some(tls.port()),
        ..KamailioOptions::default()
    };
    let _again = Kamailio::start(room.dir(), &options).unwrap();
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    baresip.wait_event("CALL_CLOSED", SOON).unwrap();
    // It registers again by itself, perhaps before the call was over.
    let mut registrations = phone.seen.iter().filter(|value| value["event"] == "RegistrationStatusEvent");
    if registrations.next_back().is_some_and(|value| value["status"] != "REGISTERED") {
        phone.ask(register);
        phone.status("RegistrationStatusEvent", "REGISTERED");
    }
    phone.finish();
}
