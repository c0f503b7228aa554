//! Calls that are recorded: a channel a party, and nobody is surprised.

use crate::audio::{CORRELATED, said_all, voice};
use crate::kit::{Phone, gateway, quiet};
use crate::peer::{Peer, sdp};
use sidetone_api::CallStatus::{Established, Finish};
use sidetone_api::{CallId, CallView, Command, FailureCode};
use sidetone_sip::Invite;
use sidetone_sip::message::{NameAddr, Uri};
use sidetone_testkit::audio::{Wav, hear};
use std::path::{Path, PathBuf};
use std::time::Instant;

fn start(call: &CallId) -> Command {
    Command::StartRecording { call_id: call.clone() }
}

fn view<'a>(phone: &'a Phone, call: &CallId) -> &'a CallView {
    phone.state().calls.iter().find(|other| other.call_id == *call).expect("a call")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_recording_has_each_voice_in_a_channel_of_its_own_and_is_in_the_history() {
    let dir = tempfile::tempdir().unwrap();
    let host = Phone::start(gateway()).await;
    let (mut a, b) = (voice(dir.path(), "a", 0, "opus"), voice(dir.path(), "b", 4, "opus"));
    let folder = dir.path().join("recordings");
    a.settings.calls.recordings = folder.display().to_string();
    let mut alice = Phone::registered("alice", host.gateway(), a.settings).await;
    let mut bob = Phone::registered("bob", host.gateway(), b.settings).await;
    let call = alice.call("bob").await;
    assert_eq!(
        alice.ask(start(&call)).await.unwrap_err().code,
        FailureCode::WrongState,
        "nobody has answered"
    );
    let there = bob.answer().await;
    alice.status(&call, Established).await;
    alice.done(start(&call)).await;
    assert_eq!(alice.ask(start(&call)).await.unwrap_err().code, FailureCode::WrongState);
    alice
        .until("a second of it", |state| {
            state
                .calls
                .iter()
                .any(|call| call.recording.as_ref().is_some_and(|recording| recording.seconds > 0))
        })
        .await;
    said_all(&mut alice).await;
    said_all(&mut bob).await;
    alice.hang_up(&call).await;
    bob.status(&there, Finish).await;
    alice.notice("recorded").await;
    alice.check().await;
    let entry = alice.state().history[0].clone();
    for phone in [alice, bob, host] {
        phone.finish().await;
    }
    let files = files(&folder);
    assert_eq!(files.len(), 1);
    assert_eq!(entry.recording.as_deref(), files[0].to_str());
    assert!(files[0].file_name().unwrap().to_str().unwrap().ends_with("Z bob.wav"), "{files:?}");
    let channels = Wav::channels(&files[0]).unwrap();
    assert_eq!(channels.len(), 2);
    for (channel, (ours, other)) in [(&a.spoken, &b.spoken), (&b.spoken, &a.spoken)].iter().enumerate() {
        let (own, crosstalk) = (hear(ours, &channels[channel]), hear(other, &channels[channel]));
        assert!(own.peak > CORRELATED && crosstalk.peak < 0.5, "channel {channel}: {own:?} {crosstalk:?}");
    }
}

#[tokio::test]
async fn a_call_that_another_far_end_takes_over_is_recorded_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = quiet();
    settings.calls.recordings = dir.path().display().to_string();
    let mut phone = Phone::direct("alice", settings).await;
    let (mut bob, mut carol) = (Peer::new().await, Peer::new().await);
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0", "sendrecv"));
    bob.confirmed().await;
    bob.serve_while(phone.status(&call, Established)).await;
    phone.done(start(&call)).await;
    let (from, to) =
        (NameAddr::parse("<sip:carol@127.0.0.1>").unwrap(), format!("sip:alice@{}", phone.address()));
    let invite = Invite::new(from, Uri::parse(&to).unwrap(), sdp("0", "sendrecv").into_bytes());
    let replaces = bob.ua.dialog_name(sip);
    carol.ua.invite(Instant::now(), Invite { replaces, ..invite });
    carol.answered().await;
    carol.send_all().await;
    bob.ended().await;
    phone.notice("recorded").await;
    phone.until("over", |state| state.calls[0].recording.is_none()).await;
    phone.done(start(&call)).await;
    phone.until("begun", |state| state.calls[0].recording.is_some()).await;
    phone.done(Command::StopRecording { call_id: call.clone() }).await;
    phone.notice("recorded").await;
    assert_eq!(files(dir.path()).len(), 2);
    phone.hang_up(&call).await;
    carol.ended().await;
    phone.finish().await;
}

#[tokio::test]
async fn a_recording_is_paused_goes_on_and_is_stopped_and_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let host = Phone::start(gateway()).await;
    let mut settings = quiet();
    settings.calls.recordings = dir.path().display().to_string();
    let mut alice = Phone::registered("alice", host.gateway(), settings).await;
    let call = alice.call("tone").await;
    alice.status(&call, Established).await;
    alice.done(start(&call)).await;
    alice.done(Command::PauseRecording { call_id: call.clone(), paused: true }).await;
    alice.check().await;
    assert!(view(&alice, &call).recording.as_ref().unwrap().paused);
    alice.done(Command::PauseRecording { call_id: call.clone(), paused: false }).await;
    alice.done(Command::StopRecording { call_id: call.clone() }).await;
    alice.notice("recorded").await;
    alice.check().await;
    assert_eq!(view(&alice, &call).recording, None);
    let stop = Command::StopRecording { call_id: call.clone() };
    assert_eq!(alice.ask(stop).await.unwrap_err().code, FailureCode::WrongState);
    alice.done(start(&call)).await;
    alice.hang_up(&call).await;
    alice.status(&call, Finish).await;
    alice.notice("recorded").await;
    alice.finish().await;
    host.finish().await;
    assert_eq!(files(dir.path()).len(), 2);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_said_and_the_call_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a file");
    std::fs::write(&file, "in the way").unwrap();
    let host = Phone::start(gateway()).await;
    let mut settings = quiet();
    settings.calls.recordings = file.join("folder").display().to_string();
    let mut alice = Phone::registered("alice", host.gateway(), settings).await;
    let call = alice.call("tone").await;
    alice.status(&call, Established).await;
    let failure = alice.ask(start(&call)).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Storage);
    assert!(failure.message.contains("a file"), "{failure}");
    alice.check().await;
    assert_eq!((view(&alice, &call).status, &view(&alice, &call).recording), (Established, &None));
    alice.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn both_parties_hear_the_tone_of_an_announced_recording() {
    let dir = tempfile::tempdir().unwrap();
    let host = Phone::start(gateway()).await;
    let heard = |name: &str| dir.path().join(format!("{name}-hears.wav"));
    let settings = |name: &str| {
        let mut settings = quiet();
        settings.audio.speaker = format!("file:{}", heard(name).display());
        settings.calls.recordings = dir.path().join("recordings").display().to_string();
        settings.calls.recording_tone = true;
        settings
    };
    let mut alice = Phone::registered("alice", host.gateway(), settings("alice")).await;
    let mut bob = Phone::registered("bob", host.gateway(), settings("bob")).await;
    let call = alice.call("bob").await;
    let there = bob.answer().await;
    alice.status(&call, Established).await;
    alice.done(start(&call)).await;
    alice
        .until("a second of it", |state| {
            state
                .calls
                .iter()
                .any(|call| call.recording.as_ref().is_some_and(|recording| recording.seconds > 0))
        })
        .await;
    alice.hang_up(&call).await;
    bob.status(&there, Finish).await;
    for phone in [alice, bob, host] {
        phone.finish().await;
    }
    for name in ["alice", "bob"] {
        let loudest = Wav::read(&heard(name)).unwrap().samples.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        assert!(loudest > 0.01, "{name} hears {loudest}");
    }
}
