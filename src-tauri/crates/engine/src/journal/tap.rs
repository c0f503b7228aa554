//! Listens to the SIP that goes out and comes in. What is kept has lost its secrets already.

use super::KEPT_MS;
use crate::{
    io::{clock, sip::Stack},
    redact,
};
use sidetone_api::ReportMessage;
use sidetone_sip::{Hop, Transport};
use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Of all messages: whoever floods this machine gets no more of its memory.
const MOST_BYTES: usize = 512 * 1024;
/// Of a message besides its text.
const BESIDES: usize = 600;
const MOST_MESSAGES: usize = 5_000;
/// A piece of a stream that does not end in a message by then is let go.
const LONGEST_PIECE: usize = 128 * 1024;
/// Streams of which a piece is kept.
const MOST_STREAMS: usize = 512;

#[derive(Debug, Clone, Default)]
pub(crate) struct Tap(Arc<Mutex<Ring>>);

#[derive(Debug, Default)]
struct Ring {
    messages: VecDeque<Arc<ReportMessage>>,
    bytes: usize,
    /// What came of a message that has not ended.
    pieces: HashMap<(Transport, SocketAddr), Vec<u8>>,
}

impl Tap {
    pub(crate) fn sent(&self, stack: Stack, hop: &Hop, bytes: &[u8]) {
        self.ring().add(stack, hop, false, bytes);
    }

    pub(crate) fn received(&self, stack: Stack, hop: &Hop, bytes: &[u8]) {
        self.ring().add(stack, hop, true, bytes);
    }

    /// Bytes of a stream: messages begin and end anywhere.
    pub(crate) fn received_piece(&self, stack: Stack, hop: &Hop, bytes: &[u8]) {
        let mut ring = self.ring();
        let key = (hop.transport, hop.remote);
        let mut piece = ring.pieces.remove(&key).unwrap_or_default();
        piece.extend_from_slice(bytes);
        while let Some(length) = whole(&piece) {
            let rest = piece.split_off(length);
            ring.add(stack, hop, true, &piece);
            piece = rest;
        }
        if !piece.is_empty() && piece.len() <= LONGEST_PIECE && ring.pieces.len() < MOST_STREAMS {
            ring.pieces.insert(key, piece);
        }
    }

    pub(crate) fn closed(&self, hop: &Hop) {
        self.ring().pieces.remove(&(hop.transport, hop.remote));
    }

    pub(crate) fn messages(&self) -> Vec<Arc<ReportMessage>> {
        self.ring().messages.iter().map(Arc::clone).collect()
    }

    pub(crate) fn clear(&self) {
        *self.ring() = Ring::default();
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of the first message, where all of it is here. Line ends between messages count to what follows them.
fn whole(bytes: &[u8]) -> Option<usize> {
    let begin = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let head = bytes[begin..].windows(4).position(|end| end == b"\r\n\r\n")? + begin + 4;
    let text = String::from_utf8_lossy(&bytes[begin..head]);
    let length = redact::header(&text, "content-length", "l").and_then(|length| length.parse::<usize>().ok());
    let end = head.checked_add(length.unwrap_or(0))?;
    (end <= bytes.len()).then_some(end)
}

impl Ring {
    fn add(&mut self, stack: Stack, hop: &Hop, incoming: bool, bytes: &[u8]) {
        let bytes = bytes.trim_ascii_start();
        // Keep-alives: line ends, and STUN, which begins with two zero bits and a method (RFC 8489 5).
        if bytes.first().is_none_or(|first| *first < b' ') {
            return;
        }
        let mut text = redact::sip_message(bytes);
        text.shrink_to_fit();
        let first = text.lines().next().unwrap_or_default();
        let summary = match first.strip_prefix("SIP/2.0 ") {
            Some(status) => status.to_owned(),
            None => first.split(' ').next().unwrap_or_default().to_owned(),
        };
        let field = |name, compact| redact::header(&text, name, compact).unwrap_or_default().to_owned();
        let (call_id, cseq) = (field("call-id", "i"), field("cseq", ""));
        let now = clock::wallclock_ms();
        let remote = hop.remote.to_string();
        let is_same = |other: &&Arc<ReportMessage>| {
            other.incoming == incoming && other.remote == remote && other.text == text
        };
        let repeated = self.messages.iter().rev().take(64).any(|other| is_same(&other));
        let message = ReportMessage {
            at: now,
            gateway: stack == Stack::Gateway,
            incoming,
            transport: hop.transport.to_string().to_ascii_uppercase(),
            local: hop.local.to_string(),
            remote,
            summary,
            call_id,
            cseq,
            repeated,
            text,
        };
        self.bytes += message.text.len() + BESIDES;
        self.messages.push_back(Arc::new(message));
        let since = now.saturating_sub(KEPT_MS);
        while self.bytes > MOST_BYTES
            || self.messages.len() > MOST_MESSAGES
            || self.messages.front().is_some_and(|first| first.at < since)
        {
            let Some(gone) = self.messages.pop_front() else { break };
            self.bytes -= gone.text.len() + BESIDES;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_PIECE, MOST_BYTES, Tap};
    use crate::io::sip::Stack;
    use sidetone_sip::{Hop, Transport};

    fn hop(transport: Transport) -> Hop {
        Hop::new(transport, "192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap())
    }

    const MESSAGE: &[u8] =
        b"MESSAGE sip:ann@a.example SIP/2.0\r\nCall-ID: 7\r\nCSeq: 3 MESSAGE\r\nContent-Length: 8\r\n\r\nhunter22";

    #[test]
    fn messages_of_a_stream_are_cut_out_of_its_pieces() {
        let (tap, hop) = (Tap::default(), hop(Transport::Tcp));
        let twice = [b"\r\n\r\n", MESSAGE, MESSAGE, b"\r\n"].concat();
        for piece in twice.chunks(7) {
            tap.received_piece(Stack::Phone, &hop, piece);
        }
        let messages = tap.messages();
        assert_eq!(messages.len(), 2);
        assert_eq!((messages[0].summary.as_str(), messages[0].cseq.as_str()), ("MESSAGE", "3 MESSAGE"));
        assert_eq!((messages[0].repeated, messages[1].repeated), (false, true));
        assert!(messages.iter().all(|message| !message.text.contains("hunter22")));
    }

    #[test]
    fn keep_alives_are_no_messages_and_memory_is_bounded() {
        let (tap, udp) = (Tap::default(), hop(Transport::Udp));
        tap.sent(Stack::Phone, &udp, b"\r\n\r\n");
        tap.received(Stack::Phone, &udp, &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
        assert!(tap.messages().is_empty());
        tap.received_piece(Stack::Phone, &hop(Transport::Tcp), &vec![b'x'; LONGEST_PIECE + 1]);
        assert!(tap.ring().pieces.is_empty());
        let long = format!("OPTIONS sip:a SIP/2.0\r\nSubject: {}\r\n\r\n", "x".repeat(60_000));
        for _ in 0..100 {
            tap.sent(Stack::Phone, &udp, long.as_bytes());
        }
        let kept: usize = tap.messages().iter().map(|message| message.text.len()).sum();
        assert!(kept <= MOST_BYTES && kept > MOST_BYTES / 2);
    }
}
