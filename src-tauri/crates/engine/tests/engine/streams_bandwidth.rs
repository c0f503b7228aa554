//! What the gateway's streams may take of the network, and where it says that it is.

use crate::clients::{Client, failed, stream as wanted};
use crate::endpoint::{Endpoint, FarPeer, Sending};
use crate::kit::{Phone, gateway, options, quiet};
use crate::streams::{bars_and_tone, stream};
use crate::streams_network::{picture_is_fresh, small};
use bytes::Bytes;
use sidetone_api::StreamStatus;
use sidetone_engine::{
    ClientAsk, ClientNews, ClientStream, MediaLimits, MediaPlace, Options, StreamDeclined, StreamOffer,
    whip::Kind,
};
use sidetone_peer::{Codec, Direction};
use std::{net::SocketAddr, time::Duration};

const FOR_EVER: Duration = Duration::from_secs(3_600);
const NO_ROOM: &str = "Not enough bandwidth: the streams that there are take all that may be";

/// Sound of so many bytes each 10 ms, from one who cannot be told to send less.
struct Loud {
    bytes: usize,
    timestamp: u32,
}

impl Loud {
    fn new(kbit: usize) -> Self {
        Self { bytes: kbit * 1_000 / 8 / 100, timestamp: 0 }
    }
}

impl Sending for Loud {
    const KIND: sidetone_peer::Kind = sidetone_peer::Kind::Audio;
    const APART: Duration = Duration::from_millis(10);

    fn codec(&self) -> Codec {
        Codec::Opus
    }

    fn next(&mut self) -> Vec<(u32, bool, Bytes)> {
        self.timestamp = self.timestamp.wrapping_add(480);
        vec![(self.timestamp, false, vec![0xf8; self.bytes].into())]
    }
}

async fn host(session_kbit: Option<u32>, kbit: Option<u32>) -> Phone {
    let media = MediaPlace { limits: MediaLimits { session_kbit, kbit }, ..MediaPlace::default() };
    Phone::with(Options { media, ..options(small(gateway())) }).await
}

/// A client's stream with media, which runs from now on.
async fn begin(client: &mut Client, id: &str, name: &str, direction: Direction, kbit: usize) {
    let (mut far, sdp) = FarPeer::offer(Loud::new(kbit), direction).await;
    let wanted = ClientStream { sdp, ..wanted(id, name, direction) };
    client
        .ask(if direction == Direction::Send { ClientAsk::Publish(wanted) } else { ClientAsk::Play(wanted) })
        .await;
    let ClientNews::Description { sdp, .. } = client.told().await else { panic!("no answer") };
    far.accept(&sdp);
    tokio::spawn(async move { far.run(FOR_EVER).await });
    let begun = if direction == Direction::Send { StreamStatus::Publishing } else { StreamStatus::Playing };
    assert_eq!(client.status().await, (id.into(), begun, String::new()));
}

#[tokio::test]
async fn a_publisher_that_goes_on_sending_more_than_it_may_is_ended_in_words() {
    let host = host(Some(300), None).await;
    let (mut one, mut other) = (Client::open(&host).await, Client::open(&host).await);
    begin(&mut other, "m2", "quiet", Direction::Send, 100).await;
    begin(&mut one, "m1", "loud", Direction::Send, 900).await;
    let (id, status, info) = one.status().await;
    assert_eq!((id.as_str(), status), ("m1", StreamStatus::Failed));
    let figures =
        info.strip_prefix("Not enough bandwidth: ").and_then(|info| info.strip_suffix("/300 kbit/s"));
    let sent: u32 = figures.unwrap_or_else(|| panic!("{info}")).parse().unwrap();
    assert!((700..1_300).contains(&sent), "{info}");
    other.ask(ClientAsk::UnPublish { id: "m2".into() }).await;
    assert_eq!(other.status().await, ("m2".into(), StreamStatus::Unpublished, "Stopped by user".into()));
    host.finish().await;
}

#[tokio::test]
async fn a_publisher_that_can_be_told_sends_what_it_may() {
    let mut host = host(Some(300), None).await;
    let endpoint = Endpoint::start(host.handle.clone()).await;
    let mut alice = Phone::start(small(quiet())).await;
    let published = alice.publish(&endpoint.whip("tv"), bars_and_tone()).await;
    alice.stream_status(&published, StreamStatus::Publishing).await;
    let told = |state: &sidetone_api::Snapshot| {
        let statistics = stream(state, &published).and_then(|it| it.statistics);
        statistics.and_then(|it| it.available_kbit).is_some_and(|kbit| kbit <= 300.0)
    };
    alice.until("the ceiling", told).await;
    let inside = host.played("tv").await;
    picture_is_fresh(&host, &inside).await;
    for phone in [alice, host] {
        phone.finish().await;
    }
}

#[tokio::test]
async fn a_player_of_more_than_it_may_be_sent_is_told_and_goes_on() {
    let host = host(Some(400), None).await;
    let mut client = Client::open(&host).await;
    let mut publishers = Vec::new();
    for name in ["one", "two"] {
        let mut publisher = Client::open(&host).await;
        begin(&mut publisher, &format!("p-{name}"), name, Direction::Send, 340).await;
        publishers.push(publisher);
    }
    for name in ["one", "two"] {
        begin(&mut client, name, name, Direction::Receive, 0).await;
    }
    loop {
        match client.told().await {
            ClientNews::StreamEvent { kind, payload, .. } => {
                assert_eq!(kind, "notEnoughBandwidth");
                let payload = payload.as_str();
                let info = payload.split('"').nth(3).unwrap_or_default();
                let (sent, most) = info.split_once('/').unwrap_or_else(|| panic!("{payload}"));
                assert!(sent.parse::<u32>().unwrap() > 300 && most == "200", "{payload}");
                break;
            }
            ClientNews::Stream(view) => panic!("{} {}", view.status, view.info),
            _ => {}
        }
    }
    host.finish().await;
}

#[tokio::test]
async fn where_nothing_is_left_a_stream_does_not_begin() {
    let host = host(Some(1_000), Some(200)).await;
    let mut client = Client::open(&host).await;
    begin(&mut client, "m1", "one", Direction::Send, 40).await;
    begin(&mut client, "m2", "two", Direction::Send, 40).await;
    client.ask(ClientAsk::Publish(wanted("m3", "three", Direction::Send))).await;
    assert_eq!(client.status().await, failed("m3", NO_ROOM));
    client.ask(ClientAsk::Play(wanted("m4", "one", Direction::Receive))).await;
    assert_eq!(client.status().await, failed("m4", NO_ROOM));
    let sdp = wanted("", "", Direction::Send).sdp;
    let offer = StreamOffer { kind: Kind::Whip, name: "four".into(), sdp, token: None };
    let declined = host.handle.offer_stream(offer).await.expect_err("it is declined");
    assert!(matches!(&declined, StreamDeclined::Limit(info) if info == NO_ROOM), "{declined:?}");
    let greedy = ClientStream { min_bitrate: 1_001, ..wanted("m5", "five", Direction::Send) };
    client.ask(ClientAsk::Publish(greedy)).await;
    assert_eq!(client.status().await, failed("m5", "Not enough bandwidth: 1001/1000 kbit/s"));
    // What has ended leaves room.
    client.ask(ClientAsk::UnPublish { id: "m2".into() }).await;
    assert_eq!(client.status().await.1, StreamStatus::Unpublished);
    begin(&mut client, "m6", "six", Direction::Send, 40).await;
    host.finish().await;
}

#[tokio::test]
async fn answers_carry_the_addresses_of_a_nat_before_our_own() {
    let advertise = ["203.0.113.7", "2001:db8::7"].map(|ip| ip.parse().unwrap());
    let media = MediaPlace { advertise: advertise.to_vec(), ..MediaPlace::default() };
    let host = Phone::with(Options { media, ..options(gateway()) }).await;
    let mut client = Client::open(&host).await;
    client.ask(ClientAsk::Publish(wanted("m1", "cam", Direction::Send))).await;
    let ClientNews::Description { sdp, .. } = client.told().await else { panic!("no answer") };
    let candidates: Vec<Vec<&str>> = sdp
        .lines()
        .filter_map(|line| line.strip_prefix("a=candidate:"))
        .map(|line| line.split(' ').collect())
        .collect();
    let places =
        candidates.iter().map(|words| SocketAddr::new(words[4].parse().unwrap(), words[5].parse().unwrap()));
    let places: Vec<_> = places.collect();
    assert!(candidates.iter().all(|words| words[7] == "host"), "{sdp}");
    let behind = places.iter().filter(|place| place.is_ipv4() && !place.ip().is_loopback()).nth(1);
    let loopback = places.iter().find(|place| place.ip().is_loopback()).expect("our own");
    assert_eq!(places[0], SocketAddr::new(advertise[0], behind.unwrap_or(loopback).port()), "{sdp}");
    let has_ipv6 = places.iter().any(|place| place.is_ipv6() && place.ip() != advertise[1]);
    assert_eq!(places[1].ip() == advertise[1], has_ipv6, "{sdp}");
    let priority = |words: &Vec<&str>| words[3].parse::<u32>().unwrap();
    assert!(candidates.is_sorted_by(|one, other| priority(one) > priority(other)), "{sdp}");
    host.finish().await;
}
