//! Which pictures of a room go to whom: not those that nobody shows, nor those that a path has no room for.

use crate::{
    endpoint::{FarPeer, Sending},
    kit::{Phone, SOON, gateway},
    rooms::{Page, in_room},
};
use bytes::Bytes;
use serde_json::{Value, json};
use sidetone_engine::{ClientAsk, ClientNews, ClientStream};
use sidetone_peer::{Certificate, Codec, Config, Direction, Event, Kind, Media, Peer, Wanted};
use sidetone_testkit::link::{Link, LinkSettings};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};
use tokio::net::UdpSocket;

const STREAM: &str = "tea-ann-1";
const FOR_EVER: Duration = Duration::from_secs(3_600);
const NARROW: u64 = 150_000;

/// VP8 that nobody decodes: 25 pictures a second of two packets, 440 kbit/s; each 25th is a key frame.
#[derive(Default)]
struct Pictures(u32);

impl Sending for Pictures {
    const KIND: Kind = Kind::Video;
    const APART: Duration = Duration::from_millis(40);

    fn codec(&self) -> Codec {
        Codec::Vp8
    }

    fn next(&mut self) -> Vec<(u32, bool, Bytes)> {
        let number = self.0;
        self.0 += 1;
        let part = |first: bool| {
            let mut payload = vec![0xa5; 1_100];
            payload[0] = if first { 0x10 } else { 0x00 };
            if first {
                payload[1] = if number.is_multiple_of(25) { 0x10 } else { 0x11 };
                payload[4..11].copy_from_slice(&[0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]);
            }
            (number * 3_600, !first, Bytes::from(payload))
        };
        vec![part(true), part(false)]
    }
}

/// What came to one who plays.
#[derive(Debug, Default)]
struct Seen {
    packets: u64,
    lost: u32,
    last: Option<u16>,
    /// Whether the first packet since this was cleared began a key frame.
    begun: Option<bool>,
    path: LinkSettings,
}

type Shared = Arc<Mutex<Seen>>;

/// Plays the stream over a path of its own, for ever.
async fn play(page: &mut Page, id: &str) -> Shared {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let local = socket.local_addr().unwrap();
    let now = Instant::now();
    let mut peer = Peer::new(now, Config::client(Certificate::generate().unwrap(), vec![local], 7)).unwrap();
    let media = Media { codecs: vec![Codec::Vp8], ..Media::new(Kind::Video, Direction::Receive) };
    let sdp = peer.create_offer(now, &Wanted { media: vec![media], stream: String::new() }).unwrap();
    page.client.ask(ClientAsk::Play(ClientStream { sdp, ..in_room(id, STREAM, Direction::Receive) })).await;
    let answer = loop {
        if let ClientNews::Description { sdp, .. } = page.client.told().await {
            break sdp;
        }
    };
    peer.accept_answer(now, &answer).unwrap();
    let seen = Shared::default();
    tokio::spawn(run(peer, socket, local, Arc::clone(&seen)));
    seen
}

async fn run(mut peer: Peer, socket: UdpSocket, local: SocketAddr, seen: Shared) {
    let (mut path, mut buffer) = (Link::new(LinkSettings::default(), 1), [0; 2_048]);
    loop {
        while let Some(event) = peer.poll_event() {
            if let Event::Rtp(received) = event {
                take(&mut seen.lock().unwrap(), received.packet.sequence, &received.packet.payload);
            }
        }
        while let Some(transmit) = peer.poll_transmit() {
            let _ = socket.send_to(&transmit.data, transmit.remote).await;
        }
        let wait = Duration::from_millis(3);
        if let Ok(Ok((length, from))) = tokio::time::timeout(wait, socket.recv_from(&mut buffer)).await {
            path.set(seen.lock().unwrap().path);
            path.send(Instant::now(), length + 28, (from, buffer[..length].to_vec()));
        }
        let now = Instant::now();
        while let Some((from, datagram)) = path.receive(now) {
            peer.handle_input(now, local, from, &datagram);
        }
        peer.handle_timeout(now);
    }
}

fn take(seen: &mut Seen, sequence: u16, payload: &[u8]) {
    seen.packets += 1;
    let missed = seen.last.map_or(0, |last| sequence.wrapping_sub(last).wrapping_sub(1) as i16);
    seen.lost += u32::try_from(missed).unwrap_or(0);
    if missed >= 0 {
        seen.last = Some(sequence);
    }
    if seen.begun.is_none() {
        seen.begun = Some(payload[0] & 0x10 != 0 && payload[1] & 1 == 0);
    }
}

/// Waits for so many more packets.
async fn more(seen: &Shared, packets: u64) {
    let until = seen.lock().unwrap().packets + packets;
    let came = async {
        while seen.lock().unwrap().packets < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(2 * SOON, came).await.expect("pictures");
}

/// Waits for news of the page that fit.
async fn heard<T>(page: &mut Page, fits: impl Fn(&ClientNews) -> Option<T>) -> T {
    for _ in 0..1_000 {
        if let Some(found) = fits(&page.client.told().await) {
            return found;
        }
    }
    panic!("not told")
}

/// Why the page is not shown the stream, as its view of the room has it.
fn reason(news: &ClientNews) -> Option<String> {
    let ClientNews::Data { payload, .. } = news else { return None };
    let payload: Value = serde_json::from_str(payload.as_str()).ok()?;
    let participants = payload["info"]["participants"].as_array()?;
    let mut streams = participants.iter().flat_map(|participant| participant["streams"].as_array()).flatten();
    let stream = streams.find(|stream| stream["name"] == STREAM)?;
    stream["info"].as_str().map(String::from)
}

/// Ann publishes to the room.
async fn publish(host: &Phone) -> (Page, Arc<std::sync::atomic::AtomicU32>) {
    let mut ann = Page::open(host, "ann").await;
    ann.join().await;
    let (mut far, sdp) = FarPeer::offer(Pictures::default(), Direction::Send).await;
    let wanted = ClientStream { sdp, ..in_room("a1", STREAM, Direction::Send) };
    ann.client.ask(ClientAsk::Publish(wanted)).await;
    let answer = heard(&mut ann, |news| match news {
        ClientNews::Description { sdp, .. } => Some(sdp.clone()),
        _ => None,
    });
    far.accept(&answer.await);
    let keys = Arc::clone(&far.keys_asked);
    tokio::spawn(async move { far.run(FOR_EVER).await });
    let is_there =
        |news: &ClientNews| matches!(news, ClientNews::Stream(view) if view.status.as_str() == "PUBLISHING");
    heard(&mut ann, |news| is_there(news).then_some(())).await;
    (ann, keys)
}

#[tokio::test]
async fn pictures_that_a_page_does_not_show_are_not_sent_and_come_back_with_a_key_frame() {
    let host = Phone::start(gateway()).await;
    let (_ann, keys) = publish(&host).await;
    let (mut bob, mut cem) = (Page::open(&host, "bob").await, Page::open(&host, "cem").await);
    bob.join().await;
    cem.join().await;
    let (of_bob, of_cem) = (play(&mut bob, "b1").await, play(&mut cem, "c1").await);
    more(&of_bob, 50).await;
    assert_eq!(of_bob.lock().unwrap().begun, Some(true), "late joiners begin with a key frame");
    let show = async |page: &mut Page, pictures: Value| {
        let room = json!({ "ask": "show", "pictures": pictures });
        page.ask("ask", json!({ "name": "tea", "room": room })).await;
        heard(page, |news| match news {
            ClientNews::DataStatus { accepted, info, .. } => Some((*accepted, info.clone())),
            _ => None,
        })
        .await
    };
    assert!(show(&mut bob, json!([])).await.0);
    // What was on its way has come when others have had half a second more.
    more(&of_cem, 25).await;
    let before = of_bob.lock().unwrap().packets;
    let asked = keys.load(Relaxed);
    more(&of_cem, 100).await;
    assert_eq!(of_bob.lock().unwrap().packets, before);
    assert_eq!(keys.load(Relaxed), asked, "nobody waits for one");
    of_bob.lock().unwrap().begun = None;
    assert!(show(&mut bob, json!([{ "name": STREAM, "width": 320, "height": 180 }])).await.0);
    more(&of_bob, 50).await;
    assert_eq!(of_bob.lock().unwrap().begun, Some(true));
    assert_eq!(of_bob.lock().unwrap().lost, 0, "nothing is missed of what was not sent");
    let many: Vec<_> = (0..257).map(|n| json!({ "name": format!("{n}"), "width": 1, "height": 1 })).collect();
    let (accepted, info) = show(&mut bob, json!(many)).await;
    assert!(!accepted && info.contains("256 are the most"), "{info}");
    host.finish().await;
}

#[tokio::test]
async fn one_with_a_narrow_path_is_told_so_takes_nothing_from_the_others_and_sees_again_when_it_widens() {
    let host = Phone::start(gateway()).await;
    let (_ann, keys) = publish(&host).await;
    let (mut bob, mut cem) = (Page::open(&host, "bob").await, Page::open(&host, "cem").await);
    bob.join().await;
    cem.ask("join", json!({ "name": "tea", "view": true })).await;
    let (of_bob, of_cem) = (play(&mut bob, "b1").await, play(&mut cem, "c1").await);
    more(&of_bob, 100).await;
    more(&of_cem, 100).await;
    let asked = keys.load(Relaxed);
    of_cem.lock().unwrap().path =
        LinkSettings { bandwidth: Some(NARROW), queue: 15_000, ..LinkSettings::default() };
    let told = heard(&mut cem, |news| match news {
        ClientNews::StreamEvent { kind, payload, .. } => Some((kind.clone(), payload.as_str().to_owned())),
        _ => None,
    });
    let (kind, payload) = told.await;
    assert_eq!(kind, "notEnoughBandwidth");
    let payload: Value = serde_json::from_str(&payload).unwrap();
    let (need, most) = payload["info"].as_str().and_then(|info| info.split_once('/')).unwrap();
    let (need, most): (u32, u32) = (need.parse().unwrap(), most.parse().unwrap());
    assert!((400..550).contains(&need) && most < 300, "{payload}");
    let why = heard(&mut cem, |news| reason(news).filter(|reason| !reason.is_empty())).await;
    assert_eq!(why, "paused: the connection is too slow for this picture");
    more(&of_bob, 200).await;
    assert_eq!(of_bob.lock().unwrap().lost, 0);
    let wanted = keys.load(Relaxed) - asked;
    assert!(wanted <= 4, "{wanted} key frames for the slow one");
    of_cem.lock().unwrap().begun = None;
    of_cem.lock().unwrap().path = LinkSettings::default();
    heard(&mut cem, |news| reason(news).filter(String::is_empty)).await;
    more(&of_cem, 100).await;
    assert_eq!(of_cem.lock().unwrap().begun, Some(true));
    assert_eq!(of_bob.lock().unwrap().lost, 0);
    host.finish().await;
}
