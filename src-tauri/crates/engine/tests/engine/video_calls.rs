//! Video in calls of our own: two phones with bars before their cameras, and a peer that sees every packet.

use crate::{
    kit::{Phone, SOON, gateway, quiet},
    peer::Peer,
    streams::now_ms,
    video::{Camera, video_address, video_port},
};
use sidetone_api::CallStatus::{Established, Hold};
use sidetone_api::{
    CallId, CallVideoStatistics, CallVideoView, Command, Event, Reply, Settings, Snapshot, StreamId,
};
use sidetone_media::video::{Picture, VideoCodec, read_clock};
use tokio::time::timeout;

/// Small pictures: machines that test are busy.
pub(crate) fn with_camera(camera: &str, codecs: &[&str]) -> Settings {
    let mut settings = quiet();
    (settings.video.width, settings.video.height) = (640, 360);
    settings.video.camera = camera.into();
    settings.video.codecs = codecs.iter().map(|codec| (*codec).into()).collect();
    settings
}

fn with_bars() -> Settings {
    with_camera("bars", &["H264"])
}

/// Nobody looks into it before the user's yes: opening it fails.
fn without_camera() -> Settings {
    with_camera("image:/nowhere/at/all.png", &["H264"])
}

fn video<'a>(state: &'a Snapshot, call: &CallId) -> Option<&'a CallVideoView> {
    state.calls.iter().find(|view| view.call_id == *call)?.video.as_ref()
}

impl Phone {
    pub(crate) async fn call_with_video(&self, callee: &str) -> CallId {
        let Command::Call { callee, session_id, headers, caller_name, anonymous, .. } =
            Command::call(callee, None)
        else {
            unreachable!()
        };
        let command = Command::Call { callee, session_id, headers, caller_name, anonymous, video: true };
        match self.ask(command).await {
            Ok(Reply::Call { call_id }) => call_id,
            other => panic!("no call: {other:?}"),
        }
    }

    pub(crate) async fn answer_with(&mut self, video: bool) -> CallId {
        let call = self.ringing().await;
        self.done(Command::Answer { call_id: call.clone(), video }).await;
        self.status(&call, Established).await;
        call
    }

    pub(crate) async fn set_video(&self, call: &CallId, on: bool) {
        self.done(Command::SetCallVideo { call_id: call.clone(), on }).await;
    }

    pub(crate) async fn video_is(
        &mut self,
        call: &CallId,
        what: &str,
        fits: impl Fn(&CallVideoView) -> bool,
    ) {
        self.until(what, |state| video(state, call).is_some_and(&fits)).await;
    }

    async fn video_figures(&mut self, fits: impl Fn(&CallVideoStatistics) -> bool) -> CallVideoStatistics {
        self.wait("figures of the video", |event| match event {
            Event::CallMeasured { statistics, .. } => statistics.video.filter(&fits),
            _ => None,
        })
        .await
    }

    async fn has_no_video(&mut self, call: &CallId) {
        self.until("no video", |state| {
            video(state, call).is_none_or(|video| !video.sending && !video.receiving && !video.requested)
        })
        .await;
    }

    /// The next picture of the far end, or of ourselves: its clock is of now.
    pub(crate) async fn sees_now(&mut self, call: &CallId, whose: &str) -> Picture {
        self.sees_picture_now(StreamId::new(format!("{call}{whose}"))).await
    }

    /// The same of any pictures.
    pub(crate) async fn sees_picture_now(&self, id: StreamId) -> Picture {
        let mut pictures = self.handle.pictures(id).await.unwrap();
        let began = now_ms();
        let fresh = async {
            loop {
                let picture = pictures.next().await.expect("a picture");
                if read_clock(&picture).is_some_and(|clock| clock >= began) {
                    return picture;
                }
            }
        };
        let picture = timeout(SOON, fresh).await.expect("a picture that was made after it was asked for");
        let age = now_ms() as i64 - read_clock(&picture).unwrap() as i64;
        assert!((0..2_000).contains(&age), "{age} ms old");
        picture
    }
}

/// Bob answers the call of alice.
async fn calling(
    of_alice: Settings,
    of_bob: Settings,
    alice_with: bool,
    bob_with: bool,
) -> ((Phone, CallId), (Phone, CallId)) {
    let mut alice = Phone::direct("alice", of_alice).await;
    let mut bob = Phone::direct("bob", of_bob).await;
    let to = format!("sip:bob@{}", bob.address());
    let here = if alice_with { alice.call_with_video(&to).await } else { alice.call(&to).await };
    let there = bob.answer_with(bob_with).await;
    alice.status(&here, Established).await;
    ((alice, here), (bob, there))
}

async fn both_are_seen(codec: &str) {
    let settings = || with_camera("bars", &[codec]);
    let ((mut alice, here), (mut bob, there)) = calling(settings(), settings(), true, true).await;
    for (phone, call) in [(&mut alice, &here), (&mut bob, &there)] {
        phone
            .video_is(call, "both ways", |video| {
                video.sending && video.receiving && video.picture.is_some() && !video.requested
            })
            .await;
        let seen = phone.sees_now(call, "").await;
        assert_eq!((seen.width(), seen.height()), (640, 360));
        let view = video(phone.state(), call).unwrap();
        assert_eq!(view.codec.as_deref(), Some(codec));
        let picture = view.picture.clone().unwrap();
        assert_eq!((picture.codec.as_str(), picture.width, picture.height), (codec, 640, 360));
        assert_eq!(view.problem, None);
        phone.sees_now(call, ".self").await;
        let figures = phone.video_figures(|figures| figures.frames_shown >= 10).await;
        assert!(figures.frames_sent >= 10, "{figures:?}");
        assert!(figures.kbit_sent > 0.0 && figures.kbit_received > 0.0, "{figures:?}");
        assert_eq!(figures.packets_lost, 0, "{figures:?}");
    }
    alice.hang_up(&here).await;
    bob.status(&there, sidetone_api::CallStatus::Finish).await;
    let gone = alice.handle.pictures(StreamId::new(here.as_str())).await;
    assert!(gone.is_err(), "the pictures go with the call");
    alice.finish().await;
    bob.finish().await;
}

#[tokio::test]
async fn both_sides_see_each_other_in_h264() {
    both_are_seen("H264").await;
}

#[tokio::test]
async fn both_sides_see_each_other_in_vp8_where_this_build_has_it() {
    if VideoCodec::Vp8.info().encode {
        both_are_seen("VP8").await;
    }
}

#[tokio::test]
async fn who_answers_with_sound_alone_neither_sees_nor_is_seen() {
    let ((mut alice, here), (mut bob, there)) = calling(with_bars(), without_camera(), true, false).await;
    alice.has_no_video(&here).await;
    bob.has_no_video(&there).await;
    assert_eq!(video(bob.state(), &there), None);
    alice.finish().await;
    bob.finish().await;
}

#[tokio::test]
async fn video_is_added_seen_answered_and_dropped_from_either_side() {
    let ((mut alice, here), (mut bob, there)) = calling(with_bars(), with_bars(), false, false).await;
    alice.set_video(&here, true).await;
    // Bob sees, is asked, and is not seen before he says yes.
    bob.video_is(&there, "alice", |video| video.requested && video.receiving && !video.sending).await;
    bob.sees_now(&there, "").await;
    alice.video_is(&here, "herself alone", |video| video.sending && !video.receiving).await;
    bob.set_video(&there, true).await;
    alice.sees_now(&here, "").await;
    bob.video_is(&there, "both", |video| video.sending && video.receiving && !video.requested).await;
    // Who drops it, drops it for both; and the other one may begin again.
    bob.set_video(&there, false).await;
    alice.has_no_video(&here).await;
    bob.has_no_video(&there).await;
    bob.set_video(&there, true).await;
    alice.video_is(&here, "bob", |video| video.requested && video.receiving && !video.sending).await;
    alice.sees_now(&here, "").await;
    // No, thank you.
    alice.set_video(&here, false).await;
    bob.has_no_video(&there).await;
    alice.has_no_video(&here).await;
    assert_eq!(bob.view(&there).status, Established);
    alice.finish().await;
    bob.finish().await;
}

#[tokio::test]
async fn who_holds_is_not_seen_and_comes_back_with_the_call() {
    let ((mut alice, here), (mut bob, there)) = calling(with_bars(), with_bars(), true, true).await;
    bob.sees_now(&there, "").await;
    alice.hold(&here).await;
    bob.status(&there, Hold).await;
    alice.video_is(&here, "no camera", |video| !video.sending).await;
    bob.video_is(&there, "no camera", |video| !video.sending).await;
    alice.unhold(&here).await;
    bob.status(&there, Established).await;
    bob.sees_now(&there, "").await;
    alice.sees_now(&here, "").await;
    alice.finish().await;
    bob.finish().await;
}

#[tokio::test]
async fn a_camera_that_fails_is_told_and_the_call_goes_on() {
    let ((mut alice, here), (mut bob, there)) = calling(with_bars(), without_camera(), true, true).await;
    bob.video_is(&there, "what is wrong", |video| {
        video.problem.as_deref().is_some_and(|problem| problem.contains("nowhere"))
    })
    .await;
    bob.sees_now(&there, "").await;
    alice.check().await;
    assert_eq!(alice.view(&here).status, Established);
    assert_eq!(bob.view(&there).status, Established);
    alice.finish().await;
    bob.finish().await;
}

#[tokio::test]
async fn a_portrait_is_seen_upright_and_an_odd_size_evened() {
    let root = tempfile::tempdir().unwrap();
    for (width, height, seen) in [(360_u32, 640_u32, (360, 640)), (321, 181, (320, 180))] {
        let file = root.path().join(format!("{width}.y4m"));
        let chroma = width.div_ceil(2) * height.div_ceil(2);
        let pixels = vec![100; (width * height + 2 * chroma) as usize];
        let head = format!("YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg\nFRAME\n");
        std::fs::write(&file, [head.into_bytes(), pixels].concat()).unwrap();
        let settings = with_camera(&format!("file:{}", file.display()), &["H264"]);
        let ((alice, _), (mut bob, there)) = calling(settings, with_bars(), true, true).await;
        bob.video_is(&there, "its size", |video| {
            video.picture.as_ref().is_some_and(|picture| (picture.width, picture.height) == seen)
        })
        .await;
        alice.finish().await;
        bob.finish().await;
    }
}

/// The line of a peer that takes one NAL unit a packet.
const SINGLE: &str = "a=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42e01f\r\n";

#[tokio::test]
async fn a_peer_of_packetization_mode_0_gets_one_short_nal_unit_a_packet() {
    let mut alice = Phone::direct("alice", with_bars()).await;
    let (mut bob, camera) = (Peer::new().await, Camera::new());
    let call = alice.call_with_video(&bob.uri("bob")).await;
    let (sip, offer) = bob.called().await;
    assert!(offer.contains("packetization-mode=1") && offer.contains("packetization-mode=0"), "{offer}");
    let number = offer
        .lines()
        .find_map(|line| line.strip_prefix("a=fmtp:")?.strip_suffix("packetization-mode=0"))
        .and_then(|line| line.split(' ').next())
        .unwrap();
    bob.answer(sip, &camera.sdp(number, &SINGLE.replace("97", number)));
    bob.serve_while(alice.status(&call, Established)).await;
    let mut kinds = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let (_, _, payload) = camera.receive();
        kinds.insert(payload[0] & 0x1f);
        assert!(payload.len() <= 1_200, "{} bytes", payload.len());
    }
    assert!(kinds.iter().all(|kind| (1..24).contains(kind)), "neither fragments nor aggregates: {kinds:?}");
    assert!(kinds.contains(&7) && kinds.contains(&8), "its parameter sets: {kinds:?}");
    alice.finish().await;
}

#[tokio::test]
async fn a_key_frame_is_sent_when_the_peer_asks_by_rtcp_or_info() {
    let mut alice = Phone::direct("alice", with_bars()).await;
    let (mut bob, camera) = (Peer::new().await, Camera::new());
    let call = alice.call_with_video(&bob.uri("bob")).await;
    let (sip, offer) = bob.called().await;
    let line =
        format!("{}a=rtcp-fb:97 nack pli\r\n", SINGLE.replace("42e01f", "42e01f;packetization-mode=1"));
    bob.answer(sip, &camera.sdp("97", &line));
    bob.serve_while(alice.status(&call, Established)).await;
    let to = video_address(&offer);
    let key = |payload: &[u8]| matches!(payload[0] & 0x1f, 7 | 24);
    let next_key = || while !key(&camera.receive().2) {};
    next_key();
    camera.ask(to);
    next_key();
    let body = b"<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive>\
                 </media_control>";
    let now = std::time::Instant::now();
    bob.ua.info(now, sip, "application/media_control+xml", body.to_vec());
    bob.send_all().await;
    next_key();
    alice.finish().await;
}

/// Alice has called a peer, with sound alone, and asks it for video.
async fn asking_for_video() -> (Phone, Peer, CallId) {
    let mut alice = Phone::direct("alice", with_bars()).await;
    let mut bob = Peer::new().await;
    let call = alice.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &crate::peer::sdp("0", "sendrecv"));
    bob.serve_while(alice.status(&call, Established)).await;
    alice.set_video(&call, true).await;
    (alice, bob, call)
}

#[tokio::test]
async fn a_video_that_is_refused_leaves_the_call_as_it_was() {
    let (mut alice, mut bob, call) = asking_for_video().await;
    let (sip, offer) = bob.reoffered().await;
    assert_ne!(video_port(&offer), 0);
    bob.reject(sip, 488, "Not Acceptable Here");
    bob.serve_while(alice.notice("refused the video")).await;
    let why_not = alice.video_is(&call, "why there is none", |video| {
        !video.sending && video.problem.as_deref().is_some_and(|why| why.contains("488"))
    });
    bob.serve_while(why_not).await;
    // It can be asked for again.
    alice.set_video(&call, true).await;
    let (sip, offer) = bob.reoffered().await;
    bob.answer(sip, &(crate::peer::sdp("0", "sendrecv") + "m=video 0 RTP/AVP 98\r\n"));
    assert_ne!(video_port(&offer), 0);
    bob.serve_while(alice.video_is(&call, "why not", |video| !video.sending && video.problem.is_some()))
        .await;
    alice.finish().await;
}

#[tokio::test]
async fn video_that_is_added_again_has_a_transport_of_its_own_however_soon_it_is_asked_for() {
    let (mut alice, mut bob, call) = asking_for_video().await;
    let mut last = None;
    for soon in [true, false] {
        let (sip, offer) = bob.reoffered().await;
        let line = format!("m=video 40002 RTP/AVP 97\r\n{SINGLE}");
        bob.answer(sip, &(crate::peer::sdp("0", "sendrecv") + &line));
        assert_ne!(last.replace(video_port(&offer)), Some(video_port(&offer)), "the same ports");
        bob.serve_while(alice.video_is(&call, "our picture", |video| video.sending)).await;
        alice.set_video(&call, false).await;
        let (sip, offer) = bob.reoffered().await;
        assert_eq!(video_port(&offer), 0);
        if soon {
            // Before the far end has said yes to the line's end.
            alice.set_video(&call, true).await;
        }
        bob.answer(sip, &(crate::peer::sdp("0", "sendrecv") + "m=video 0 RTP/AVP 97\r\n"));
        if !soon {
            bob.serve_while(alice.has_no_video(&call)).await;
            alice.set_video(&call, true).await;
        }
    }
    let (_, offer) = bob.reoffered().await;
    assert!(![Some(0), last].contains(&Some(video_port(&offer))), "{offer}");
    alice.finish().await;
}

#[tokio::test]
async fn a_bridge_passes_video_on_that_is_added_later_and_lets_it_go() {
    let mut host = Phone::start(gateway()).await;
    host.is_registered().await;
    let mut alice = Phone::registered("alice", host.gateway(), with_bars()).await;
    let mut bob = Phone::registered("bob", host.gateway(), with_bars()).await;
    let here = alice.call("bob").await;
    let there = bob.answer().await;
    alice.status(&here, Established).await;
    alice.set_video(&here, true).await;
    bob.video_is(&there, "alice", |video| video.requested && video.receiving && !video.sending).await;
    bob.sees_now(&there, "").await;
    bob.set_video(&there, true).await;
    alice.sees_now(&here, "").await;
    bob.set_video(&there, false).await;
    alice.has_no_video(&here).await;
    bob.has_no_video(&there).await;
    for phone in [alice, bob, host] {
        phone.finish().await;
    }
}
