//! What is spoken into a file microphone is heard in a file speaker.

use crate::kit::{Phone, account, gateway, options, quiet};
use sidetone_api::CallStatus::{Established, Finish};
use sidetone_api::{CallId, Command, Event, Settings};
use sidetone_engine::Options;
use sidetone_testkit::audio::{Wav, hear, speech_like};
use std::path::{Path, PathBuf};

/// The least correlation of speech that went through codecs, sockets and jitter buffers on a busy machine: Opus leaves 0.89 of
/// this speech. Other words give 0.4 at most.
pub(crate) const CORRELATED: f64 = 0.7;

pub(crate) struct Voice {
    pub(crate) spoken: Wav,
    pub(crate) heard: PathBuf,
    pub(crate) settings: Settings,
}

/// A phone that says `spoken` after a moment of silence, and records what it hears; each voice has its own words.
pub(crate) fn voice(dir: &Path, name: &str, offset: usize, codec: &str) -> Voice {
    voice_saying(1, dir, name, offset, codec)
}

/// One that says its words so many times: [`hear`] takes those that came through best, as a busy machine tears some.
fn voice_saying(times: usize, dir: &Path, name: &str, offset: usize, codec: &str) -> Voice {
    let mut spoken = speech_like(8.0, 16_000);
    spoken.samples.drain(..offset * 16_000);
    spoken.samples.truncate(2 * 16_000);
    let said = dir.join(format!("{name}-says.wav"));
    let mut once = vec![0.0; 16_000 * 2 / 5];
    once.extend_from_slice(&spoken.samples);
    Wav { rate: 16_000, samples: once.repeat(times) }.write(&said).unwrap();
    let heard = dir.join(format!("{name}-hears.wav"));
    let mut settings = quiet();
    settings.audio.microphone = format!("file:{}", said.display());
    settings.audio.speaker = format!("file:{}", heard.display());
    settings.audio.codecs = vec![codec.into()];
    Voice { spoken, heard, settings }
}

pub(crate) fn assert_heard(spoken: &Wav, path: &Path) {
    let heard = hear(spoken, &Wav::read(path).unwrap());
    assert!(heard.peak > CORRELATED, "{heard:?} in {}", path.display());
}

pub(crate) async fn said_all(phone: &mut Phone) {
    phone.notice("file has ended").await;
    // What was said last is on its way: two more reports are a second.
    for _ in 0..2 {
        measured(phone).await;
    }
}

pub(crate) async fn measured(phone: &mut Phone) -> sidetone_api::CallStatistics {
    phone
        .wait("figures", |event| match event {
            Event::CallMeasured { statistics, .. } => Some(*statistics),
            _ => None,
        })
        .await
}

fn codec_of(phone: &Phone, call: &CallId) -> String {
    let call = phone.state().calls.iter().find(|other| other.call_id == *call).expect("a call");
    call.codec.clone().expect("a codec").name
}

async fn both_hear(alices: &str, bobs: &str) {
    let dir = tempfile::tempdir().unwrap();
    let host = Phone::start(gateway()).await;
    let (a, b) = (voice_saying(2, dir.path(), "a", 0, alices), voice_saying(2, dir.path(), "b", 4, bobs));
    let mut alice = Phone::registered("alice", host.gateway(), a.settings).await;
    let mut bob = Phone::registered("bob", host.gateway(), b.settings).await;
    let call = alice.call("bob").await;
    let there = bob.answer().await;
    alice.status(&call, Established).await;
    alice.check().await;
    bob.check().await;
    assert_eq!((codec_of(&alice, &call), codec_of(&bob, &there)), (alices.into(), bobs.into()));
    said_all(&mut alice).await;
    said_all(&mut bob).await;
    alice.hang_up(&call).await;
    bob.status(&there, Finish).await;
    for phone in [alice, bob, host] {
        phone.finish().await;
    }
    assert_heard(&a.spoken, &b.heard);
    assert_heard(&b.spoken, &a.heard);
}

#[tokio::test]
async fn extensions_with_the_same_codec_hear_each_other() {
    both_hear("G722", "G722").await;
}

#[tokio::test]
async fn extensions_without_a_common_codec_hear_each_other_all_the_same() {
    both_hear("PCMU", "opus").await;
}

#[tokio::test]
async fn echo_plays_back_what_it_hears() {
    let dir = tempfile::tempdir().unwrap();
    let host = Phone::start(gateway()).await;
    let a = voice(dir.path(), "a", 2, "opus");
    let mut alice = Phone::registered("alice", host.gateway(), a.settings).await;
    let call = alice.call("echo").await;
    alice.status(&call, Established).await;
    said_all(&mut alice).await;
    let statistics = measured(&mut alice).await;
    assert!(statistics.packets_received > 50 && statistics.loss_percent == 0.0, "{statistics:?}");
    alice.hang_up(&call).await;
    alice.finish().await;
    host.finish().await;
    assert_heard(&a.spoken, &a.heard);
}

#[tokio::test]
async fn nothing_is_heard_of_a_muted_phone_even_where_it_was_muted_before_the_answer() {
    let host = Phone::start(gateway()).await;
    let mut settings = quiet();
    settings.audio.microphone = "tone".into();
    let mut alice = Phone::registered("alice", host.gateway(), settings).await;
    let call = alice.call("echo").await;
    alice.done(Command::MuteAudio { call_id: call.clone(), muted: true }).await;
    alice.status(&call, Established).await;
    for _ in 0..2 {
        let statistics = measured(&mut alice).await;
        assert!(statistics.speaker.peak < -80.0, "{statistics:?}");
    }
    alice.done(Command::MuteAudio { call_id: call.clone(), muted: false }).await;
    while measured(&mut alice).await.speaker.peak < -40.0 {}
    alice.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn two_calls_are_heard_at_once_where_they_do_not_hold_each_other() {
    let host = Phone::start(gateway()).await;
    let mut settings = quiet();
    settings.audio.microphone = "tone".into();
    settings.accounts.push(account("alice", host.gateway()));
    let mut alice = Phone::with(Options { one_at_a_time: false, ..options(settings) }).await;
    alice.is_registered().await;
    let calls = [alice.call("echo").await, alice.call("tone").await];
    for call in &calls {
        alice
            .wait("sound in the call", |event| match event {
                Event::CallMeasured { call_id, statistics } => {
                    (call_id == call && statistics.speaker.peak > -40.0).then_some(())
                }
                _ => None,
            })
            .await;
    }
    alice.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn another_speaker_chosen_in_a_call_takes_over() {
    let dir = tempfile::tempdir().unwrap();
    let host = Phone::start(gateway()).await;
    let mut alice = Phone::registered("alice", host.gateway(), quiet()).await;
    let call = alice.call("tone").await;
    alice.status(&call, Established).await;
    let path = dir.path().join("late.wav");
    let speaker = format!("file:{}", path.display());
    alice
        .done(Command::SelectDevices { microphone: None, speaker: Some(speaker.clone()), ringer: None })
        .await;
    for _ in 0..2 {
        measured(&mut alice).await;
    }
    alice.check().await;
    assert_eq!(alice.state().settings.audio.speaker, speaker);
    assert_eq!(alice.state().devices.speaker.effective.as_deref(), Some("late.wav"));
    alice.hang_up(&call).await;
    alice.finish().await;
    host.finish().await;
    let wav = Wav::read(&path).unwrap();
    assert!(wav.seconds() > 0.3 && wav.rms() > 0.01, "{} s, rms {}", wav.seconds(), wav.rms());
}
