//! The media thread's work, on the time that the test gives it.

mod sound;

use super::{Ask, Identities, Join, LegId, News, TransportSetup, worker::Worker};
use crate::io::{
    door::{self, Asker},
    ports,
};
use sidetone_sdp::{Capability, Direction, LocalMedia, LocalSecurity, Negotiated, OfferAnswer, Origin};
use std::{
    net::{IpAddr, Ipv4Addr, UdpSocket},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

const LEG: LegId = LegId(1);

struct Thread {
    worker: Worker,
    asker: Asker<Ask>,
    news: mpsc::Receiver<News>,
    now: Instant,
}

impl Thread {
    fn new() -> Self {
        let (asker, _, inbox) = door::pair("media").unwrap();
        let (outward, news) = mpsc::channel(256);
        let worker = Worker::new(inbox, outward);
        Self { worker, asker, news, now: Instant::now() }
    }

    fn ask(&mut self, ask: Ask) {
        self.asker.ask(ask);
        self.worker.take_asks();
    }

    fn beat(&mut self, times: usize) {
        for _ in 0..times {
            self.now += Duration::from_millis(10);
            self.worker.beat(self.now);
        }
    }

    /// Opens a leg that speaks `codec` with a far end on `socket`.
    fn open(&mut self, codec: &Capability, socket: &UdpSocket) {
        let pair = ports::bind_pair(IpAddr::V4(Ipv4Addr::LOCALHOST), 0).unwrap();
        let negotiated = agreed(codec, pair.port, socket.local_addr().unwrap().port());
        self.ask(Ask::Open {
            leg: LEG,
            setup: TransportSetup {
                pair,
                seed: [1; 32],
                cname: "test".into(),
                identities: Identities::default(),
            },
        });
        self.ask(Ask::Configure { leg: LEG, negotiated: Box::new(negotiated) });
    }
}

fn far_end() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket
}

/// What `port` and the far end at `far` agree on.
fn agreed(codec: &Capability, port: u16, far: u16) -> Negotiated {
    let local = |rtp_port| LocalMedia {
        address: Ipv4Addr::LOCALHOST.into(),
        rtp_port,
        rtcp_port: None,
        rtcp_mux: false,
        codecs: vec![codec.clone()],
        dtmf: true,
        comfort_noise: false,
        ptime: Some(20),
        direction: Direction::SendRecv,
        security: LocalSecurity::default(),
        ice: None,
    };
    let origin = || Origin { username: "-".into(), session_id: 1, version: 1 };
    let offer = OfferAnswer::new(origin()).offer(&local(far));
    OfferAnswer::new(origin()).answer(&offer, &local(port)).unwrap().1
}

#[test]
fn the_thread_sleeps_until_it_is_asked_while_there_is_no_leg_and_no_device() {
    let mut thread = Thread::new();
    assert_eq!(thread.worker.patience(thread.now), None);
    let socket = far_end();
    thread.open(&Capability::pcmu(), &socket);
    assert!(thread.worker.patience(thread.now).is_some_and(|patience| patience > Duration::from_millis(50)));
    thread.ask(Ask::Join { leg: LEG, with: Join::Devices });
    assert!(thread.worker.patience(thread.now).is_some_and(|patience| patience <= Duration::from_millis(10)));
    thread.ask(Ask::Close { leg: LEG });
    assert_eq!(thread.worker.patience(thread.now), None);
    // A test of a microphone or speaker that did not open.
    thread.ask(Ask::MeasureMicrophone(true));
    thread.ask(Ask::TestTone { beats: 100 });
    assert_eq!(thread.worker.patience(thread.now), None);
}

#[test]
fn keys_pressed_before_the_first_sound_are_sent_and_end() {
    for codec in [Capability::pcmu(), Capability::opus()] {
        for join in [Join::Devices, Join::Echo] {
            let (mut thread, socket) = (Thread::new(), far_end());
            thread.open(&codec, &socket);
            thread.ask(Ask::Join { leg: LEG, with: join });
            thread.ask(Ask::SendDtmf { leg: LEG, digits: "5#".into() });
            thread.beat(100);
            assert!(!thread.worker.legs[&LEG].is_dialling(), "{codec:?} {join:?}");
            let mut ends = Vec::new();
            let mut packet = [0; 1500];
            while ends.len() < 6 {
                let length = socket.recv(&mut packet).unwrap();
                // An event of four bytes with the end bit, not audio.
                if length == 16 && packet[13] & 0x80 != 0 {
                    ends.push(packet[12]);
                }
            }
            assert_eq!(ends, [5, 5, 5, 11, 11, 11], "each end is sent three times");
        }
    }
}

#[test]
fn keys_are_not_sent_to_one_who_holds() {
    let (mut thread, socket) = (Thread::new(), far_end());
    thread.open(&Capability::pcmu(), &socket);
    thread.ask(Ask::Join { leg: LEG, with: Join::Devices });
    thread.ask(Ask::SendDtmf { leg: LEG, digits: "12345".into() });
    thread.beat(5);
    let mut negotiated = agreed(&Capability::pcmu(), 40_000, socket.local_addr().unwrap().port());
    negotiated.direction = Direction::RecvOnly;
    thread.ask(Ask::Configure { leg: LEG, negotiated: Box::new(negotiated) });
    assert!(!thread.worker.legs[&LEG].is_dialling());
    thread.ask(Ask::SendDtmf { leg: LEG, digits: "6".into() });
    assert!(!thread.worker.legs[&LEG].is_dialling());
}
