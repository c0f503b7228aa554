//! Transfers with foreign peers: baresip and SIPp, each party in turn.

use super::phone::{Phone, SOON, text};
use serde_json::{Value, json};
use sidetone_testkit::{
    Baresip, BaresipOptions, Needs, Room, Sipp, SippOptions,
    audio::{self, Wav},
    room, until,
};
use std::{net::SocketAddr, path::Path, time::Duration};

const PATIENCE: Duration = Duration::from_secs(20);
const CORRELATED: f64 = 0.7;
/// Where our phone is called without a registrar.
const OURS: &str = "127.0.0.1:5066";

/// A phone that is called at [`OURS`] and obeys REFER so.
fn phone(room: &Room, policy: &str, mic: &str, speaker: &str) -> Phone {
    let account = room.dir().join("alice.toml");
    let lines = format!("aor = \"sip:alice@127.0.0.1\"\nregister = false\nincomingTransfer = \"{policy}\"\n");
    std::fs::write(&account, lines).unwrap();
    let mut phone = Phone::start(&[
        "--account",
        &text(&account),
        "--sip-port",
        "5066",
        "--mic",
        mic,
        "--speaker",
        speaker,
    ]);
    phone.wait("the session", SOON, |value| value["event"] == "SessionChanged");
    phone
}

fn needs(tools: &[&'static str]) -> Needs {
    Needs::tools(tools).network()
}

/// A SIPp that waits for our call.
fn callee(room: &Room, scenario: &str, keys: &[(&'static str, &str)]) -> Sipp {
    let keys = keys.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    Sipp::start(room.dir(), &SippOptions { scenario, keys, echo: true, ..SippOptions::default() }).unwrap()
}

/// A SIPp that calls us as bob.
fn caller(room: &Room, scenario: &str, target: SocketAddr, keys: &[(&'static str, &str)]) -> Sipp {
    let keys = keys.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    let options = SippOptions {
        scenario,
        keys,
        target: Some(target),
        fields: vec![vec!["alice".into(), "bob".into()]],
        echo: true,
        ..SippOptions::default()
    };
    Sipp::start(room.dir(), &options).unwrap()
}

fn ours() -> SocketAddr {
    OURS.parse().unwrap()
}

fn clean(sipp: &mut Sipp) {
    let outcome = sipp.wait(PATIENCE).unwrap();
    assert!(outcome.is_clean(1), "{outcome:?}");
}

fn established(phone: &mut Phone, uri: &str) -> String {
    let call = phone.call(uri);
    status(phone, &call, "ESTABLISHED");
    call
}

fn status(phone: &mut Phone, call: &str, wanted: &str) -> Value {
    phone.wait(&format!("{wanted} of {call}"), PATIENCE, |value| {
        value["event"] == "CallStatusEvent" && value["callId"] == call && value["status"] == wanted
    })
}

fn transfers(phone: &Phone) -> Vec<&str> {
    let events = phone.seen.iter().filter(|value| value["event"] == "TransferStatusEvent");
    events.filter_map(|value| value["status"].as_str()).collect()
}

fn answer(phone: &mut Phone) -> String {
    let incoming = phone.wait("OnCallEvent", PATIENCE, |value| value["event"] == "OnCallEvent");
    let call = incoming["callId"].as_str().unwrap().to_owned();
    status(phone, &call, "RING");
    phone.ask(json!({"command": "answer", "callId": call}));
    status(phone, &call, "ESTABLISHED");
    call
}

#[test]
fn we_transfer_sipp_and_hear_each_step() {
    let Some(room) = room!(needs(&["sipp"])) else { return };
    let mut phone = phone(&room, "ask", "tone", "null");
    let mut sipp = callee(&room, "uas_referred.xml", &[("wanted", "sip:carol@127.0.0.1:5099")]);
    let call = established(&mut phone, &format!("sip:bob@{}", sipp.address()));
    phone.ask(json!({"command": "transfer", "callId": call, "target": "sip:carol@127.0.0.1:5099"}));
    phone.status_within("TransferStatusEvent", "COMPLETED", PATIENCE);
    status(&mut phone, &call, "FINISH");
    clean(&mut sipp);
    assert_eq!(transfers(&phone), ["ACCEPTED", "TRYING", "COMPLETED"]);
}

#[test]
fn a_transfer_of_sipp_that_fails_gives_the_call_back_by_its_cause() {
    let Some(room) = room!(needs(&["sipp"])) else { return };
    let mut phone = phone(&room, "ask", "tone", "null");
    for (scenario, last, seen) in [
        ("uas_refer_fails.xml", "486 Busy Here", &["ACCEPTED", "TRYING", "FAILED"][..]),
        ("uas_refer_refused.xml", "603 Decline", &["FAILED"][..]),
    ] {
        let before = transfers(&phone).len();
        let mut sipp = callee(&room, scenario, &[("wanted", "sip:carol@"), ("final", last)]);
        let call = established(&mut phone, &format!("sip:bob@{}", sipp.address()));
        phone.ask(json!({"command": "transfer", "callId": call, "target": "sip:carol@127.0.0.1:5099"}));
        let failed = phone.status_within("TransferStatusEvent", "FAILED", PATIENCE);
        assert_eq!(failed["info"], last);
        status(&mut phone, &call, "ESTABLISHED");
        phone.ask(json!({"command": "hangup", "callId": call}));
        status(&mut phone, &call, "FINISH");
        clean(&mut sipp);
        assert_eq!(&transfers(&phone)[before..], seen);
    }
}

#[test]
fn an_attended_transfer_of_sipp_names_the_dialog_of_the_consultation() {
    let Some(room) = room!(needs(&["sipp", "baresip"])) else { return };
    let mut phone = phone(&room, "ask", "tone", "null");
    let mut carol =
        Baresip::start(room.dir(), &BaresipOptions { user: "carol", ..Default::default() }).unwrap();
    let mut sipp =
        callee(&room, "uas_referred.xml", &[("wanted", "carol@.*Replaces=.*to-tag%3[Dd].*from-tag%3[Dd]")]);
    let first = established(&mut phone, &format!("sip:bob@{}", sipp.address()));
    let second = established(&mut phone, &carol.uri());
    let command = json!({"command": "transferAttended", "callId": first, "consultationCallId": second});
    phone.ask(command);
    phone.status_within("TransferStatusEvent", "COMPLETED", PATIENCE);
    status(&mut phone, &second, "FINISH");
    clean(&mut sipp);
    carol.wait_event("CALL_CLOSED", PATIENCE).unwrap();
}

/// Words that begin after a moment of silence, in which the jitter buffer settles; gives them without it.
fn speech(path: &Path) -> Wav {
    let voice = audio::speak_into(path, 8_000).unwrap();
    let mut source = voice.clone();
    source.samples.splice(0..0, vec![0.0; 8_000]);
    source.write(path).unwrap();
    voice
}

/// We are the transferor; baresip obeys and calls another baresip, whom it then hears.
#[test]
fn we_transfer_one_baresip_to_another_and_they_hear_each_other() {
    let Some(room) = room!(needs(&["baresip"])) else { return };
    let spoken = room.dir().join("spoken.wav");
    let voice = speech(&spoken);
    let mut phone = phone(&room, "ask", "silence", "null");
    let bob = BaresipOptions { user: "bob", ..Default::default() };
    let mut bob = Baresip::start(room.dir(), &bob).unwrap();
    let carol = BaresipOptions { user: "carol", source: Some(&spoken), ..Default::default() };
    let mut carol = Baresip::start(room.dir(), &carol).unwrap();
    let call = established(&mut phone, &bob.uri());
    phone.ask(json!({"command": "transfer", "callId": call, "target": carol.uri()}));
    phone.status_within("TransferStatusEvent", "COMPLETED", PATIENCE);
    status(&mut phone, &call, "FINISH");
    bob.wait_heard(7.0, PATIENCE).unwrap();
    bob.hang_up().unwrap();
    carol.wait_event("CALL_CLOSED", PATIENCE).unwrap();
    let (_, heard) = bob.recordings().unwrap();
    let heard = audio::hear(&voice, &heard);
    assert!(heard.peak > CORRELATED, "{heard:?}");
    assert_eq!(transfers(&phone).first(), Some(&"ACCEPTED"));
}

/// baresip is the transferor, we obey, and the target is another baresip, whom we then hear.
#[test]
fn baresip_transfers_us_to_another_and_we_hear_it() {
    let Some(room) = room!(needs(&["baresip"])) else { return };
    let (spoken, heard) = (room.dir().join("spoken.wav"), room.dir().join("heard.wav"));
    let voice = speech(&spoken);
    let mut phone = phone(&room, "ask", "silence", &format!("file:{}", text(&heard)));
    let mut bob = Baresip::start(room.dir(), &BaresipOptions { user: "bob", ..Default::default() }).unwrap();
    let carol = BaresipOptions { user: "carol", source: Some(&spoken), ..Default::default() };
    let carol = Baresip::start(room.dir(), &carol).unwrap();
    let old = established(&mut phone, &bob.uri());
    bob.command("transfer", &carol.uri()).unwrap();
    let asked = phone.wait("OnTransferEvent", PATIENCE, |value| value["event"] == "OnTransferEvent");
    assert!(asked["target"].as_str().unwrap().contains("carol"), "{asked}");
    phone.ask(json!({"command": "acceptTransfer", "callId": old}));
    let new = phone.wait("the new call", PATIENCE, |value| {
        value["event"] == "CallStatusEvent" && value["status"] == "ESTABLISHED" && value["callId"] != old
    });
    status(&mut phone, &old, "FINISH");
    // As long as carol speaks.
    let path = heard.clone();
    until("what carol says", PATIENCE, || (Wav::written_seconds(&path) > 9.0).then_some(())).unwrap();
    phone.ask(json!({"command": "hangup", "callId": new["callId"]}));
    phone.finish();
    let heard = audio::hear(&voice, &Wav::read(&heard).unwrap());
    assert!(heard.peak > CORRELATED, "{heard:?}");
}

/// SIPp is the transferor and hears how it goes: taken, busy.
#[test]
fn sipp_transfers_us_and_hears_how_it_goes() {
    let Some(room) = room!(needs(&["sipp", "baresip"])) else { return };
    let carol = Baresip::start(room.dir(), &BaresipOptions { user: "carol", ..Default::default() }).unwrap();
    let busy = callee(&room, "uas_reject.xml", &[("status", "486"), ("reason", "Busy Here")]);
    let busy_uri = format!("sip:busy@{}", busy.address());
    let mut phone = phone(&room, "allow", "tone", "null");
    for (target, last) in [(carol.uri(), "200"), (busy_uri, "486")] {
        let keys = [("refer_to", target.as_str()), ("final", last)];
        let mut sipp = caller(&room, "uac_refers.xml", ours(), &keys);
        let old = answer(&mut phone);
        status(&mut phone, &old, "FINISH");
        clean(&mut sipp);
    }
    let mut calls: Vec<_> = phone.seen.iter().filter(|value| value["event"] == "OnTransferEvent").collect();
    assert_eq!(calls.len(), 2);
    assert!(calls.remove(0)["referredBy"].as_str().unwrap().contains("bob"));
}

/// SIPp is the transferor and is refused, by the account or by its user; the call stays until SIPp hangs up.
#[test]
fn sipp_is_refused_its_transfer_and_keeps_the_call() {
    let Some(room) = room!(needs(&["sipp"])) else { return };
    for policy in ["refuse", "ask"] {
        let mut phone = phone(&room, policy, "tone", "null");
        let keys = [("refer_to", "sip:carol@127.0.0.1:9")];
        let mut sipp = caller(&room, "uac_refer_refused.xml", ours(), &keys);
        let call = answer(&mut phone);
        if policy == "ask" {
            phone.wait("OnTransferEvent", PATIENCE, |value| value["event"] == "OnTransferEvent");
            phone.ask(json!({"command": "refuseTransfer", "callId": call}));
        }
        status(&mut phone, &call, "FINISH");
        clean(&mut sipp);
        let mut statuses = phone.seen.iter().filter(|value| value["event"] == "CallStatusEvent");
        assert!(statuses.all(|value| value["callId"] == call), "nobody else was called: {:?}", phone.seen);
    }
}

/// SIPp asks for an attended transfer, and the third party, SIPp too, sees the dialog that is to be replaced.
#[test]
fn sipp_transfers_us_into_its_other_call() {
    let Some(room) = room!(needs(&["sipp"])) else { return };
    let mut target = callee(&room, "uas_replaces.xml", &[("wanted", "other%40host|other@host;.*to-tag=t1")]);
    let mut phone = phone(&room, "allow", "tone", "null");
    let replaces =
        format!("sip:carol@{}?Replaces=other%40host%3Bto-tag%3Dt1%3Bfrom-tag%3Df1", target.address());
    let keys = [("refer_to", replaces.as_str()), ("final", "200")];
    let mut sipp = caller(&room, "uac_refers.xml", ours(), &keys);
    let old = answer(&mut phone);
    status(&mut phone, &old, "FINISH");
    clean(&mut sipp);
    let mut new = phone.seen.iter().filter(|value| {
        value["event"] == "CallStatusEvent" && value["status"] == "ESTABLISHED" && value["callId"] != old
    });
    let left = new.next().expect("the new call").clone();
    phone.ask(json!({"command": "hangup", "callId": left["callId"]}));
    clean(&mut target);
}

/// We are the target: a call of SIPp is replaced by another one of SIPp, and the user keeps the call.
#[test]
fn a_call_of_sipp_is_replaced_by_another() {
    let Some(room) = room!(needs(&["sipp"])) else { return };
    let mut phone = phone(&room, "ask", "tone", "null");
    let mut first = caller(&room, "uac_replaced.xml", ours(), &[]);
    let call = answer(&mut phone);
    let file = room.dir().join("dialog.txt");
    let dialog = until("the name of the dialog", PATIENCE, || {
        std::fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n'))
    })
    .unwrap();
    let mut second = caller(&room, "uac_replaces.xml", ours(), &[("replaces", dialog.trim())]);
    clean(&mut first);
    assert_eq!(phone.statuses_of(&call), ["RING", "ESTABLISHED"]);
    phone.ask(json!({"command": "hangup", "callId": call}));
    status(&mut phone, &call, "FINISH");
    clean(&mut second);
    // What nobody speaks in any more cannot be replaced.
    let mut late = caller(&room, "uac_replaces.xml", ours(), &[("replaces", dialog.trim())]);
    let outcome = late.wait(PATIENCE).map_or_else(|error| error.to_string(), |outcome| outcome.errors);
    assert!(outcome.contains("481"), "{outcome}");
}

/// What tshark makes of each packet: method or code, Call-ID, CSeq.
fn dissected(capture: &Path) -> Vec<[String; 3]> {
    let fields = ["sip.Method", "sip.Status-Code", "sip.Call-ID", "sip.CSeq"];
    let mut command = std::process::Command::new("tshark");
    command.arg("-r").arg(capture).args([
        "-Y",
        "sip",
        "-T",
        "fields",
        "-E",
        "separator=|",
        "-E",
        "occurrence=f",
    ]);
    command.args(fields.iter().flat_map(|field| ["-e", *field]));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = |line: &str| {
        let mut parts = line.split('|').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        let (method, code) = (next(), next());
        [if code.is_empty() { method } else { code }, next(), next()]
    };
    String::from_utf8_lossy(&output.stdout).lines().map(line).collect()
}

#[test]
fn tshark_reads_the_same_ladder_of_a_call_with_a_transfer_as_we_tell() {
    let Some(room) = room!(needs(&["sipp", "tshark"])) else { return };
    let mut phone = phone(&room, "ask", "silence", "null");
    let mut sipp = callee(&room, "uas_referred.xml", &[("wanted", "sip:carol@127.0.0.1:5099")]);
    let call = established(&mut phone, &format!("sip:bob@{}", sipp.address()));
    phone.ask(json!({"command": "transfer", "callId": call, "target": "sip:carol@127.0.0.1:5099"}));
    phone.status_within("TransferStatusEvent", "COMPLETED", PATIENCE);
    status(&mut phone, &call, "FINISH");
    clean(&mut sipp);
    let reply = phone.ask(json!({"command": "prepareBugReport"}));
    let report: sidetone_api::ReportContents =
        serde_json::from_value(reply["reply"]["report"].clone()).unwrap();
    let capture = room.dir().join("signalling.pcapng");
    std::fs::write(&capture, sidetone_engine::capture_of(&report)).unwrap();
    let told: Vec<_> = report
        .messages
        .iter()
        .map(|message| {
            let what = message.summary.split(' ').next().unwrap_or_default();
            [what.to_owned(), message.call_id.clone(), message.cseq.clone()]
        })
        .collect();
    for method in ["INVITE", "ACK", "REFER", "NOTIFY", "BYE"] {
        assert!(told.iter().any(|[what, ..]| what == method), "no {method} in {told:?}");
    }
    assert_eq!(dissected(&capture), told);
}
