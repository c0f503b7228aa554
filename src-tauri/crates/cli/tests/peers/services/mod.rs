//! What an account does besides calls, and what rules do with calls: against Kamailio, SIPp and baresip.

mod lines;
mod mailbox;
mod messages;
mod outbound;
mod rules;

use super::phone::{Phone, SOON, text};
use serde_json::{Value, json};
use sidetone_testkit::{Room, Sipp, SippOptions};
use std::{net::SocketAddr, time::Duration};

const PATIENCE: Duration = Duration::from_secs(20);

/// A phone whose account has these lines in its file.
fn phone(room: &Room, user: &str, domain: &str, lines: &str, extra: &[&str]) -> Phone {
    let file = room.dir().join(format!("{user}.toml"));
    let account =
        format!("aor = \"sip:{user}@{domain}\"\npassword-env = \"SIDETONE_TEST_PASSWORD\"\n{lines}\n");
    std::fs::write(&file, account).unwrap();
    let mut arguments = vec!["--account".to_owned(), text(&file)];
    arguments.extend(["--mic", "silence", "--speaker", "null"].map(String::from));
    arguments.extend(extra.iter().map(|argument| (*argument).to_owned()));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut phone = Phone::start(&arguments);
    phone.wait("the session", SOON, |value| value["event"] == "SessionChanged");
    phone
}

fn registered(room: &Room, user: &str, domain: SocketAddr, lines: &str) -> Phone {
    let mut phone = phone(room, user, &domain.to_string(), lines, &[]);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    phone
}

/// SIPp with a scenario whose words in brackets are these.
fn sipp(
    room: &Room,
    scenario: &str,
    target: Option<SocketAddr>,
    fields: &[&str],
    keys: &[(&str, &str)],
) -> Sipp {
    let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
    let options = SippOptions {
        scenario,
        target,
        fields: if fields.is_empty() { Vec::new() } else { vec![fields] },
        keys: keys.iter().map(|(key, value)| (*key, (*value).to_owned())).collect(),
        log: true,
        ..SippOptions::default()
    };
    Sipp::start(room.dir(), &options).unwrap()
}

fn clean(mut sipp: Sipp) -> String {
    let outcome = sipp.wait(PATIENCE).unwrap();
    assert!(outcome.is_clean(1), "{outcome:?}\n{}", sipp.messages());
    sipp.messages()
}

fn change_calls(phone: &mut Phone, calls: Value) {
    let reply = phone.ask(json!({"command": "changeSettings", "calls": calls}));
    assert_eq!(reply["reply"]["reply"], "done", "{reply}");
}
