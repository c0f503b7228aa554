//! The password of an account is for its own server: nobody else gets an answer to a challenge, from which it could be guessed.

use super::{super::phone::Phone, PHONE, SOON, address, peer::Peer, raw::OFFER};
use serde_json::json;
use sidetone_testkit::{Needs, room};
use std::net::{SocketAddr, UdpSocket};

/// The challenge of the account's own realm, as weak as can be.
const CHALLENGE: &str = "Digest realm=\"home\", nonce=\"abc\", algorithm=MD5";

/// A server that answers by hand.
pub(super) struct Server(pub(super) UdpSocket);

/// A request that the phone sent.
pub(super) struct Got {
    pub(super) text: String,
    pub(super) from: SocketAddr,
}

impl Got {
    pub(super) fn is(&self, method: &str) -> bool {
        self.text.starts_with(&format!("{method} "))
    }

    pub(super) fn has_credentials(&self) -> bool {
        self.text.to_ascii_lowercase().contains("authorization:")
    }

    pub(super) fn line(&self, name: &str) -> &str {
        let line = self.text.lines().find(|line| line.starts_with(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }
}

impl Server {
    pub(super) fn at(text: &str) -> Self {
        let socket = UdpSocket::bind(address(text)).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        Self(socket)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    pub(super) fn next(&self) -> Got {
        let mut buffer = vec![0; 65_536];
        let (length, from) = self.0.recv_from(&mut buffer).expect("the phone sends something");
        Got { text: String::from_utf8(buffer[..length].into()).unwrap(), from }
    }

    pub(super) fn next_of(&self, method: &str) -> Got {
        loop {
            let got = self.next();
            if got.is(method) {
                return got;
            }
        }
    }

    pub(super) fn reply(&self, to: &Got, status: &str, extra: &str, body: &str) {
        let copied: Vec<&str> = ["Via", "From", "Call-ID", "CSeq"].map(|name| to.line(name)).into();
        let tag = if to.line("To").contains(";tag=") { "" } else { ";tag=server" };
        let text = format!(
            "SIP/2.0 {status}\r\n{}\r\n{}{tag}\r\n{extra}Content-Length: {}\r\n\r\n{body}",
            copied.join("\r\n"),
            to.line("To"),
            body.len()
        );
        self.0.send_to(text.as_bytes(), to.from).unwrap();
    }

    pub(super) fn challenge(&self, to: &Got, status: u16) {
        let header = if status == 407 { "Proxy-Authenticate" } else { "WWW-Authenticate" };
        self.reply(to, &format!("{status} Who Are You"), &format!("{header}: {CHALLENGE}\r\n"), "");
    }

    /// Nothing with credentials comes before the answer to an OPTIONS of ours, which is sent after all that was asked before.
    pub(super) fn assert_no_credentials(&self, name: &str) {
        let source = self.address();
        let options = format!(
            "OPTIONS sip:alice@{PHONE} SIP/2.0\r\nVia: SIP/2.0/UDP {source};branch=z9hG4bK{name}\r\nMax-Forwards: 70\r\n\
             From: <sip:m@{source}>;tag=m\r\nTo: <sip:alice@{PHONE}>\r\nCall-ID: {name}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
        self.0.send_to(options.as_bytes(), address(PHONE)).unwrap();
        loop {
            let got = self.next();
            assert!(!got.has_credentials(), "{name}: {}", got.text);
            if got.text.starts_with("SIP/2.0 200") && got.line("Call-ID").ends_with(name) {
                return;
            }
        }
    }
}

/// A phone that its home at 127.0.0.1 knows, which has asked for the password and got the right kind of answer.
pub(super) fn at_home() -> (Server, Phone) {
    let home = Server::at("127.0.0.1:5090");
    let mut phone = Phone::with_account("sip:alice@127.0.0.1:5090", &["--sip-port", "5066"]);
    log_in(&home, &mut phone);
    (home, phone)
}

/// The phone registers with its password.
pub(super) fn log_in(home: &Server, phone: &mut Phone) {
    let register = home.next_of("REGISTER");
    assert!(!register.has_credentials());
    home.challenge(&register, 401);
    let register = home.next_of("REGISTER");
    assert!(register.has_credentials() && register.text.contains("username=\"alice\""), "{}", register.text);
    let contact = register.line("Contact").to_owned();
    home.reply(&register, "200 OK", &format!("{contact};expires=600\r\n"), "");
    phone.status("RegistrationStatusEvent", "REGISTERED");
}

pub(super) fn status(phone: &mut Phone, status: &str) {
    phone.status("CallStatusEvent", status);
}

#[test]
fn a_caller_who_challenges_our_bye_gets_no_answer() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let (_home, mut phone) = at_home();
    for code in [401, 407] {
        let mallory = Server::at("127.0.0.2:0");
        let peer = Peer { socket: mallory.0.try_clone().unwrap(), target: address(PHONE) };
        let invite = peer.invite();
        let ringing = peer.status("ringing", &invite, 180);
        let call = phone.status("CallStatusEvent", "RING")["callId"].clone();
        phone.ask(json!({"command": "answer", "callId": call}));
        peer.until("200", |reply| reply.status == 200);
        let ack = peer.request("ACK").set("To", ringing.get("To").unwrap());
        let ack = ack.set("From", invite.get("From").unwrap()).set("Call-ID", invite.get("Call-ID").unwrap());
        peer.send(&ack.set("CSeq", invite.get("CSeq").unwrap().replace("INVITE", "ACK")).bytes());
        phone.ask(json!({"command": "hangup", "callId": call}));
        let bye = mallory.next_of("BYE");
        assert!(!bye.has_credentials(), "{}", bye.text);
        mallory.challenge(&bye, code);
        mallory.assert_no_credentials(&format!("bye-{code}"));
        status(&mut phone, "FINISH");
    }
}

#[test]
fn a_callee_elsewhere_who_challenges_our_invite_gets_no_answer() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let (_home, mut phone) = at_home();
    for code in [401, 407] {
        let mallory = Server::at("127.0.0.2:0");
        phone.call(&format!("sip:mallory@{}", mallory.address()));
        let invite = mallory.next_of("INVITE");
        assert!(!invite.has_credentials(), "{}", invite.text);
        mallory.challenge(&invite, code);
        mallory.assert_no_credentials(&format!("invite-{code}"));
        status(&mut phone, "FAILED");
    }
}

#[test]
fn who_our_own_server_sends_us_to_gets_no_answer_either() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let (home, mut phone) = at_home();
    let mallory = Server::at("127.0.0.2:0");
    let elsewhere = format!("Contact: <sip:mallory@{}>\r\n", mallory.address());
    // Redirected before the call.
    phone.call("bob");
    let invite = home.next_of("INVITE");
    home.challenge(&invite, 407);
    home.next_of("ACK");
    let invite = home.next_of("INVITE");
    assert!(invite.has_credentials(), "our own server gets its answer");
    home.reply(&invite, "302 Moved Temporarily", &elsewhere, "");
    let invite = mallory.next_of("INVITE");
    assert!(!invite.has_credentials(), "{}", invite.text);
    mallory.challenge(&invite, 407);
    mallory.assert_no_credentials("redirected");
    status(&mut phone, "FAILED");
    // Handed over by the Contact of the 200.
    let call = phone.call("bob");
    let invite = home.next_of("INVITE");
    home.reply(
        &invite,
        "200 OK",
        &format!("{elsewhere}Content-Type: application/sdp\r\n"),
        &OFFER.replace(" 0 8", " 0"),
    );
    let ack = mallory.next_of("ACK");
    assert!(!ack.has_credentials(), "{}", ack.text);
    status(&mut phone, "ESTABLISHED");
    phone.ask(json!({"command": "hangup", "callId": call}));
    let bye = mallory.next_of("BYE");
    assert!(!bye.has_credentials(), "{}", bye.text);
    mallory.challenge(&bye, 401);
    mallory.assert_no_credentials("handed-over");
    status(&mut phone, "FINISH");
}
