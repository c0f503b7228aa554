//! A STUN server that sees everybody behind a NAT.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::Result;

const BINDING_REQUEST: [u8; 2] = [0, 1];
/// Bytes 4 to 8 of every message (RFC 8489 section 5).
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER: usize = 20;

/// Answers Binding requests (RFC 8489) until it is dropped.
#[derive(Debug)]
pub struct StunServer {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl StunServer {
    /// Listens on any port of `ip`. Whoever asks is told that it comes from `seen_as`, on its own port.
    pub fn start(ip: IpAddr, seen_as: Ipv4Addr) -> Result<Self> {
        let socket = UdpSocket::bind((ip, 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let (address, ended) = (socket.local_addr()?, Arc::new(AtomicBool::new(false)));
        let flag = ended.clone();
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 1_500];
            while !flag.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                if let Some(answer) = answer(&buffer[..length], SocketAddr::new(seen_as.into(), from.port()))
                {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Ok(Self { address, ended, thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for StunServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Success with XOR-MAPPED-ADDRESS (RFC 8489 section 14.2).
fn answer(request: &[u8], seen: SocketAddr) -> Option<Vec<u8>> {
    let IpAddr::V4(ip) = seen.ip() else { return None };
    let id = request.get(8..HEADER)?;
    if !request.starts_with(&BINDING_REQUEST) || request.get(4..8)? != COOKIE {
        return None;
    }
    let mut answer = vec![1, 1, 0, 12];
    answer.extend_from_slice(&COOKIE);
    answer.extend_from_slice(id);
    answer.extend_from_slice(&[0, 0x20, 0, 8, 0, 1]);
    answer.extend(seen.port().to_be_bytes().iter().zip(COOKIE).map(|(byte, key)| byte ^ key));
    answer.extend(ip.octets().iter().zip(COOKIE).map(|(byte, key)| byte ^ key));
    Some(answer)
}
