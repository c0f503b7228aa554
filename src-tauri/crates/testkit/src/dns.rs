//! A name server that says what a table says, or misbehaves: RFC 1035, over UDP and TCP on one port.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Result;
use crate::ports::free_port;

/// What a name has.
#[derive(Debug, Clone)]
pub enum DnsRecord {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Srv { priority: u16, weight: u16, port: u16, target: String },
    Naptr { order: u16, preference: u16, flags: String, service: String, replacement: String },
}

/// How the server takes questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DnsHabit {
    /// By the table; names that are not in it do not exist.
    #[default]
    Honest,
    Silent,
    /// Answers for addresses alone, as some home routers do.
    SilentButForAddresses,
    /// SERVFAIL.
    Failing,
    /// Says over UDP that the answer does not fit.
    Truncating,
    /// Answers other questions than those that are asked, and with other numbers, before it is silent.
    Lying,
    /// Bytes that are no answer.
    Rubbish,
}

/// Ends with the value.
#[derive(Debug)]
pub struct DnsServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    records: HashMap<String, Vec<DnsRecord>>,
    habit: DnsHabit,
    ttl: u32,
    asked: Vec<String>,
    ended: bool,
}

const A: u16 = 1;
const AAAA: u16 = 28;
const SRV: u16 = 33;
const NAPTR: u16 = 35;
const PATIENCE: Duration = Duration::from_millis(100);

impl DnsServer {
    /// Starts it on a free port.
    pub fn start(ip: IpAddr) -> Result<Self> {
        let address = SocketAddr::new(ip, free_port(ip)?);
        let (udp, tcp) = (UdpSocket::bind(address)?, TcpListener::bind(address)?);
        udp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_nonblocking(true)?;
        let state = Arc::new(Mutex::new(State { ttl: 60, ..State::default() }));
        let (for_udp, for_tcp) = (Arc::clone(&state), Arc::clone(&state));
        std::thread::spawn(move || serve_udp(&udp, &for_udp));
        std::thread::spawn(move || serve_tcp(&tcp, &for_tcp));
        Ok(Self { address, state })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn add(&self, name: &str, record: DnsRecord) {
        lock(&self.state).records.entry(name.to_ascii_lowercase()).or_default().push(record);
    }

    pub fn remove(&self, name: &str) {
        lock(&self.state).records.remove(&name.to_ascii_lowercase());
    }

    /// A host with an IPv4 address.
    pub fn host(&self, name: &str, address: Ipv4Addr) {
        self.add(name, DnsRecord::A(address));
    }

    pub fn srv(&self, name: &str, priority: u16, weight: u16, port: u16, target: &str) {
        self.add(name, DnsRecord::Srv { priority, weight, port, target: target.into() });
    }

    /// One whose replacement has SRV records (flag `s`).
    pub fn naptr(&self, name: &str, order: u16, service: &str, replacement: &str) {
        let (service, replacement) = (service.into(), replacement.into());
        self.add(name, DnsRecord::Naptr { order, preference: 0, flags: "s".into(), service, replacement });
    }

    pub fn behave(&self, habit: DnsHabit) {
        lock(&self.state).habit = habit;
    }

    /// Seconds that answers may be kept.
    pub fn set_ttl(&self, seconds: u32) {
        lock(&self.state).ttl = seconds;
    }

    /// The questions so far, as in `SRV _sip._udp.example.org`.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.state).asked.clone()
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        lock(&self.state).ended = true;
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve_udp(socket: &UdpSocket, state: &Mutex<State>) {
    let mut buffer = [0; 2048];
    while !lock(state).ended {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        for answer in lock(state).answer(&buffer[..length], true) {
            let _ = socket.send_to(&answer, from);
        }
    }
}

fn serve_tcp(listener: &TcpListener, state: &Arc<Mutex<State>>) {
    while !lock(state).ended {
        let Ok((mut stream, _)) = listener.accept() else {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        };
        let state = Arc::clone(state);
        std::thread::spawn(move || {
            let _ = stream.set_nonblocking(false);
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let mut length = [0; 2];
            while stream.read_exact(&mut length).is_ok() {
                let mut query = vec![0; u16::from_be_bytes(length).into()];
                if stream.read_exact(&mut query).is_err() {
                    return;
                }
                let answers = lock(&state).answer(&query, false);
                for answer in answers {
                    let length = u16::try_from(answer.len()).unwrap_or(u16::MAX).to_be_bytes();
                    if stream.write_all(&length).and_then(|()| stream.write_all(&answer)).is_err() {
                        return;
                    }
                }
            }
        });
    }
}

impl State {
    fn answer(&mut self, query: &[u8], udp: bool) -> Vec<Vec<u8>> {
        let Some((name, kind, question)) = read_question(query) else { return Vec::new() };
        let type_name = match kind {
            A => "A",
            AAAA => "AAAA",
            SRV => "SRV",
            NAPTR => "NAPTR",
            _ => "other",
        };
        self.asked.push(format!("{type_name} {name}"));
        let found = self.records.get(&name);
        let records: Vec<&DnsRecord> =
            found.into_iter().flatten().filter(|record| record.kind() == kind).collect();
        let id = [query[0], query[1]];
        let code = if found.is_some() { 0 } else { 3 };
        let honest = || message(id, code, false, question, &name, &records, self.ttl);
        match self.habit {
            DnsHabit::Silent => Vec::new(),
            DnsHabit::SilentButForAddresses if kind != A && kind != AAAA => Vec::new(),
            DnsHabit::Honest | DnsHabit::SilentButForAddresses => vec![honest()],
            DnsHabit::Failing => vec![message(id, 2, false, question, &name, &[], self.ttl)],
            DnsHabit::Truncating if udp => vec![message(id, 0, true, question, &name, &[], self.ttl)],
            DnsHabit::Truncating => vec![honest()],
            DnsHabit::Lying => {
                let evil = DnsRecord::A(Ipv4Addr::new(192, 0, 2, 66));
                let other_id = [query[0] ^ 0xff, query[1]];
                vec![
                    message(other_id, 0, false, question, &name, &[&evil], self.ttl),
                    message(id, 0, false, question, "evil.example", &[&evil], self.ttl),
                ]
            }
            DnsHabit::Rubbish => {
                vec![vec![query[0], query[1], 0x81, 0x80, 0xff, 0xff, 0xc0, 0x0c], b"hello".to_vec()]
            }
        }
    }
}

/// The name in lower case, the type, and the question's own bytes.
fn read_question(query: &[u8]) -> Option<(String, u16, &[u8])> {
    let (mut at, mut labels) = (12, Vec::new());
    loop {
        let length = usize::from(*query.get(at)?);
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(query.get(at + 1..at + 1 + length)?).to_ascii_lowercase());
        at += 1 + length;
    }
    let kind = u16::from_be_bytes([*query.get(at + 1)?, *query.get(at + 2)?]);
    Some((labels.join("."), kind, query.get(12..at + 5)?))
}

fn message(
    id: [u8; 2],
    code: u8,
    truncated: bool,
    question: &[u8],
    owner: &str,
    records: &[&DnsRecord],
    ttl: u32,
) -> Vec<u8> {
    let count = u16::try_from(records.len()).unwrap_or_default().to_be_bytes();
    let mut bytes = vec![id[0], id[1], 0x85 | u8::from(truncated) << 1, 0x80 | code];
    bytes.extend([0, 1, count[0], count[1], 0, 0, 0, 0]);
    bytes.extend(question);
    for record in records {
        bytes.extend(wire_name(owner));
        bytes.extend(record.kind().to_be_bytes());
        bytes.extend([0, 1]);
        bytes.extend(ttl.to_be_bytes());
        let data = record.data();
        bytes.extend(u16::try_from(data.len()).unwrap_or_default().to_be_bytes());
        bytes.extend(data);
    }
    bytes
}

impl DnsRecord {
    fn kind(&self) -> u16 {
        match self {
            Self::A(_) => A,
            Self::Aaaa(_) => AAAA,
            Self::Srv { .. } => SRV,
            Self::Naptr { .. } => NAPTR,
        }
    }

    fn data(&self) -> Vec<u8> {
        match self {
            Self::A(address) => address.octets().to_vec(),
            Self::Aaaa(address) => address.octets().to_vec(),
            Self::Srv { priority, weight, port, target } => {
                let mut data: Vec<u8> =
                    [priority, weight, port].iter().flat_map(|n| n.to_be_bytes()).collect();
                data.extend(wire_name(target));
                data
            }
            Self::Naptr { order, preference, flags, service, replacement } => {
                let mut data: Vec<u8> = [order, preference].iter().flat_map(|n| n.to_be_bytes()).collect();
                for text in [flags.as_str(), service, ""] {
                    data.push(u8::try_from(text.len()).unwrap_or_default());
                    data.extend(text.as_bytes());
                }
                data.extend(wire_name(replacement));
                data
            }
        }
    }
}

fn wire_name(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).unwrap_or_default());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}
