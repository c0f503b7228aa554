//! What is answered on the wire to hand-made messages, good and bad, in the spirit of RFC 4475 and RFC 5118. The phone runs as a
//! process of its own; nothing here is built or read by our own SIP code.

mod calls;
mod challenges;
mod floods;
mod forks;
mod gateway;
mod hostile;
mod legal;
mod login;
mod passwords;
mod peer;
mod raw;
mod refusals;
mod reply;
mod silence;
mod streams;

use super::phone::{Phone, SOON};
use std::net::SocketAddr;

/// Where the phone of these tests listens.
const PHONE: &str = "127.0.0.1:5066";

/// What the phone says that it takes.
const ALLOWED: [&str; 11] =
    ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "PRACK", "UPDATE", "INFO", "REFER", "NOTIFY", "MESSAGE"];

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A phone that is called `alice` and registers nowhere.
fn alice() -> Phone {
    let mut phone = Phone::with_account("sip:alice@127.0.0.1", &["--no-register", "--sip-port", "5066"]);
    phone.wait("the session", SOON, |value| value["event"] == "SessionChanged");
    phone
}
