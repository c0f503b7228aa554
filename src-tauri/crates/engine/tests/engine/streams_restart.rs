//! ICE restarts of clients at the gateway that come to nothing.

use crate::kit::{Phone, gateway};
use sidetone_engine::{
    StreamDeclined, StreamOffer, StreamPatch, StreamPatched,
    whip::{Fragment, IfMatch, Kind},
};
use sidetone_peer::{Certificate, Config, Direction, Peer, Wanted};
use std::time::Instant;

/// Bytes of a description that are read.
const LONGEST: usize = 64 * 1024;

/// An offer of as many bytes: it says more of its media than anybody asks for.
fn offer(bytes: usize) -> String {
    let now = Instant::now();
    let hosts = vec!["127.0.0.1:9".parse().unwrap()];
    let mut peer = Peer::new(now, Config::client(Certificate::generate().unwrap(), hosts, 7)).unwrap();
    let mut sdp = peer.create_offer(now, &Wanted::both(Direction::Send)).unwrap();
    while sdp.len() + 10 < bytes {
        let more = (bytes - sdp.len()).min(1_000) - "a=x-:\r\n".len();
        sdp += &format!("a=x-:{}\r\n", "x".repeat(more));
    }
    sdp
}

fn news(ufrag: &str, candidates: usize) -> Fragment {
    let candidate = |port: usize| format!("a=candidate:1 1 udp 1 127.0.0.1 {} typ host\r\n", port + 1_000);
    let candidates: String = (0..candidates).map(candidate).collect();
    let password = "p".repeat(22);
    let text = format!(
        "a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n{candidates}"
    );
    Fragment::parse(&text).unwrap()
}

#[tokio::test]
async fn a_restart_that_is_refused_leaves_the_session_as_it_was() {
    let host = Phone::start(gateway()).await;
    let sdp = offer(LONGEST - 200);
    let credentials = Fragment::parse(&sdp).unwrap().credentials().cloned().unwrap();
    let offer = StreamOffer { kind: Kind::Whip, name: "tv".into(), sdp, token: None };
    let accepted = host.handle.offer_stream(offer).await.expect("accepted");
    let patch = async |if_match: &str, fragment: Fragment| {
        let (resource, if_match) = (accepted.resource.clone(), IfMatch::parse(if_match));
        host.handle.patch_stream(StreamPatch { resource, if_match, fragment, token: None }).await
    };

    // With so many candidates the description is too long.
    let refused = patch("*", news("new0", 60)).await;
    assert!(matches!(refused, Err(StreamDeclined::BadOffer(_))), "{refused:?}");
    let tag = accepted.tag.to_string();
    // What the client has of the session is still right: with its tag and its credentials it trickles on.
    assert_eq!(patch(&tag, news(&credentials.ufrag, 1)).await, Ok(StreamPatched::Trickled));
    let restarted = patch("*", news("new1", 0)).await;
    let Ok(StreamPatched::Restarted { tag: newer, .. }) = restarted else { panic!("{restarted:?}") };
    assert_ne!(newer.to_string(), tag);
    assert_eq!(patch(&newer.to_string(), news("new1", 1)).await, Ok(StreamPatched::Trickled));
    let outdated = patch(&tag, news("new1", 1)).await;
    assert!(matches!(outdated, Err(StreamDeclined::NotMet(_))), "{outdated:?}");
    host.finish().await;
}

#[tokio::test]
async fn the_credentials_of_an_offer_with_more_candidates_than_a_fragment_has_are_known() {
    let host = Phone::start(gateway()).await;
    let mut sdp = offer(0);
    for port in 2_000..2_300 {
        sdp += &format!("a=candidate:1 1 udp 1 127.0.0.1 {port} typ host\r\n");
    }
    assert!(Fragment::parse(&sdp).is_err());
    let ufrag = sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap().to_owned();
    let offer = StreamOffer { kind: Kind::Whip, name: "tv".into(), sdp, token: None };
    let accepted = host.handle.offer_stream(offer).await.expect("accepted");
    let (resource, if_match) = (accepted.resource, IfMatch::parse("*"));
    let patch = StreamPatch { resource, if_match, fragment: news(&ufrag, 1), token: None };
    // Not taken for a restart.
    assert_eq!(host.handle.patch_stream(patch).await, Ok(StreamPatched::Trickled));
    host.finish().await;
}
