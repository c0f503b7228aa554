//! Bytes in: parsing, the keep-alives of streams, and the way to transactions.

use std::time::Instant;

use crate::framing::{Frame, Limits, PONG, StreamDecoder};
use crate::message::{Message, Method, ParseError, Request, validate_with};
use crate::transaction::ServerStep;

use super::UserAgent;
use super::hop::Hop;
use super::io::Output;
use super::respond::stamp_via;

/// What one connection may make us hold: as much as a datagram could carry.
const MAX_STREAM_BODY: usize = 64 * 1024;

impl UserAgent {
    pub(super) fn on_datagram(&mut self, now: Instant, hop: Hop, bytes: &[u8]) {
        if crate::stun::is_stun(bytes) {
            return self.on_stun(now, &hop, bytes);
        }
        match Message::parse(bytes) {
            Ok(message) => self.on_message(now, hop, message),
            Err(error) => self.on_broken(hop, &error),
        }
    }

    pub(super) fn on_stream(&mut self, now: Instant, hop: Hop, bytes: &[u8]) {
        let key = hop.flow();
        if !self.streams.contains_key(&key) && self.streams.len() >= self.config.max_connections {
            return self.outputs.push_back(Output::Close { hop });
        }
        let limits = || Limits { body: MAX_STREAM_BODY, ..Limits::default() };
        self.streams.entry(key).or_insert_with(|| StreamDecoder::new(limits())).push(bytes);
        let mut pinged = false;
        loop {
            let Some(decoder) = self.streams.get_mut(&key) else { return };
            let frame = decoder.next_frame();
            // one pong for pings in a row, or a flood of four bytes each would be one of messages
            if !matches!(frame, Ok(Some(Frame::Ping | Frame::Pong))) && std::mem::take(&mut pinged) {
                self.transmit(hop, PONG.to_vec());
            }
            match frame {
                Ok(Some(Frame::Message(message))) => self.on_message(now, hop, message),
                Ok(Some(Frame::Broken(error))) => self.on_broken(hop, &error),
                Ok(Some(Frame::Ping)) => {
                    pinged = true;
                    self.on_line_ends(&hop, false);
                }
                Ok(Some(Frame::Pong)) => self.on_line_ends(&hop, true),
                Ok(None) => return,
                Err(lost) => {
                    self.on_broken(hop, &lost.0);
                    self.streams.remove(&key);
                    return self.outputs.push_back(Output::Close { hop });
                }
            }
        }
    }

    /// What cannot be read is answered if enough of it can be (400, 505, 513).
    fn on_broken(&mut self, hop: Hop, error: &ParseError) {
        let Some(answerable) = error.answerable() else { return };
        let mut answerable = answerable.clone();
        if stamp_via(&mut answerable.headers, &hop).is_none() {
            return;
        }
        let tag = self.stateless_tag(&answerable.headers);
        let response = answerable.response(&tag);
        self.respond_stateless(hop, response);
    }

    fn on_message(&mut self, now: Instant, hop: Hop, message: Message) {
        match message {
            Message::Request(request) => self.on_request(now, hop, request),
            Message::Response(response) => self.on_response(now, response),
        }
    }

    fn on_request(&mut self, now: Instant, hop: Hop, mut request: Request) {
        if stamp_via(&mut request.headers, &hop).is_none() {
            return;
        }
        if let Some(id) = self.servers.find(&request) {
            let Some(server) = self.servers.get_mut(id) else { return };
            let is_ack = request.method == Method::Ack;
            let step = if is_ack { server.on_ack(now) } else { server.on_request() };
            let (hop, bytes) = (server.hop, server.last_response().to_vec());
            match step {
                ServerStep::Transmit if !bytes.is_empty() => self.transmit(hop, bytes),
                ServerStep::PassUp => self.on_ack(now, &request),
                _ => {}
            }
            return self.refresh_server(id);
        }
        if request.method == Method::Ack {
            return self.on_ack(now, &request);
        }
        if let Err(rejection) = validate_with(&request, &self.extensions()) {
            let tag = self.stateless_tag(&request.headers);
            let mut response = rejection.response(&request, &tag);
            self.add_capabilities(&mut response);
            return self.respond_stateless(hop, response);
        }
        self.serve(now, hop, request);
    }
}
