//! The other end of the wire: a UDP socket that sends bytes and reads replies.

use super::{SOON, raw::Raw, reply::Reply};
use std::{
    cell::Cell,
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    time::Instant,
};

thread_local!(static SERIAL: Cell<u64> = const { Cell::new(0) });

pub(super) struct Peer {
    pub(super) socket: UdpSocket,
    pub(super) target: SocketAddr,
}

impl Peer {
    pub(super) fn new(target: &str) -> Self {
        Self::at(IpAddr::V4(Ipv4Addr::LOCALHOST), target)
    }

    pub(super) fn at(address: IpAddr, target: &str) -> Self {
        let socket = UdpSocket::bind((address, 0)).expect("a UDP port is free");
        Self { socket, target: super::address(target) }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("a bound socket has an address")
    }

    /// A good request to `alice`, unlike all before.
    pub(super) fn request(&self, method: &str) -> Raw {
        self.request_to(method, &format!("sip:alice@{}", self.target))
    }

    pub(super) fn request_to(&self, method: &str, uri: &str) -> Raw {
        Raw::new(method, uri, self.address(), serial())
    }

    pub(super) fn invite(&self) -> Raw {
        self.request("INVITE").sdp(super::raw::OFFER)
    }

    pub(super) fn send(&self, bytes: &[u8]) {
        self.socket.send_to(bytes, self.target).expect("a datagram can be sent");
    }

    /// The next reply, whatever it answers.
    pub(super) fn next(&self, name: &str) -> Reply {
        let bytes = self.next_bytes(name);
        let (reply, length) = Reply::read(&bytes).unwrap_or_else(|| panic!("{name}: half a reply"));
        assert_eq!(length, bytes.len(), "{name}: bytes behind the reply");
        reply
    }

    pub(super) fn next_bytes(&self, name: &str) -> Vec<u8> {
        self.next_before(Instant::now() + SOON).unwrap_or_else(|| panic!("{name}: no reply"))
    }

    /// The next datagram, if one comes before the deadline.
    pub(super) fn next_before(&self, deadline: Instant) -> Option<Vec<u8>> {
        let mut buffer = vec![0; 65_536];
        loop {
            let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            self.socket.set_read_timeout(Some(left)).expect("a time-out can be set");
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) => {
                    assert_eq!(from, self.target, "a reply from another address");
                    return Some(buffer[..length].to_vec());
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => panic!("receiving: {error}"),
            }
        }
    }

    /// A reply that has arrived already.
    pub(super) fn waiting(&self) -> Option<Reply> {
        let mut buffer = vec![0; 65_536];
        self.socket.set_nonblocking(true).expect("a socket option can be set");
        let received = self.socket.recv(&mut buffer);
        self.socket.set_nonblocking(false).expect("a socket option can be set");
        Reply::read(&buffer[..received.ok()?]).map(|(reply, _)| reply)
    }

    /// Sends and gives the final reply, which must answer this very request. Repetitions for others are passed over.
    pub(super) fn answer(&self, name: &str, request: &Raw) -> Reply {
        self.send(&request.bytes());
        let reply = self.until(name, |reply| reply.status >= 200 && belongs(reply, request));
        reply.assert_answers(name, request, self.address());
        reply
    }

    /// Sends and gives the first reply with this status; 100 and the like may come before.
    pub(super) fn status(&self, name: &str, request: &Raw, status: u16) -> Reply {
        self.send(&request.bytes());
        let reply = self.until(name, |reply| {
            let wanted = belongs(reply, request);
            assert!(
                !wanted || reply.status <= status,
                "{name}: {} instead of {status}: {reply:#?}",
                reply.status
            );
            wanted && reply.status == status
        });
        reply.assert_answers(name, request, self.address());
        reply
    }

    pub(super) fn until(&self, name: &str, fits: impl Fn(&Reply) -> bool) -> Reply {
        loop {
            let reply = self.next(name);
            if fits(&reply) {
                return reply;
            }
        }
    }

    /// OPTIONS gets 200, and nothing comes before it. Datagrams of one socket arrive in order, so whatever was sent before has been
    /// dealt with by then, without a reply.
    pub(super) fn assert_nothing_but_200(&self, name: &str) {
        let request = self.request("OPTIONS");
        self.send(&request.bytes());
        let reply = self.next(name);
        assert!(belongs(&reply, &request), "{name}: a reply that nobody may send: {reply:#?}");
        assert_eq!(reply.status, 200, "{name}: {reply:#?}");
        reply.assert_answers(name, &request, self.address());
    }

    /// OPTIONS gets 200; repetitions of earlier replies may come in between.
    pub(super) fn assert_alive(&self, name: &str) {
        let request = self.request("OPTIONS");
        assert_eq!(self.answer(&format!("{name}, OPTIONS afterwards"), &request).status, 200, "{name}");
    }

    /// The ACK of a refusal: of the same transaction.
    pub(super) fn acknowledge(&self, invite: &Raw, reply: &Reply) {
        let mut ack = self.request("ACK");
        ack.start = invite.start.replacen("INVITE", "ACK", 1);
        for name in ["Via", "From", "Call-ID"] {
            ack = ack.set(name, invite.get(name).unwrap_or_default());
        }
        let ack = ack.set("To", reply.get("To").unwrap_or_default());
        self.send(&ack.set("CSeq", invite.get("CSeq").unwrap_or_default().replace("INVITE", "ACK")).bytes());
    }
}

/// A number that no other request of this test has.
fn serial() -> u64 {
    SERIAL.with(|serial| {
        serial.set(serial.get() + 1);
        serial.get()
    })
}

/// By Call-ID and CSeq, or by the branch where those are what is wrong.
fn belongs(reply: &Reply, request: &Raw) -> bool {
    let ids = (request.get("Call-ID").map(str::trim), request.get("CSeq").map(str::trim));
    let same_ids = ids.0.is_some() && ids.0 == reply.get("Call-ID") && ids.1 == reply.get("CSeq");
    let branch = reply.branch().filter(|branch| branch.len() > "z9hG4bK".len());
    let via = request.get("Via").unwrap_or_default().to_owned();
    same_ids || branch.is_some_and(|branch| via.contains(branch))
}
