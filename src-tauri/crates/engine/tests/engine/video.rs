//! Video through the gateway: `echo` sends it back, and a bridge passes it on as it came.

use crate::{
    kit::{LOOPBACK, Phone, SOON, gateway},
    peer::Peer,
};
use sidetone_rtp::{
    WirePacket,
    rtcp::{Compound, Packet, PayloadFeedback, write_picture_loss},
};
use sidetone_sip::CallEvent;
use std::{
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

/// Between two packets of one who waits for the first to arrive.
const BETWEEN_TRIES: Duration = Duration::from_millis(200);
const FEEDBACK: &str = "a=rtcp-fb:* nack pli\r\n";

/// RTP and RTCP of a picture, on ports of their own.
pub(crate) struct Camera {
    rtp: UdpSocket,
    rtcp: UdpSocket,
}

impl Camera {
    pub(crate) fn new() -> Self {
        let socket = || {
            let socket = UdpSocket::bind((LOOPBACK, 0)).unwrap();
            socket.set_read_timeout(Some(SOON)).unwrap();
            socket
        };
        Self { rtp: socket(), rtcp: socket() }
    }

    /// A description with this picture under `formats`, and what else there is to say of it.
    pub(crate) fn sdp(&self, formats: &str, lines: &str) -> String {
        let port = |socket: &UdpSocket| socket.local_addr().unwrap().port();
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio 40000 RTP/AVP 0\r\nm=video {} RTP/AVP {formats}\r\na=rtcp:{}\r\n{lines}",
            port(&self.rtp),
            port(&self.rtcp)
        )
    }

    fn send(&self, to: SocketAddr, payload_type: u8, sequence: u16, payload: &[u8]) {
        let mut bytes = Vec::new();
        let packet = WirePacket {
            marker: sequence.is_multiple_of(2),
            payload_type,
            sequence,
            timestamp: 90_000,
            ssrc: 0x1234,
            csrc: &[],
            extension: None,
            payload,
        };
        packet.write(0, &mut bytes);
        self.rtp.send_to(&bytes, to).unwrap();
    }

    /// Sends until `other` receives: what comes before the media knows of the call is lost. Gives the payload type and marker.
    fn reach(&self, other: &Self, to: SocketAddr, payload_type: u8) -> (u8, bool) {
        let end = Instant::now() + SOON;
        other.rtp.set_read_timeout(Some(BETWEEN_TRIES)).unwrap();
        for sequence in (1..).step_by(2) {
            assert!(Instant::now() < end, "nothing of the picture came");
            self.send(to, payload_type, sequence, b"first");
            let mut bytes = [0; 2048];
            if let Ok((length, _)) = other.rtp.recv_from(&mut bytes) {
                let packet = WirePacket::parse(&bytes[..length]).unwrap();
                assert_eq!(packet.payload, b"first");
                other.rtp.set_read_timeout(Some(SOON)).unwrap();
                return (packet.payload_type, packet.marker);
            }
        }
        unreachable!("the sequence has no end")
    }

    /// The payload type, marker and payload of what comes next, after the first.
    pub(crate) fn receive(&self) -> (u8, bool, Vec<u8>) {
        let mut bytes = [0; 2048];
        let mut length = 0;
        while length == 0 || bytes[..length].ends_with(b"first") {
            (length, _) = self.rtp.recv_from(&mut bytes).expect("a packet of the picture");
        }
        let packet = WirePacket::parse(&bytes[..length]).unwrap();
        (packet.payload_type, packet.marker, packet.payload.to_vec())
    }

    /// Waits for a picture loss indication.
    fn asked(&self) {
        loop {
            let mut bytes = [0; 2048];
            let (length, _) = self.rtcp.recv_from(&mut bytes).expect("a request for a key frame");
            let is_asked = |packet: Packet<'_>| match packet {
                Packet::Other { packet_type, count, body } => matches!(
                    PayloadFeedback::parse(packet_type, count, body),
                    Ok(Some(PayloadFeedback::PictureLoss { .. }))
                ),
                _ => false,
            };
            if Compound::parse(&bytes[..length]).unwrap().packets().any(is_asked) {
                return;
            }
        }
    }

    pub(crate) fn ask(&self, to: SocketAddr) {
        let mut bytes = Vec::new();
        write_picture_loss(0x1234, 0, &mut bytes);
        self.rtcp.send_to(&bytes, (to.ip(), to.port() + 1)).unwrap();
    }
}

/// The port of the video line.
pub(crate) fn video_port(sdp: &str) -> u16 {
    let line = sdp.lines().find_map(|line| line.strip_prefix("m=video ")).unwrap_or_else(|| panic!("{sdp}"));
    line.split(' ').next().unwrap().parse().unwrap()
}

pub(crate) fn video_address(sdp: &str) -> SocketAddr {
    (LOOPBACK, video_port(sdp)).into()
}

async fn host() -> Phone {
    let mut host = Phone::start(gateway()).await;
    host.is_registered().await;
    host
}

#[tokio::test]
async fn echo_sends_the_picture_back_and_asks_for_its_beginning() {
    let host = host().await;
    let (mut alice, camera) = (Peer::new().await, Camera::new());
    let offer = camera.sdp("98", &format!("a=rtpmap:98 VP8/90000\r\n{FEEDBACK}"));
    let call = alice.invite("sip:alice@example.com", &format!("sip:echo@{}", host.gateway()), Some(&offer));
    let answer = alice.answered().await;
    assert!(answer.contains("a=rtcp-fb:98 nack pli\r\n"), "{answer}");
    let to = video_address(&answer);
    assert_eq!(camera.reach(&camera, to, 98), (98, false));
    for (sequence, payload) in [(101_u16, b"one"), (102, b"two"), (103, b"thr")] {
        camera.send(to, 98, sequence, payload);
        assert_eq!(camera.receive(), (98, sequence == 102, payload.to_vec()));
    }
    camera.asked();
    alice.hang_up(call);
    alice.ended().await;
    host.finish().await;
}

#[tokio::test]
async fn echo_takes_video_that_is_added_later_and_lets_it_go() {
    let host = host().await;
    let (mut alice, camera) = (Peer::new().await, Camera::new());
    let to = format!("sip:echo@{}", host.gateway());
    let call = alice.invite("sip:alice@example.com", &to, Some(&crate::peer::sdp("0", "sendrecv")));
    assert!(!alice.answered().await.contains("m=video"));
    let with = camera.sdp("98", &format!("a=rtpmap:98 VP8/90000\r\n{FEEDBACK}"));
    let answer = alice.reinvite(call, &with).await;
    let to = video_address(&answer);
    assert_eq!(camera.reach(&camera, to, 98), (98, false));
    let without = crate::peer::sdp("0", "sendrecv") + "m=video 0 RTP/AVP 98\r\n";
    let answer = alice.reinvite(call, &without).await;
    assert_eq!(video_port(&answer), 0);
    let answer = alice.reinvite(call, &with).await;
    let to = video_address(&answer);
    assert_eq!(camera.reach(&camera, to, 98), (98, false));
    alice.hang_up(call);
    alice.ended().await;
    host.finish().await;
}

#[tokio::test]
async fn a_bridge_passes_video_on_under_the_numbers_of_each_peer() {
    let host = host().await;
    let (mut alice, mut bob) = (Peer::new().await, Peer::new().await);
    let (of_alice, of_bob) = (Camera::new(), Camera::new());
    bob.register("bob", host.gateway()).await;
    let h264 = |number: u8, mode: u8| {
        let fmtp = format!("profile-level-id=42801f;packetization-mode={mode}");
        format!("a=rtpmap:{number} H264/90000\r\na=fmtp:{number} {fmtp}\r\n")
    };
    let lines = format!("{}a=rtpmap:98 VP8/90000\r\n{FEEDBACK}", h264(97, 1));
    let offer = of_alice.sdp("97 98", &lines);
    let to = format!("sip:bob@{}", host.gateway());
    alice.invite("sip:alice@example.com", &to, Some(&offer));
    let (at_bob, offered) = alice.serve_while(bob.called()).await;
    assert!(offered.contains("profile-level-id=42801f;packetization-mode=1\r\n"), "{offered}");
    assert!(!offered.contains("packetization-mode=0"), "what the caller has not: {offered}");
    bob.answer(at_bob, &of_bob.sdp("110", &format!("{}{FEEDBACK}", h264(110, 1))));
    let answer = bob.serve_while(alice.answered()).await;
    assert!(answer.contains("m=video") && !answer.contains("VP8"), "{answer}");
    let (alices, bobs) = (video_address(&answer), video_address(&offered));
    bob.serve_while(alice.send_all()).await;
    assert_eq!(of_alice.reach(&of_bob, alices, 97), (110, false));
    of_alice.send(alices, 97, 102, b"to bob");
    assert_eq!(of_bob.receive(), (110, true, b"to bob".to_vec()));
    of_alice.asked();
    let number: u8 = {
        let line = offered.lines().find_map(|line| line.strip_prefix("m=video ")).unwrap();
        line.split(' ').nth(2).unwrap().parse().unwrap()
    };
    assert_eq!(of_bob.reach(&of_alice, bobs, number), (97, false));
    of_bob.send(bobs, number, 102, b"to alice");
    assert_eq!(of_alice.receive(), (97, true, b"to alice".to_vec()));
    of_bob.asked();
    // What bob misses, alice is asked for.
    of_bob.ask(bobs);
    of_alice.asked();
    host.finish().await;
}

#[tokio::test]
async fn a_peer_without_feedback_is_asked_by_info_and_asks_by_it() {
    let host = host().await;
    let (mut alice, mut bob) = (Peer::new().await, Peer::new().await);
    let (of_alice, of_bob) = (Camera::new(), Camera::new());
    bob.register("bob", host.gateway()).await;
    let offer = of_alice.sdp("98", "a=rtpmap:98 VP8/90000\r\n");
    let to = format!("sip:bob@{}", host.gateway());
    alice.invite("sip:alice@example.com", &to, Some(&offer));
    let (at_bob, _) = alice.serve_while(bob.called()).await;
    bob.answer(at_bob, &of_bob.sdp("98", "a=rtpmap:98 VP8/90000\r\n"));
    bob.serve_while(alice.answered()).await;
    let body = b"<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive>\
                 </media_control>";
    let request = body.to_vec();
    bob.ua.info(Instant::now(), at_bob, "application/media_control+xml", request);
    bob.send_all().await;
    let asked = alice.told("a request for a key frame", |event| match event {
        CallEvent::Info { content_type, body } => Some((content_type.clone(), body.clone())),
        _ => None,
    });
    let (kind, body) = bob.serve_while(asked).await;
    assert_eq!(kind, "application/media_control+xml");
    assert!(String::from_utf8(body).unwrap().contains("<picture_fast_update/>"));
    host.finish().await;
}

#[tokio::test]
async fn a_callee_without_video_leaves_the_caller_with_sound_alone() {
    let host = host().await;
    let (mut alice, mut bob) = (Peer::new().await, Peer::new().await);
    bob.register("bob", host.gateway()).await;
    let offer = Camera::new().sdp("98", "a=rtpmap:98 VP8/90000\r\n");
    let to = format!("sip:bob@{}", host.gateway());
    alice.invite("sip:alice@example.com", &to, Some(&offer));
    let (at_bob, offered) = alice.serve_while(bob.called()).await;
    assert_ne!(video_port(&offered), 0);
    bob.answer(at_bob, &(crate::peer::sdp("0", "sendrecv") + "m=video 0 RTP/AVP 98\r\n"));
    let answer = bob.serve_while(alice.answered()).await;
    assert_eq!(video_port(&answer), 0);
    host.finish().await;
}
