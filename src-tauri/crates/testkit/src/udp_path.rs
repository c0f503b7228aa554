//! A path between UDP clients and a server in real time, with a [`Link`] each way.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::link::{Link, LinkSettings};

/// Of IP and UDP.
const HEADERS: usize = 28;
/// Between two looks at the sockets and at what is due.
const LOOK: Duration = Duration::from_micros(500);

/// Carries datagrams of one client on loopback to a server there, and back. Ends when it goes.
#[derive(Debug)]
pub struct UdpPath {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    server: Mutex<Option<SocketAddr>>,
    /// To the server and back.
    links: Mutex<[Link<Vec<u8>>; 2]>,
    stop: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl UdpPath {
    /// A path to a server that is told by [`Self::lead_to`].
    pub fn open() -> io::Result<Self> {
        let front = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let back = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        front.set_nonblocking(true)?;
        back.set_nonblocking(true)?;
        let address = front.local_addr()?;
        let links = [1, 2].map(|seed| Link::new(LinkSettings::default(), seed));
        let shared = Arc::new(Shared {
            server: Mutex::default(),
            links: Mutex::new(links),
            stop: AtomicBool::new(false),
        });
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("path".into()).spawn(move || own.run(&front, &back))?;
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Where clients find it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn lead_to(&self, server: SocketAddr) {
        *locked(&self.shared.server) = Some(server);
    }

    /// What is sent to the server from now on goes by these.
    pub fn set_to_server(&self, settings: LinkSettings) {
        locked(&self.shared.links)[0].set(settings);
    }

    /// What is sent to the client from now on goes by these.
    pub fn set_to_client(&self, settings: LinkSettings) {
        locked(&self.shared.links)[1].set(settings);
    }

    /// Datagrams that were lost on their way to the client.
    pub fn dropped_to_client(&self) -> u64 {
        locked(&self.shared.links)[1].dropped
    }
}

impl Shared {
    fn run(&self, front: &UdpSocket, back: &UdpSocket) {
        let (mut buffer, mut client) = ([0; 2_048], None);
        while !self.stop.load(Relaxed) {
            let server = *locked(&self.server);
            let now = Instant::now();
            {
                let mut links = locked(&self.links);
                let [to_server, to_client] = &mut *links;
                while let Ok((length, from)) = front.recv_from(&mut buffer) {
                    client = Some(from);
                    to_server.send(now, length + HEADERS, buffer[..length].to_vec());
                }
                while let Ok((length, _)) = back.recv_from(&mut buffer) {
                    to_client.send(now, length + HEADERS, buffer[..length].to_vec());
                }
                // What cannot be sent is lost, as on a network.
                while let Some(datagram) = to_server.receive(now) {
                    let _ = server.map(|server| back.send_to(&datagram, server));
                }
                while let Some(datagram) = to_client.receive(now) {
                    let _ = client.map(|client| front.send_to(&datagram, client));
                }
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for UdpPath {
    fn drop(&mut self) {
        self.shared.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
