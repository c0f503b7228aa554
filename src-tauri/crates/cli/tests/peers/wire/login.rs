//! 401 and 407: RFC 3261 section 22. The registrar with a list of users, over a socket of this test; the gateway of this version
//! lets everybody on its machine in.

use super::{
    peer::Peer,
    raw::{OFFER, Raw},
    reply::Reply,
};
use md5::{Digest, Md5};
use sidetone_sip::{
    Config, Event, Hop, Input, Output, RegistrarConfig, Transport, UserAgent, Users, digest::Credentials,
};
use std::{
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

/// Runs a registrar for `bob` and `carol`, who refuses every call with 486, until the end of the process.
fn registrar() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let local = socket.local_addr().unwrap();
    let users = vec![Credentials::new("bob", "secret"), Credentials::new("carol", "other")];
    let settings = RegistrarConfig { users: Users::List(users), ..RegistrarConfig::default() };
    let mut agent = UserAgent::new(Config { registrar: Some(settings), ..Config::default() }, [7; 32]);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        loop {
            let now = Instant::now();
            let pause = agent.poll_timeout().map_or(Duration::MAX, |at| at.saturating_duration_since(now));
            let pause = pause.clamp(Duration::from_millis(1), Duration::from_secs(1));
            socket.set_read_timeout(Some(pause)).unwrap();
            match socket.recv_from(&mut buffer) {
                Ok((length, remote)) => {
                    let hop = Hop::new(Transport::Udp, local, remote);
                    agent.handle_input(Instant::now(), Input::Datagram { hop, bytes: &buffer[..length] });
                }
                Err(_) => agent.handle_timeout(Instant::now()),
            }
            while let Some(output) = agent.poll_output() {
                match output {
                    Output::Transmit { hop, bytes } => drop(socket.send_to(&bytes, hop.remote)),
                    Output::Event(Event::Incoming { call, .. }) => {
                        agent.reject(Instant::now(), call, 486, "")
                    }
                    _ => {}
                }
            }
        }
    });
    local
}

/// The challenge for MD5.
struct Challenge {
    realm: String,
    nonce: String,
}

impl Challenge {
    /// Panics unless there is one for each algorithm, with all that it takes.
    fn of(name: &str, reply: &Reply, header: &str) -> Self {
        let all = reply.all(header);
        let of = |algorithm: &str| all.iter().find(|value| value.contains(&format!("algorithm={algorithm}")));
        let (Some(_), Some(md5), 2) = (of("SHA-256"), of("MD5"), all.len()) else {
            panic!("{name}: SHA-256 and MD5 are not offered: {reply:#?}")
        };
        assert!(md5.starts_with("Digest ") && md5.contains("qop=\"auth\""), "{name}: {md5}");
        let field =
            |key: &str| md5.split(&format!("{key}=\"")).nth(1).and_then(|rest| rest.split('"').next());
        let field = |key: &str| field(key).unwrap_or_else(|| panic!("{name}: no {key}")).to_owned();
        Self { realm: field("realm"), nonce: field("nonce") }
    }

    /// RFC 2617 section 3.2.2, with qop=auth.
    fn answer(&self, request: &Raw, user: &str, password: &str, nc: u32) -> String {
        let mut words = request.start.split(' ');
        let (method, uri) = (words.next().unwrap(), words.next().unwrap());
        let hash =
            |text: String| Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (realm, nonce) = (&self.realm, &self.nonce);
        let secret = hash(format!("{user}:{realm}:{password}"));
        let what = hash(format!("{method}:{uri}"));
        let response = hash(format!("{secret}:{nonce}:{nc:08x}:c0ffee:auth:{what}"));
        format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", \
             algorithm=MD5, cnonce=\"c0ffee\", qop=auth, nc={nc:08x}"
        )
    }
}

#[test]
fn a_register_gets_401_until_its_credentials_are_right() {
    let target = registrar();
    let peer = Peer::new(&target.to_string());
    let register = || {
        let request = peer.request_to("REGISTER", &format!("sip:{target}"));
        request.set("To", format!("<sip:bob@{target}>")).with("Expires", "600")
    };
    let first = peer.answer("no credentials", &register());
    assert_eq!(first.status, 401);
    let challenge = Challenge::of("no credentials", &first, "WWW-Authenticate");
    let signed = |user: &str, password: &str, nc: u32| {
        let request = register();
        let answer = challenge.answer(&request, user, password, nc);
        request.with("Authorization", answer)
    };
    let changed = |from: &str, to: &str| {
        signed("bob", "secret", 1).change("Authorization", |value| value.replace(from, to))
    };
    let cases = [
        ("a wrong password", signed("bob", "wrong", 1)),
        ("an unknown user", signed("mallory", "secret", 1)),
        ("another realm", changed("realm=\"sidetone\"", "realm=\"elsewhere\"")),
        ("a nonce of our own making", changed(&challenge.nonce, "0123456789abcdef")),
        ("the answer to another URI", changed("uri=\"sip:", "uri=\"sip:x")),
        ("an algorithm that was not offered", changed("MD5", "SHA-512-256")),
        ("no count", changed(", nc=00000001", "")),
        ("another scheme", register().with("Authorization", "Basic Ym9iOnNlY3JldA==")),
        ("credentials for a proxy", {
            let request = signed("bob", "secret", 1);
            let value = request.get("Authorization").unwrap().to_owned();
            request.without("Authorization").with("Proxy-Authorization", value)
        }),
    ];
    for (name, request) in cases {
        let reply = peer.answer(name, &request);
        assert_eq!(reply.status, 401, "{name}: {reply:#?}");
        Challenge::of(name, &reply, "WWW-Authenticate");
        peer.assert_nothing_but_200(name);
    }
    for broken in [
        "Digest",
        "Digest username",
        "Digest username=\"bob",
        "Digest =,=",
        "Digest realm=sidetone, realm=sidetone",
    ] {
        let reply = peer.answer("broken credentials", &register().with("Authorization", broken));
        assert!(matches!(reply.status, 400 | 401), "{broken}: {reply:#?}");
    }
    assert_eq!(peer.answer("the credentials of carol", &signed("carol", "other", 1)).status, 403);
    let right = signed("bob", "secret", 2);
    let reply = peer.answer("right credentials", &right);
    assert_eq!((reply.status, reply.list("Contact").len()), (200, 1));
    let replayed = peer.answer("the same count again", &signed("bob", "secret", 2));
    assert_eq!(replayed.status, 401);
    assert!(
        replayed.all("WWW-Authenticate").iter().all(|value| value.contains("stale=true")),
        "{replayed:#?}"
    );
    assert_eq!(peer.answer("the next count", &signed("bob", "secret", 3)).status, 200);
}

#[test]
fn an_invite_gets_407_until_its_credentials_are_right() {
    let target = registrar();
    let peer = Peer::new(&target.to_string());
    let invite = || {
        let request = peer.request_to("INVITE", &format!("sip:carol@{target}")).sdp(OFFER);
        request.set("From", format!("<sip:bob@{target}>;tag=caller"))
    };
    let first = invite();
    let reply = peer.answer("no credentials", &first);
    assert_eq!(reply.status, 407);
    let challenge = Challenge::of("no credentials", &reply, "Proxy-Authenticate");
    peer.acknowledge(&first, &reply);
    peer.assert_nothing_but_200("an ACK is not challenged, and OPTIONS needs no credentials");
    let signed = |user: &str, password: &str, nc: u32| {
        let request = invite();
        let answer = challenge.answer(&request, user, password, nc);
        request.with("Proxy-Authorization", answer)
    };
    for (name, status, request) in [
        ("a wrong password", 407, signed("bob", "wrong", 1)),
        ("in the name of another", 403, signed("carol", "other", 1)),
        ("right, and refused by the callee", 486, signed("bob", "secret", 2)),
    ] {
        let reply = peer.answer(name, &request);
        assert_eq!(reply.status, status, "{name}: {reply:#?}");
        peer.acknowledge(&request, &reply);
        peer.assert_alive(name);
    }
    let bye = peer.request_to("BYE", &format!("sip:carol@{target}")).change("To", |to| format!("{to};tag=x"));
    assert_eq!(peer.answer("BYE", &bye).status, 481, "what ends a call is not challenged");
}
