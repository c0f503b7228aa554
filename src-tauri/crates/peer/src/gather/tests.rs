use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::client::{Client, Found};
use super::stun::{Message, Writer, attribute, channel_data, kind, long_term_key};
use crate::transport::Provider;
use crate::{IceServer, IceServerKind, IceTransport};

const NONCE: &[u8] = b"first";

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A client and the server that it talks to.
struct Talk {
    provider: Provider,
    key: Vec<u8>,
    client: Client,
    now: Instant,
}

impl Talk {
    fn new() -> Self {
        let provider = rtc::crypto::default_provider().unwrap();
        let now = Instant::now();
        let server = IceServer {
            url: "turn:x".to_owned(),
            host: "x".to_owned(),
            kind: IceServerKind::Turn,
            transport: IceTransport::Udp,
            address: at("192.0.2.1:3478"),
            local: None,
            username: "mara".to_owned(),
            credential: "secret".to_owned(),
        };
        let client = Client::new(now, Provider::clone(&provider), server);
        let key = long_term_key(&provider, "mara", "here", "secret").unwrap();
        Self { provider, key, client, now }
    }

    fn asked(&mut self) -> Bytes {
        self.client.poll_transmit().expect("a request")
    }

    fn fail(&mut self, request: &[u8], code: u16, nonce: Option<&[u8]>) {
        let request = Message::parse(request).unwrap();
        let error = [0, 0, u8::try_from(code / 100).unwrap(), u8::try_from(code % 100).unwrap(), b'x'];
        let mut writer = Writer::new(request.kind | kind::ERROR, &request.id).add(0x0009, &error);
        if let Some(nonce) = nonce {
            writer = writer.add(attribute::REALM, b"here").add(attribute::NONCE, nonce);
        }
        self.client.handle(self.now, &writer.done());
    }

    fn succeed(&mut self, request: &[u8], with: impl Fn(Writer) -> Writer) {
        let request = Message::parse(request).unwrap();
        let writer = with(Writer::new(request.kind | kind::SUCCESS, &request.id));
        let writer = writer.sign(&self.provider, &self.key).unwrap();
        self.client.handle(self.now, &writer.done());
    }

    /// With a relay.
    fn allocated() -> Self {
        let mut talk = Self::new();
        let first = talk.asked();
        assert!(Message::parse(&first).unwrap().get(attribute::USERNAME).is_none());
        talk.fail(&first, 401, Some(NONCE));
        let second = talk.asked();
        let message = Message::parse(&second).unwrap();
        assert!(message.is_signed(&talk.provider, &talk.key));
        assert_eq!(message.text(attribute::USERNAME), Some("mara"));
        talk.succeed(&second, |writer| {
            let writer = writer.add_address(attribute::XOR_RELAYED_ADDRESS, at("198.51.100.1:5000"));
            writer.add(attribute::LIFETIME, &600_u32.to_be_bytes())
        });
        assert_eq!(talk.client.poll_found(), Some(Found::Relayed(at("198.51.100.1:5000"))));
        talk
    }

    /// With a channel to `remote`, whose number is given.
    fn bind(&mut self, remote: SocketAddr) -> u16 {
        self.client.send(self.now, remote, &Bytes::from_static(b"0"));
        let permit = self.asked();
        assert_eq!(Message::parse(&permit).unwrap().kind, kind::CREATE_PERMISSION);
        self.succeed(&permit, |writer| writer);
        loop {
            let sent = self.client.poll_transmit();
            match sent.as_deref().map(|sent| Message::parse(sent).unwrap()) {
                Some(message) if message.kind == kind::CHANNEL_BIND => {
                    let number = message.number(attribute::CHANNEL_NUMBER).unwrap() >> 16;
                    self.succeed(&sent.unwrap(), |writer| writer);
                    return u16::try_from(number).unwrap();
                }
                Some(message) => assert_eq!(message.kind, kind::SEND),
                None => self.client.send(self.now, remote, &Bytes::from_static(b"1")),
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.client.poll_timeout().filter(|due| *due <= until) {
            self.now = due;
            self.client.handle_timeout(due);
        }
        self.now = until;
    }

    /// Lets time pass, and gives what is asked in it first.
    fn wait(&mut self, time: Duration) -> Option<Bytes> {
        let until = self.now + time;
        while let Some(due) = self.client.poll_timeout().filter(|due| *due <= until) {
            self.now = due;
            self.client.handle_timeout(due);
            if let Some(sent) = self.client.poll_transmit() {
                return Some(sent);
            }
        }
        self.now = until;
        None
    }
}

#[test]
fn a_channel_goes_on_in_both_directions_when_its_renewal_meets_a_stale_nonce() {
    let mut talk = Talk::allocated();
    let remote = at("203.0.113.9:40000");
    let number = talk.bind(remote);
    let mut renewed = 0;
    for _ in 0..400 {
        talk.client.send(talk.now, remote, &Bytes::from_static(b"picture"));
        let sent = talk.asked();
        assert_eq!(sent, channel_data(number, b"picture", false));
        talk.client.handle(talk.now, &channel_data(number, b"back", false));
        assert_eq!(talk.client.poll_found(), Some(Found::Data(remote, Bytes::from_static(b"back"))));
        talk.pass(Duration::from_secs(2));
        while let Some(request) = talk.client.poll_transmit() {
            let message = Message::parse(&request).unwrap();
            let is_channel = message.kind == kind::CHANNEL_BIND;
            if message.get(attribute::NONCE) == Some(NONCE) && is_channel {
                talk.fail(&request, 438, Some(b"next"));
                continue;
            }
            if is_channel {
                assert_eq!(message.number(attribute::CHANNEL_NUMBER), Some(u32::from(number) << 16));
                renewed += 1;
            }
            talk.succeed(&request, |writer| writer.add(attribute::LIFETIME, &600_u32.to_be_bytes()));
        }
    }
    assert!(renewed >= 2, "{renewed}");
}

#[test]
fn a_relay_is_refreshed_in_time_and_its_loss_is_told() {
    let mut talk = Talk::allocated();
    let refresh = talk.wait(Duration::from_secs(301)).expect("a refresh");
    assert_eq!(Message::parse(&refresh).unwrap().kind, kind::REFRESH);
    talk.fail(&refresh, 437, None);
    assert!(matches!(talk.client.poll_found(), Some(Found::Failed(words)) if words.contains("437")));
    assert_eq!(talk.client.relay(), None);
    assert_eq!(talk.client.poll_timeout(), None);
}

#[test]
fn an_answer_that_the_server_has_not_signed_counts_for_nothing() {
    let mut talk = Talk::allocated();
    let refresh = talk.wait(Duration::from_secs(301)).expect("a refresh");
    let id = Message::parse(&refresh).unwrap().id;
    let forged = Writer::new(kind::REFRESH | kind::SUCCESS, &id).add(attribute::LIFETIME, &[0; 4]);
    talk.client.handle(talk.now, &forged.done());
    let forged = Writer::new(kind::REFRESH | kind::SUCCESS, &id).sign(&talk.provider, b"other").unwrap();
    talk.client.handle(talk.now, &forged.done());
    assert_eq!(talk.wait(Duration::from_millis(300)), Some(refresh));
}

#[test]
fn a_server_whose_nonces_are_always_stale_is_given_up() {
    let mut talk = Talk::new();
    let first = talk.asked();
    talk.fail(&first, 401, Some(NONCE));
    let mut asked = 0;
    while let Some(request) = talk.client.poll_transmit() {
        asked += 1;
        talk.fail(&request, 438, Some(b"again"));
    }
    assert!(asked <= 4, "{asked}");
    assert!(matches!(talk.client.poll_found(), Some(Found::Failed(words)) if words.contains("438")));
}

#[test]
fn far_ends_that_nobody_permits_get_nothing_and_cost_one_request_each() {
    let mut talk = Talk::allocated();
    for port in 0..1_000 {
        let remote = SocketAddr::from(([203, 0, 113, 1], port));
        for _ in 0..50 {
            talk.client.send(talk.now, remote, &Bytes::from_static(b"check"));
        }
    }
    let mut asked = 0;
    while let Some(request) = talk.client.poll_transmit() {
        asked += 1;
        talk.fail(&request, 403, None);
    }
    assert_eq!(asked, 128);
    talk.client.send(talk.now, SocketAddr::from(([203, 0, 113, 1], 5)), &Bytes::from_static(b"check"));
    assert_eq!(talk.client.poll_transmit(), None);
}

#[test]
fn whatever_a_server_sends_nothing_breaks() {
    let mut seed = 1_u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from(seed >> 56).unwrap()
    };
    let kinds = [0x0103, 0x0113, 0x0104, 0x0114, 0x0118, 0x0109, 0x0119, 0x0017, 0x4000];
    let attributes = [0x0006, 0x0008, 0x0009, 0x000d, 0x0012, 0x0013, 0x0014, 0x0015, 0x0016, 0x0020];
    for _ in 0..3_000 {
        let mut noise = Vec::new();
        for _ in 0..12 {
            let kind = kinds[usize::from(random()) % kinds.len()];
            let mut writer = Writer::new(kind, &[0; 12]);
            for _ in 0..random() % 5 {
                let value: Vec<u8> = (0..random() % 30).map(|_| random()).collect();
                writer = writer.add(attributes[usize::from(random()) % attributes.len()], &value);
            }
            let mut message = writer.done().to_vec();
            if random() % 4 == 0 {
                let place = usize::from(random()) % message.len();
                message[place] = random();
            }
            noise.push(random() | 0x80);
            noise.push(u8::try_from(message.len()).unwrap_or(255));
            noise.extend(message);
        }
        crate::noise::server(&noise);
    }
}
