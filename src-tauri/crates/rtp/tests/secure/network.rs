use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sidetone_rtp::transport::{
    Component, Credentials, DtlsIdentity, DtlsRole, Event, Fingerprint, HashFunction, IceParameters,
    MediaKind, Options, Parameters, RemoteCandidate, Security, Transport,
};
use sidetone_rtp::{Latching, WirePacket};

pub(crate) const MS: Duration = Duration::from_millis(1);

/// One end with its two sockets.
pub(crate) struct End {
    pub(crate) transport: Transport,
    pub(crate) sockets: [SocketAddr; 2],
    pub(crate) events: Vec<Event>,
    pub(crate) heard: Vec<(MediaKind, Vec<u8>)>,
    /// Datagrams sent, media left out.
    pub(crate) sent: Vec<(SocketAddr, Vec<u8>)>,
}

type Drops = Box<dyn FnMut(SocketAddr, SocketAddr, &[u8]) -> bool>;

pub(crate) struct Network {
    pub(crate) now: Instant,
    pub(crate) ends: Vec<End>,
    flying: VecDeque<(Instant, SocketAddr, SocketAddr, Vec<u8>)>,
    delay: Duration,
    pub(crate) drops: Drops,
    /// Makes the randomness of one network other than that of the next.
    pub(crate) salt: u8,
}

impl Network {
    pub(crate) fn new() -> Self {
        let (now, flying) = (Instant::now(), VecDeque::new());
        Self { now, ends: Vec::new(), flying, delay: 10 * MS, drops: Box::new(|_, _, _| false), salt: 0 }
    }

    pub(crate) fn add(
        &mut self,
        host: u8,
        identity: Option<DtlsIdentity>,
        ice: Option<Credentials>,
    ) -> usize {
        let options =
            Options { seed: [host ^ self.salt; 32], latching: Latching::On, identity, ice, ipv6: false };
        let socket = |port| SocketAddr::from(([192, 0, 2, host], port));
        self.ends.push(End {
            transport: Transport::new(self.now, options),
            sockets: [socket(4000), socket(4001)],
            events: Vec::new(),
            heard: Vec::new(),
            sent: Vec::new(),
        });
        self.ends.len() - 1
    }

    pub(crate) fn configure(&mut self, end: usize, parameters: &Parameters) {
        let now = self.now;
        self.ends[end].transport.configure(now, parameters);
        self.flush();
    }

    pub(crate) fn inject(&mut self, from: SocketAddr, to: SocketAddr, data: Vec<u8>) {
        self.flying.push_back((self.now + self.delay, from, to, data));
    }

    /// Lets so much time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.flush();
            let timeouts = self.ends.iter().filter_map(|end| end.transport.poll_timeout());
            let next = timeouts.chain(self.flying.iter().map(|(at, ..)| *at)).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            while let Some(place) = self.flying.iter().position(|(at, ..)| *at <= self.now) {
                let (_, from, to, data) = self.flying.remove(place).unwrap();
                self.deliver(from, to, data);
            }
            for end in &mut self.ends {
                if end.transport.poll_timeout().is_some_and(|timeout| timeout <= self.now) {
                    end.transport.handle_timeout(self.now);
                }
            }
        }
        self.now = end;
    }

    /// Sends an RTP or RTCP packet; false where the transport keeps it back.
    pub(crate) fn send(&mut self, end: usize, kind: MediaKind, packet: &[u8]) -> bool {
        let mut packet = packet.to_vec();
        let from = &mut self.ends[end];
        let Some((component, to)) = from.transport.protect(kind, &mut packet) else { return false };
        let from = from.sockets[place(component)];
        if !(self.drops)(from, to, &packet) {
            self.flying.push_back((self.now + self.delay, from, to, packet));
        }
        true
    }

    fn deliver(&mut self, from: SocketAddr, to: SocketAddr, mut data: Vec<u8>) {
        for end in &mut self.ends {
            let Some(place) = end.sockets.iter().position(|socket| *socket == to) else { continue };
            let component = [Component::Rtp, Component::Rtcp][place];
            if let Some(kind) = end.transport.handle_input(self.now, component, from, &mut data) {
                end.heard.push((kind, data));
            }
            return;
        }
    }

    fn flush(&mut self) {
        for end in &mut self.ends {
            while let Some((component, to, data)) = end.transport.poll_transmit() {
                let from = end.sockets[place(component)];
                end.sent.push((to, data.clone()));
                if !(self.drops)(from, to, &data) {
                    self.flying.push_back((self.now + self.delay, from, to, data));
                }
            }
            end.events.extend(std::iter::from_fn(|| end.transport.poll_event()));
        }
    }
}

fn place(component: Component) -> usize {
    usize::from(component == Component::Rtcp)
}

/// Everything between the default addresses of the ends.
pub(crate) fn plain(to: &End, security: Security) -> Parameters {
    let [rtp, rtcp] = to.sockets.map(Some);
    Parameters { rtp, rtcp, rtcp_mux: false, security, ice: None }
}

pub(crate) fn credentials(of: u8) -> Credentials {
    Credentials::new(&format!("ufrag{of}"), &format!("passwordpasswordpassword{of}"))
}

/// What both of two ends with ICE agree on, the first controlling.
pub(crate) fn ice(to: &End, local: u8, remote: u8, controlling: bool) -> IceParameters {
    let candidate = |component: u16, address| RemoteCandidate { component, priority: 1000, address };
    let candidates = vec![candidate(1, to.sockets[0]), candidate(2, to.sockets[1])];
    IceParameters { local: credentials(local), remote: credentials(remote), candidates, controlling }
}

pub(crate) fn dtls(identity: &DtlsIdentity, role: DtlsRole) -> Security {
    let bytes = identity.fingerprint().to_vec();
    Security::Dtls { role, fingerprints: vec![Fingerprint { hash: HashFunction::Sha256, bytes }] }
}

pub(crate) fn rtp(sequence: u16) -> Vec<u8> {
    let mut out = Vec::new();
    let packet = WirePacket {
        marker: false,
        payload_type: 0,
        sequence,
        timestamp: u32::from(sequence) * 160,
        ssrc: 0xcafe_babe,
        csrc: &[],
        extension: None,
        payload: b"one hundred and sixty",
    };
    packet.write(0, &mut out);
    out
}

/// A receiver report without blocks.
pub(crate) fn rtcp() -> Vec<u8> {
    vec![0x80, 201, 0, 1, 0xca, 0xfe, 0xba, 0xbe]
}

/// Media flows both ways between two ends, and comes out as it went in.
pub(crate) fn talk(network: &mut Network) {
    for (from, to) in [(0, 1), (1, 0)] {
        network.ends[to].heard.clear();
        for sequence in 100..105 {
            assert!(network.send(from, MediaKind::Rtp, &rtp(sequence)), "{from} must be able to send");
        }
        assert!(network.send(from, MediaKind::Rtcp, &rtcp()));
        network.run(50 * MS);
        let heard = &network.ends[to].heard;
        assert!(heard.contains(&(MediaKind::Rtcp, rtcp())), "{to} has no RTCP: {heard:?}");
        assert!(heard.contains(&(MediaKind::Rtp, rtp(104))), "{to} has no RTP");
    }
}
