//! Floods meet limits, not memory: what is too much is refused, and the phone serves on.

use super::{
    super::phone::Phone,
    PHONE, alice,
    gateway::{GATEWAY, gateway},
    peer::Peer,
    raw::{OFFER, Raw},
};
use serde_json::json;
use sidetone_testkit::{Needs, room};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const FLOOD: usize = 5000;
const SOCKETS: usize = 50;
/// No more at a time than the phone's socket holds, so that the phone and not the kernel has to deal with them.
const BURST: usize = 50;
/// What the process may hold besides its program, in kB.
const MEMORY: u64 = 26_000;

/// The resident memory of the phone without the pages of its program and libraries, which grow with what the product can
/// do and not with what is sent to it, in kB; `None` where the system does not tell.
pub(super) fn memory(phone: &Phone) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", phone.process())).ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

pub(super) fn assert_small(phone: &Phone, name: &str) {
    let Some(memory) = memory(phone) else { return };
    eprintln!("{name}: {memory} kB");
    assert!(memory < MEMORY, "{name}: {memory} kB are resident");
}

/// Sends them all, and counts the final replies, or 180, by status.
fn flood(target: &str, requests: impl Fn(&Peer, usize) -> Raw) -> (Vec<Peer>, BTreeMap<u16, usize>) {
    let peers: Vec<Peer> = (0..SOCKETS).map(|_| Peer::new(target)).collect();
    let gauge = Peer::new(target);
    let mut statuses = BTreeMap::new();
    for burst in 0..FLOOD / BURST {
        for n in 0..BURST {
            let peer = &peers[n % SOCKETS];
            peer.send(&requests(peer, burst * BURST + n).bytes());
        }
        gauge.assert_alive("in the flood");
        for peer in &peers {
            while let Some(reply) = peer.waiting() {
                *statuses.entry(reply.status).or_default() += 1;
            }
        }
    }
    (peers, statuses)
}

#[test]
fn five_thousand_invites_ring_up_to_the_limit_and_are_refused_beyond() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = alice();
    let before = memory(&phone);
    // As fast as they can be sent: most are lost in the socket.
    let burst: Vec<Peer> = (0..SOCKETS).map(|_| Peer::new(PHONE)).collect();
    let unknown = |peer: &Peer| peer.request_to("INVITE", "sip:nobody@127.0.0.1").sdp(OFFER);
    (0..FLOOD).for_each(|n| burst[n % SOCKETS].send(&unknown(&burst[n % SOCKETS]).bytes()));
    let alive = |_: &()| {
        let peer = Peer::new(PHONE);
        peer.send(&peer.request("OPTIONS").bytes());
        peer.next_before(Instant::now() + Duration::from_millis(500)).is_some()
    };
    assert!((0..20).any(|_| alive(&())), "OPTIONS after the burst");

    let (_peers, statuses) = flood(PHONE, |peer, _| peer.invite());
    eprintln!("{statuses:?}, {before:?} kB before");
    let of = |status| statuses.get(&status).copied().unwrap_or(0);
    assert!(of(180) >= 16 && of(180) <= 512, "{statuses:?}");
    // A phone whose lines are all taken is busy. 486 is repeated until its ACK, which nobody sends here, up to what may be kept.
    assert!(of(486) + of(503) >= FLOOD - 512, "{statuses:?}");
    assert!(statuses.keys().all(|status| [100, 180, 486, 503].contains(status)), "{statuses:?}");
    assert_small(&phone, "after the INVITEs");

    let peer = Peer::new(PHONE);
    let invite = peer.invite();
    let refused = peer.answer("one more", &invite);
    assert!(matches!(refused.status, 486 | 503), "{refused:#?}");
    peer.acknowledge(&invite, &refused);
    // One caller less, and there is room for another.
    let call = phone.status("CallStatusEvent", "RING")["callId"].clone();
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    peer.status("room for one", &peer.invite(), 180);
}

#[test]
fn requests_as_large_as_can_be_are_not_kept_beyond_the_limit() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let phone = alice();
    let long = "x".repeat(15_000);
    let vias: Vec<String> =
        (0..2).map(|n| format!("SIP/2.0/UDP {}.example;branch=z9hG4bK{long}", "p".repeat(n + 1))).collect();
    let peer = Peer::new(PHONE);
    let mut full = 0;
    for n in 0..180 {
        let request = vias.iter().fold(peer.request("OPTIONS"), |request, via| request.with("Via", via));
        let request = request.set("Call-ID", format!("{long}-{n}"));
        let request =
            request.change("Via", |via| via.replace("branch=z9hG4bK", &format!("branch=z9hG4bK{long}")));
        let reply = peer.answer("large", &request);
        match reply.status {
            200 => {}
            503 => full += usize::from(reply.get("Retry-After").is_some()),
            other => panic!("{other}"),
        }
    }
    assert!(full > 0, "the limit was not met");
    assert_small(&phone, "after 180 requests of 60 kB");
}

#[test]
fn five_thousand_users_register_up_to_the_limit() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = gateway();
    let (before, start) = (memory(&phone), Instant::now());
    let (peers, statuses) = flood(GATEWAY, |peer, n| {
        let request = peer.request_to("REGISTER", &format!("sip:{GATEWAY}"));
        let contact = format!("<sip:user-{n}@{};x={}>", peer.address(), "y".repeat(500));
        request.set("To", format!("<sip:user-{n}@{GATEWAY}>")).set("Contact", contact)
    });
    eprintln!("{statuses:?}, {before:?} kB before");
    let of = |status| statuses.get(&status).copied().unwrap_or(0);
    assert!(of(200) >= 100 && of(503) > FLOOD / 2 && of(200) + of(503) >= FLOOD * 9 / 10, "{statuses:?}");
    assert_small(&phone, "after the REGISTERs");
    // The view of the gateway names every extension: it may not be told for each that comes.
    let snapshot = phone.ask(json!({"command": "getSnapshot"}));
    let extensions = snapshot["reply"]["snapshot"]["gateway"]["extensions"].as_array().map_or(0, Vec::len);
    assert!(extensions > of(200) && extensions < 512, "{extensions} extensions, two of them our own");
    let views = phone.seen.iter().filter(|value| value["event"] == "GatewayChanged").count();
    assert!(
        views as f32 <= 10.0 * start.elapsed().as_secs_f32() + 5.0,
        "{views} views in {:?}",
        start.elapsed()
    );
    // Those who are in may go on.
    let peer = &peers[0];
    let request = peer.request_to("REGISTER", &format!("sip:{GATEWAY}")).without("Contact");
    let reply = peer.answer("one of the first", &request.set("To", format!("<sip:user-0@{GATEWAY}>")));
    assert_eq!((reply.status, reply.list("Contact").len()), (200, 1), "{reply:#?}");
}
