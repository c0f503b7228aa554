//! UDP on loopback with the kernel's time stamps, by tcpdump.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Result, RigError};
use crate::process::{Process, until};
use crate::require::find;

const START: Duration = Duration::from_secs(10);
const GLOBAL_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const ETHERNET_HEADER: usize = 14;
const UDP_HEADER: usize = 8;
const UDP: u8 = 17;

/// A datagram and when the kernel had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    pub at: SystemTime,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub payload: Vec<u8>,
}

/// Records what goes to and from one UDP port of loopback. Needs the rights of a room with
/// [`crate::Needs::network`].
#[derive(Debug)]
pub struct Capture {
    process: Process,
    file: PathBuf,
}

impl Capture {
    /// Starts it; all that is sent after this returned will be in it.
    pub fn start(dir: &Path, name: &str, port: u16) -> Result<Self> {
        let program = find("tcpdump").ok_or_else(|| RigError::new("tcpdump is not installed"))?;
        let file = dir.join(format!("{name}.pcap"));
        let mut command = Command::new(program);
        // As root it would become a user of its own, who must not write here.
        command.args(["-Z", "root", "-i", "lo", "-n", "-U", "--immediate-mode", "-s", "0", "-w"]);
        command.arg(&file).args(["udp", "port", &port.to_string()]);
        let mut process = Process::spawn(name, &mut command, dir)?;
        let listening = until("the start of tcpdump", START, || {
            let listens = process.stderr().contains("listening on");
            (listens || !process.is_running()).then_some(listens)
        })?;
        if listening { Ok(Self { process, file }) } else { Err(RigError::new(process.tail())) }
    }

    /// Ends it and gives what it saw, in order.
    pub fn stop(mut self) -> Result<Vec<Datagram>> {
        self.process.stop();
        let bytes = fs::read(&self.file)?;
        parse(&bytes).ok_or_else(|| {
            RigError::new(format!("{} cannot be read: {}", self.file.display(), self.process.tail()))
        })
    }
}

/// Reads what tcpdump writes (pcap-savefile(5)) for Ethernet and IPv4. A last record that is cut short is left out.
fn parse(file: &[u8]) -> Option<Vec<Datagram>> {
    let little = match file.get(..4)? {
        [0xD4, 0xC3, 0xB2, 0xA1] => true,
        [0xA1, 0xB2, 0xC3, 0xD4] => false,
        _ => return None,
    };
    let word = |at: usize| -> Option<u32> {
        let bytes: [u8; 4] = file.get(at..at + 4)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    };
    let mut datagrams = Vec::new();
    let mut at = GLOBAL_HEADER;
    while let (Some(seconds), Some(micros), Some(length)) = (word(at), word(at + 4), word(at + 8)) {
        let start = at + RECORD_HEADER;
        let Some(packet) = file.get(start..start + length as usize) else { break };
        at = start + length as usize;
        let time = UNIX_EPOCH + Duration::new(seconds.into(), micros.checked_mul(1_000)?);
        datagrams.extend(packet.get(ETHERNET_HEADER..).and_then(|packet| datagram(time, packet)));
    }
    Some(datagrams)
}

fn datagram(at: SystemTime, packet: &[u8]) -> Option<Datagram> {
    let first = packet.first()?;
    if first >> 4 != 4 || *packet.get(9)? != UDP {
        return None;
    }
    let udp = packet.get(usize::from(first & 15) * 4..)?;
    let address = |ip: usize, port: usize| {
        let ip: [u8; 4] = packet.get(ip..ip + 4)?.try_into().ok()?;
        let port = u16::from_be_bytes(udp.get(port..port + 2)?.try_into().ok()?);
        Some(SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::from(ip), port)))
    };
    Some(Datagram {
        at,
        from: address(12, 0)?,
        to: address(16, 2)?,
        payload: udp.get(UDP_HEADER..)?.to_vec(),
    })
}

/// When things happened to a client of a proxy, out of a capture of the proxy's port.
pub mod sip {
    use std::net::SocketAddr;
    use std::time::SystemTime;

    use super::Datagram;

    /// The first request of a method that reached the proxy.
    pub fn first_request(datagrams: &[Datagram], proxy: SocketAddr, method: &str) -> Option<SystemTime> {
        request(datagrams, proxy, method).map(|datagram| datagram.at)
    }

    /// The 200 that the proxy gave to the client who sent the first request of a method, with or without a challenge
    /// in between.
    pub fn answered(datagrams: &[Datagram], proxy: SocketAddr, method: &str) -> Option<SystemTime> {
        let request = request(datagrams, proxy, method)?;
        let call = header(&request.payload, "call-id")?;
        let mut answers = datagrams.iter().filter(|datagram| {
            datagram.from == proxy
                && datagram.to == request.from
                && datagram.payload.starts_with(b"SIP/2.0 200 ")
                && header(&datagram.payload, "call-id").as_deref() == Some(&call)
        });
        let to_method = |datagram: &&Datagram| {
            header(&datagram.payload, "cseq").is_some_and(|cseq| cseq.ends_with(method))
        };
        answers.find(to_method).map(|datagram| datagram.at)
    }

    fn request<'a>(datagrams: &'a [Datagram], proxy: SocketAddr, method: &str) -> Option<&'a Datagram> {
        let start = format!("{method} ");
        datagrams
            .iter()
            .find(|datagram| datagram.to == proxy && datagram.payload.starts_with(start.as_bytes()))
    }

    fn header(message: &[u8], name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(message);
        text.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "127.0.0.1:5060";

    fn record(at: u32, from: u16, to: u16, text: &str) -> Vec<u8> {
        let mut udp: Vec<u8> = [from.to_be_bytes(), to.to_be_bytes(), [0, 0], [0, 0]].concat();
        udp.extend(text.as_bytes());
        let mut packet = vec![0; ETHERNET_HEADER];
        packet.extend([0x45, 0, 0, 0, 0, 0, 0, 0, 64, UDP, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
        packet.extend(udp);
        let length = packet.len() as u32;
        let header: Vec<u8> = [at, 500, length, length].iter().flat_map(|word| word.to_le_bytes()).collect();
        [header, packet].concat()
    }

    fn file(records: &[Vec<u8>]) -> Vec<u8> {
        let mut file = vec![0; GLOBAL_HEADER];
        file[..4].copy_from_slice(&[0xD4, 0xC3, 0xB2, 0xA1]);
        file.extend(records.concat());
        file
    }

    #[test]
    fn the_200_of_a_challenged_request_is_found_by_client_call_and_method() {
        let invite = "INVITE sip:x SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n";
        let answer = |status: &str, call: &str, cseq: &str| {
            format!("SIP/2.0 {status} X\r\nCall-ID: {call}\r\nCSeq: {cseq}\r\n\r\n")
        };
        let bytes = file(&[
            record(1, 7_000, 5_060, invite),
            record(2, 5_060, 7_000, &answer("407", "1", "1 INVITE")),
            record(3, 7_000, 5_060, invite),
            record(4, 5_060, 8_000, &answer("200", "1", "2 INVITE")),
            record(5, 5_060, 7_000, &answer("200", "2", "2 INVITE")),
            record(6, 5_060, 7_000, &answer("200", "1", "2 OPTIONS")),
            record(7, 5_060, 7_000, &answer("200", "1", "2 INVITE")),
        ]);
        let datagrams = parse(&bytes).unwrap();
        assert_eq!(datagrams.len(), 7);
        let (proxy, micros) = (PROXY.parse().unwrap(), Duration::from_micros(500));
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds) + micros;
        assert_eq!(sip::first_request(&datagrams, proxy, "INVITE"), Some(at(1)));
        assert_eq!(sip::answered(&datagrams, proxy, "INVITE"), Some(at(7)));
        assert_eq!(sip::answered(&datagrams, proxy, "REGISTER"), None);
    }

    #[test]
    fn what_is_no_capture_or_cut_short_is_no_panic() {
        assert_eq!(parse(b"text"), None);
        let bytes = file(&[record(1, 1, 2, "a"), record(2, 1, 2, "b")]);
        for end in 4..bytes.len() {
            assert!(parse(&bytes[..end]).is_some_and(|datagrams| datagrams.len() < 2), "{end}");
        }
    }
}
