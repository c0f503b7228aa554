//! What a caller hears before the answer.

use crate::kit::{LOOPBACK, Phone, options, quiet, unregistered};
use crate::peer::{Peer, sdp};
use sidetone_api::CallStatus;
use sidetone_engine::Options;
use sidetone_testkit::audio::Wav;
use std::net::UdpSocket;
use std::time::Duration;

/// So long is listened to.
const SECONDS: f64 = 4.5;

/// What the far end says before it answers, and whether it sends sound, which is silence.
#[derive(Clone, Copy)]
struct Ringing {
    status: u16,
    direction: Option<&'static str>,
    sends: bool,
    /// The branch that sends it is given up (199, RFC 6228), and another one rings on.
    ends: bool,
}

/// The level of the speaker while this rings.
async fn heard(ringing: Ringing) -> f32 {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("speaker.wav");
    let mut settings = quiet();
    settings.audio.speaker = format!("file:{}", path.display());
    settings.network.sip_port = sidetone_testkit::free_port(LOOPBACK).unwrap();
    settings.accounts.push(unregistered("alice"));
    let mut phone = Phone::with(Options { tones: true, ..options(settings) }).await;
    let mut bob = Peer::new().await;
    let socket = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    let id = phone.call(&bob.uri("bob")).await;
    let (call, offer) = bob.called().await;
    let port = socket.local_addr().unwrap().port();
    let early = ringing.direction.map(|direction| sdp("0", direction).replace("40000", &port.to_string()));
    bob.progress(call, ringing.status, early);
    if ringing.status != 180 {
        bob.serve_while(phone.status(&id, CallStatus::SessionProgress)).await;
        if ringing.ends {
            bob.progress(call, 199, None);
        }
        // As many say it twice.
        bob.progress(call, 180, None);
    }
    bob.serve_while(phone.status(&id, CallStatus::Ring)).await;
    let theirs: u16 =
        offer.split("m=audio ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
    let mut sequence = 0u16;
    let listening = async {
        while Wav::written_seconds(&path) < SECONDS {
            if ringing.sends {
                sequence += 1;
                let mut packet = vec![0x80, 0];
                packet.extend(sequence.to_be_bytes());
                packet.extend((u32::from(sequence) * 160).to_be_bytes());
                packet.extend([0, 0, 0, 1]);
                packet.extend([0xFF; 160]);
                socket.send_to(&packet, (LOOPBACK, theirs)).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    bob.serve_while(listening).await;
    phone.hang_up(&id).await;
    bob.serve_while(phone.status(&id, CallStatus::Finish)).await;
    phone.finish().await;
    Wav::read(&path).unwrap().rms()
}

#[tokio::test]
async fn a_tone_of_ours_rings_where_the_far_end_sends_no_sound_and_only_there() {
    let ringing = |status, direction, sends| heard(Ringing { status, direction, sends, ends: false });
    let (alone, early, inactive, announced, ended) = tokio::join!(
        ringing(180, None, false),
        ringing(183, Some("sendrecv"), true),
        ringing(183, Some("inactive"), false),
        ringing(180, Some("sendrecv"), false),
        heard(Ringing { status: 183, direction: Some("sendrecv"), sends: true, ends: true }),
    );
    assert!(alone > 0.01, "without early media: {alone}");
    assert!(early < 0.001, "over early media: {early}");
    assert!(inactive > 0.01, "early media that is off: {inactive}");
    assert!(announced > 0.003, "early media that never comes: {announced}");
    assert!(ended > 0.01, "early media that has ended: {ended}");
}
