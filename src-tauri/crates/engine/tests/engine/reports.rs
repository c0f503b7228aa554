//! Bug reports: each fault is caused, and the report says which it was.

use crate::{
    backend::Backend,
    hooks_calls::hooked,
    kit::{LOOPBACK, Phone, account, options, quiet},
    peer::{Peer, sdp},
};
use sidetone_api::{
    Blame, CallId, CallStatus, Command, Event, FailureCode, HookPolicy, RegistrationStatus, Reply,
    ReportContents, RestOnError, Secret, Settings, VerdictKind,
};
use sidetone_engine::{Directories, Options, RestAsk, RestReply, read_report};
use sidetone_sip::Event as SipEvent;
use sidetone_testkit::Replay;
use std::{fs, io::Read as _, net::UdpSocket, path::Path, time::Duration};

/// Nothing else is called so.
const PASSWORD: &str = "correct-horse-battery";

fn keeping(root: &Path, settings: Settings) -> Options {
    Options { directories: Some(Directories::below(root)), ..options(settings) }
}

async fn prepared(phone: &Phone) -> ReportContents {
    match phone.ask(Command::PrepareBugReport).await {
        Ok(Reply::Report { report }) => *report,
        other => panic!("{other:?}"),
    }
}

async fn kinds(phone: &Phone) -> Vec<VerdictKind> {
    prepared(phone).await.report.verdicts.iter().map(|verdict| verdict.kind).collect()
}

fn submit(words: &str) -> Command {
    Command::SubmitBugReport { words: words.into(), leave_out: Vec::new(), screenshot: None }
}

async fn wrong_password(registrar: &mut Peer, options: Options) -> Phone {
    let domain = registrar.address();
    let mut phone = Phone::with(options).await;
    let save = Command::SaveAccount {
        account: account("alice", domain),
        password: Some(Secret::new(PASSWORD)),
        remember: false,
    };
    phone.done(save).await;
    registrar.serve_while(phone.registration(RegistrationStatus::AuthenticationFail)).await;
    phone
}

#[tokio::test]
async fn a_wrong_password_is_named_and_is_nowhere_in_the_report() {
    let root = tempfile::tempdir().unwrap();
    let mut registrar = Peer::registrar("alice", "another one").await;
    let mut phone = wrong_password(&mut registrar, keeping(root.path(), quiet())).await;
    let mut bob = Peer::new().await;
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0 101", "sendrecv"));
    bob.serve_while(phone.status(&call, CallStatus::Established)).await;
    phone.done(Command::SendDtmf { call_id: call.clone(), dtmf: "7395".into() }).await;
    let said = Command::SendData {
        to: bob.uri("bob"),
        body: "our little secret".into(),
        content_type: None,
        session_id: None,
    };
    phone.done(said).await;
    let came = |event: &SipEvent| matches!(event, SipEvent::MessageReceived(_)).then_some(());
    bob.wait("the message", came).await;

    let Ok(Reply::ReportStored { report }) = phone.ask(submit(&format!("my password is {PASSWORD}"))).await
    else {
        panic!("not stored")
    };
    let verdict = &report.verdicts[0];
    assert_eq!((verdict.kind, verdict.blame), (VerdictKind::WrongPassword, Blame::Settings));
    assert!(verdict.info.contains("alice") && verdict.info.contains("401"), "{}", verdict.info);
    let told = |event: &Event| match event {
        Event::BugReportStatusEvent { status, .. } => Some(status.clone()),
        _ => None,
    };
    assert_eq!(phone.wait("the event", told).await, report.file);

    let file = root.path().join("data/reports").join(&report.file);
    let contents = read_report(&file).unwrap();
    assert!(contents.messages.iter().any(|message| message.summary == "REGISTER"));
    assert!(contents.messages.iter().any(|message| message.summary == "MESSAGE"));
    let mut archive = zip::ZipArchive::new(fs::File::open(&file).unwrap()).unwrap();
    for part in 0..archive.len() {
        let mut bytes = Vec::new();
        archive.by_index(part).unwrap().read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("alice"));
        for secret in [PASSWORD, "our little secret", "7395"] {
            assert!(!text.contains(secret), "{secret} is in part {part}");
        }
    }

    assert_eq!(phone.ask(Command::GetBugReports).await, Ok(Reply::Reports { reports: vec![report.clone()] }));
    let read = phone.ask(Command::ReadBugReport { file: report.file.clone() }).await;
    assert!(matches!(read, Ok(Reply::Report { report: read }) if read.report == report));
    let escape = phone.ask(Command::ReadBugReport { file: "../settings.toml".into() }).await.unwrap_err();
    assert_eq!(escape.field.as_deref(), Some("file"));
    phone.done(Command::RemoveBugReport { file: report.file.clone() }).await;
    let gone = phone.ask(Command::ReadBugReport { file: report.file }).await.unwrap_err();
    assert_eq!(gone.code, FailureCode::NotFound);
    phone.hang_up(&call).await;
    bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
    registrar.serve_while(phone.finish()).await;
}

#[tokio::test]
async fn what_is_reviewed_is_what_is_stored_and_parts_can_be_left_out() {
    let root = tempfile::tempdir().unwrap();
    let mut registrar = Peer::registrar("alice", "another one").await;
    let phone = wrong_password(&mut registrar, keeping(root.path(), quiet())).await;
    let seen = prepared(&phone).await;
    let command = Command::SubmitBugReport {
        words: "no calls".into(),
        leave_out: vec!["messages".into(), "settings".into()],
        screenshot: None,
    };
    let Ok(Reply::ReportStored { report }) = phone.ask(command).await else { panic!("not stored") };
    let file = root.path().join("data/reports").join(&report.file);
    let stored = read_report(&file).unwrap();
    assert_eq!((&stored.events, &stored.samples), (&seen.events, &seen.samples));
    assert!(stored.messages.is_empty() && !seen.messages.is_empty());
    assert!(stored.facts.iter().all(|fact| fact.section != "settings") && !stored.facts.is_empty());
    for (words, screenshot, field) in [
        ("x".repeat(20_000), None, "words"),
        (String::new(), Some("no base64!"), "screenshot"),
        (String::new(), Some("bm8gcG5n"), "screenshot"),
    ] {
        let screenshot = screenshot.map(String::from);
        let command = Command::SubmitBugReport { words, leave_out: Vec::new(), screenshot };
        assert_eq!(phone.ask(command).await.unwrap_err().field.as_deref(), Some(field));
    }
    // The disk is full, or the folder is a file: an error, and the next try has the same report.
    fs::remove_dir_all(root.path().join("data/reports")).unwrap();
    fs::write(root.path().join("data/reports"), "in the way").unwrap();
    prepared(&phone).await;
    assert_eq!(phone.ask(submit("again")).await.unwrap_err().code, FailureCode::Storage);
    fs::remove_file(root.path().join("data/reports")).unwrap();
    assert!(matches!(phone.ask(submit("again")).await, Ok(Reply::ReportStored { .. })));
    registrar.serve_while(phone.finish()).await;
}

#[tokio::test]
async fn the_backend_is_asked_about_reports_and_told_of_them() {
    let root = tempfile::tempdir().unwrap();
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    let mut settings = hooked(&bob, &backend);
    let refusable = HookPolicy { rest_on_error: RestOnError::Fail, ..HookPolicy::default() };
    settings.hooks.policies.insert("submitBugReport".into(), refusable);
    let phone = Phone::with(keeping(root.path(), settings)).await;
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
    let Ok(Reply::ReportStored { report }) = bob.serve_while(phone.ask(submit("no sound"))).await else {
        panic!("not stored")
    };
    assert_eq!(backend.hears("submitBugReport").await.body["text"], "no sound");
    let told = backend.hears("BugReportStatusEvent").await.body;
    assert_eq!((&told["status"], &told["filename"]), (&report.file.clone().into(), &report.file.into()));
    backend.refuse("submitBugReport");
    let refused = bob.serve_while(phone.ask(submit("again"))).await.unwrap_err();
    assert_eq!(refused.code, FailureCode::WrongState);
    backend.hears_status("BugReportStatusEvent", "FAILED").await;
    bob.serve_while(phone.finish()).await;
}

#[tokio::test]
async fn an_answer_without_a_common_codec_is_named_with_what_was_offered() {
    let (phone, mut bob) = (Phone::direct("alice", quiet()).await, Peer::new().await);
    let us = format!("sip:alice@{}", phone.address());
    bob.invite("<sip:bob@example.org>", &us, Some(&sdp("18", "sendrecv")));
    assert_eq!(bob.ended().await, 488);
    let verdicts = prepared(&phone).await.report.verdicts;
    assert_eq!(verdicts[0].kind, VerdictKind::NoCommonCodec);
    assert!(verdicts[0].info.contains("G729"), "{}", verdicts[0].info);
    phone.finish().await;
}

/// A call to a far end whose RTP the test sends.
async fn spoken(phone: &mut Phone, bob: &mut Peer) -> (CallId, String, UdpSocket) {
    let socket = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, offer) = bob.called().await;
    let port = socket.local_addr().unwrap().port().to_string();
    bob.answer(sip, &sdp("0 101", "sendrecv").replace("40000", &port));
    bob.serve_while(phone.status(&call, CallStatus::Established)).await;
    let media = offer.lines().find_map(|line| line.strip_prefix("m=audio ")?.split(' ').next());
    let to = format!("{LOOPBACK}:{}", media.expect("a port"));
    (call, to, socket)
}

/// Sends PCMU every 20 ms, but for every tenth packet where `lossy`; ends after so many.
async fn speak(socket: UdpSocket, to: String, packets: u16, lossy: bool) {
    let socket = tokio::net::UdpSocket::from_std({
        socket.set_nonblocking(true).unwrap();
        socket
    })
    .unwrap();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    for number in 0..packets {
        ticks.tick().await;
        if lossy && number % 10 == 5 {
            continue;
        }
        let mut packet = vec![0x80, 0];
        packet.extend(number.to_be_bytes());
        packet.extend((u32::from(number) * 160).to_be_bytes());
        packet.extend([1, 2, 3, 4]);
        packet.extend([0xff; 160]);
        socket.send_to(&packet, &to).await.unwrap();
    }
}

async fn measured(phone: &mut Phone, times: usize) {
    for _ in 0..times {
        phone.wait("figures", |event| matches!(event, Event::CallMeasured { .. }).then_some(())).await;
    }
}

#[tokio::test]
async fn a_far_end_that_falls_silent_and_one_that_loses_packets_are_told_apart() {
    let (mut phone, mut bob) = (Phone::direct("alice", quiet()).await, Peer::new().await);
    let (call, to, socket) = spoken(&mut phone, &mut bob).await;
    let talks = async {
        speak(socket, to, 100, false).await;
        measured(&mut phone, 16).await;
    };
    bob.serve_while(talks).await;
    let verdicts = prepared(&phone).await.report.verdicts;
    let silent: Vec<_> = verdicts.iter().filter(|verdict| verdict.subject == call.as_str()).collect();
    assert_eq!(
        silent.iter().map(|it| it.kind).collect::<Vec<_>>(),
        [VerdictKind::OneWayAudio],
        "{verdicts:?}"
    );
    assert!(silent[0].info.contains("no RTP from the far end after"), "{}", silent[0].info);
    phone.hang_up(&call).await;
    bob.serve_while(phone.status(&call, CallStatus::Finish)).await;

    let (call, to, socket) = spoken(&mut phone, &mut bob).await;
    bob.serve_while(speak(socket, to, 1_300, true)).await;
    measured(&mut phone, 1).await;
    let verdicts = prepared(&phone).await.report.verdicts;
    let lossy: Vec<_> = verdicts.iter().filter(|verdict| verdict.subject == call.as_str()).collect();
    assert_eq!(lossy.iter().map(|it| it.kind).collect::<Vec<_>>(), [VerdictKind::PacketLoss], "{verdicts:?}");
    phone.hang_up(&call).await;
    bob.serve_while(phone.finish()).await;
}

#[tokio::test]
async fn a_dead_backend_is_named() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    let mut settings = hooked(&bob, &backend);
    settings.hooks.timeout_ms = 200;
    let mut phone = Phone::start(settings).await;
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
    drop(backend);
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.reject(sip, 486, "Busy Here");
    bob.serve_while(phone.status(&call, CallStatus::Busy)).await;
    phone.until("a problem", |state| state.hooks.problem.is_some()).await;
    assert_eq!(kinds(&phone).await, [VerdictKind::BackendDead]);
    bob.serve_while(phone.finish()).await;
}

#[tokio::test]
async fn a_device_that_is_not_there_is_named() {
    let mut settings = quiet();
    settings.audio.microphone = "device:unplugged".into();
    let (mut phone, mut bob) = (Phone::direct("alice", settings).await, Peer::new().await);
    let (call, _, _socket) = spoken(&mut phone, &mut bob).await;
    bob.serve_while(phone.until("a problem", |state| state.devices.microphone.problem.is_some())).await;
    let verdicts = prepared(&phone).await.report.verdicts;
    assert_eq!((verdicts[0].kind, verdicts[0].blame), (VerdictKind::WrongDevice, Blame::MyMachine));
    phone.hang_up(&call).await;
    bob.serve_while(phone.finish()).await;
}

#[tokio::test]
async fn a_call_without_a_fault_gets_no_verdict() {
    let (mut phone, mut bob) = (Phone::direct("alice", quiet()).await, Peer::new().await);
    let (call, to, socket) = spoken(&mut phone, &mut bob).await;
    bob.serve_while(speak(socket, to, 350, false)).await;
    phone.hang_up(&call).await;
    bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
    let contents = prepared(&phone).await;
    let of_call = contents.report.verdicts.iter().filter(|verdict| verdict.subject == call.as_str());
    assert_eq!(of_call.count(), 0, "{:?}", contents.report.verdicts);
    let ladder: Vec<_> =
        contents.messages.iter().map(|message| (message.incoming, message.summary.as_str())).collect();
    let begin = [(false, "INVITE"), (true, "100 Trying"), (true, "200 OK"), (false, "ACK")];
    assert!(begin.iter().all(|message| ladder.contains(message)), "{ladder:?}");
    assert!(ladder.contains(&(false, "BYE")), "{ladder:?}");
    let Ok(RestReply::Measured(metrics)) = phone.handle.rest(RestAsk::Measure).await else {
        panic!("no metrics")
    };
    assert_eq!((metrics.calls, metrics.counted.calls["FINISH"], metrics.counted.calls["FAILED"]), (0, 1, 0));
    assert!(metrics.counted.sent >= 250 && (300..=350).contains(&metrics.counted.received), "{metrics:?}");
    bob.serve_while(phone.finish()).await;
}

/// As JSON, and the Call-ID of its first message of this kind.
fn of(contents: &ReportContents, summary: &str) -> (serde_json::Value, String) {
    let first = contents.messages.iter().find(|message| message.summary == summary);
    (serde_json::to_value(contents).unwrap(), first.expect("a message").call_id.clone())
}

/// The same account at a far end that does what the report says.
async fn registers_at(replay: &Replay, wanted: RegistrationStatus) -> Vec<VerdictKind> {
    let mut phone = Phone::start(quiet()).await;
    let account = account("alice", replay.address());
    phone.done(Command::SaveAccount { account, password: Some(Secret::new("any")), remember: false }).await;
    phone.registration(wanted).await;
    kinds(&phone).await
}

#[tokio::test]
async fn a_report_of_a_wrong_password_is_replayed() {
    let mut registrar = Peer::registrar("alice", "another one").await;
    let phone = wrong_password(&mut registrar, options(quiet())).await;
    let (report, call_id) = of(&prepared(&phone).await, "REGISTER");
    let replay = Replay::start(LOOPBACK, &report, &call_id, None).unwrap();
    let found = registers_at(&replay, RegistrationStatus::AuthenticationFail).await;
    assert_eq!(found, [VerdictKind::WrongPassword]);
    replay.finish().unwrap();
    registrar.serve_while(phone.finish()).await;

    // The far end of a report without a fault has none.
    let mut registrar = Peer::registrar("alice", PASSWORD).await;
    let mut phone = Phone::start(quiet()).await;
    let account = account("alice", registrar.address());
    phone
        .done(Command::SaveAccount { account, password: Some(Secret::new(PASSWORD)), remember: false })
        .await;
    registrar.serve_while(phone.registration(RegistrationStatus::Registered)).await;
    let (report, call_id) = of(&prepared(&phone).await, "REGISTER");
    let replay = Replay::start(LOOPBACK, &report, &call_id, None).unwrap();
    assert!(registers_at(&replay, RegistrationStatus::Registered).await.is_empty());
    replay.finish().unwrap();
    registrar.serve_while(phone.finish()).await;
}

#[tokio::test]
async fn a_report_of_a_caller_without_a_common_codec_is_replayed() {
    let (phone, mut bob) = (Phone::direct("alice", quiet()).await, Peer::new().await);
    let us = format!("sip:alice@{}", phone.address());
    bob.invite("<sip:bob@example.org>", &us, Some(&sdp("18", "sendrecv")));
    assert_eq!(bob.ended().await, 488);
    let (report, call_id) = of(&prepared(&phone).await, "INVITE");
    phone.finish().await;

    let other = Phone::direct("alice", quiet()).await;
    Replay::start(LOOPBACK, &report, &call_id, Some(other.address())).unwrap().finish().unwrap();
    let verdicts = prepared(&other).await.report.verdicts;
    assert_eq!(verdicts[0].kind, VerdictKind::NoCommonCodec);
    assert!(verdicts[0].info.contains("G729"), "{}", verdicts[0].info);
    other.finish().await;
}
