//! Messages between extensions: each goes to every contact of the callee, and the best answer goes back. In a call that the
//! exchange connects they go to its other end.

use super::{Exchange, Role, SERVICES, data::PhoneData};
use sidetone_sip::message::{HeaderName, NameAddr};
use sidetone_sip::{MessageId, MessageRequest, ReceivedMessage, Way};
use std::{collections::HashMap, time::Instant};

const NOT_FOUND: u16 = 404;
const NOT_ALLOWED: u16 = 405;
const TEMPORARILY_UNAVAILABLE: u16 = 480;
const GONE: u16 = 481;
const TOO_MANY_HOPS: u16 = 483;

/// What is on its way.
#[derive(Default)]
pub(super) struct Passing {
    /// By our own copy: the message that it is a copy of.
    copies: HashMap<MessageId, MessageId>,
    originals: HashMap<MessageId, Original>,
    /// What the backend hears of phones' messages: theirs, and what they were answered.
    pub(super) told: HashMap<MessageId, PhoneData>,
    pub(super) answered: Vec<(MessageId, u16, String)>,
}

/// A message whose sender waits for an answer.
struct Original {
    /// Copies without an answer.
    waiting: usize,
    refusal: Option<(u16, String)>,
}

impl Exchange {
    /// Passes it on, or refuses it.
    pub(super) fn on_message(&mut self, message: ReceivedMessage, is_leaving: bool) {
        let id = message.id;
        let sent = if is_leaving { Err(TEMPORARILY_UNAVAILABLE) } else { self.copy(message) };
        match sent {
            Ok(copies) => {
                let original = Original { waiting: copies.len(), refusal: None };
                self.messages.originals.insert(id, original);
                self.messages.copies.extend(copies.into_iter().map(|copy| (copy, id)));
            }
            Err(status) => self.answer_message(id, status, ""),
        }
    }

    /// Our copies of it, at least one; the status to refuse it with where it goes nowhere.
    fn copy(&mut self, message: ReceivedMessage) -> Result<Vec<MessageId>, u16> {
        let hops_left = message.headers.max_forwards().ok().flatten().unwrap_or(70);
        let now = Instant::now();
        // With its parameters, such as the character set.
        let content_type = message.headers.get(&HeaderName::CONTENT_TYPE).unwrap_or(&message.content_type);
        if let Some(call) = message.call {
            let (Role::Caller(bridge) | Role::Callee(bridge)) = self.calls.get(&call).ok_or(GONE)? else {
                return Err(NOT_ALLOWED);
            };
            let other = self.bridges.get_mut(bridge).and_then(|bridge| bridge.opposite(call));
            let other = other.ok_or(GONE)?.call;
            let agent = self.agent.as_mut().ok_or(GONE)?;
            return Ok(vec![agent.ua.message_in_call(now, other, content_type, message.body)]);
        }
        let user = message.request_uri.user_text().ok_or(NOT_FOUND)?;
        if SERVICES.contains(&user.as_str()) {
            return Err(NOT_ALLOWED);
        }
        let agent = self.agent.as_mut().ok_or(TEMPORARILY_UNAVAILABLE)?;
        let bindings = agent.ua.bindings(&user);
        if bindings.is_empty() {
            return Err(if self.known.contains(&user) { TEMPORARILY_UNAVAILABLE } else { NOT_FOUND });
        }
        let hops_left = hops_left.checked_sub(1).ok_or(TOO_MANY_HOPS)?;
        let from = NameAddr { params: Default::default(), ..message.from };
        let send = |binding: sidetone_sip::Binding| {
            let copy = MessageRequest {
                target: Some(binding.contact),
                way: Way { flow: binding.flow, ..Way::default() },
                headers: vec![(HeaderName::MAX_FORWARDS, hops_left.to_string())],
                ..MessageRequest::new(
                    from.clone(),
                    message.request_uri.clone(),
                    content_type,
                    message.body.clone(),
                )
            };
            agent.ua.message(now, copy)
        };
        Ok(bindings.into_iter().map(send).collect())
    }

    /// The first contact that takes it answers for all; else it is the best refusal, once all have refused.
    pub(super) fn on_message_answered(&mut self, copy: MessageId, status: u16, reason: String) {
        let Some(id) = self.messages.copies.remove(&copy) else { return };
        let Some(original) = self.messages.originals.get_mut(&id) else { return };
        original.waiting -= 1;
        if (200..300).contains(&status) {
            self.messages.originals.remove(&id);
            return self.answer_message(id, status, &reason);
        }
        let refusal = for_sender(status, reason);
        if original.refusal.as_ref().is_none_or(|best| rank(refusal.0) < rank(best.0)) {
            original.refusal = Some(refusal);
        }
        if original.waiting == 0
            && let Some((status, reason)) = self.messages.originals.remove(&id).and_then(|done| done.refusal)
        {
            self.answer_message(id, status, &reason);
        }
    }

    pub(super) fn answer_message(&mut self, message: MessageId, status: u16, reason: &str) {
        if self.messages.told.contains_key(&message) {
            self.messages.answered.push((message, status, reason.to_owned()));
        }
        if let Some(agent) = &mut self.agent {
            agent.ua.reply_message(Instant::now(), message, status, reason);
        }
    }
}

/// A challenge or a redirection is meant for us, and silence is nobody's word.
fn for_sender(status: u16, reason: String) -> (u16, String) {
    match status {
        ..=399 | 401 | 407 | 408 => (TEMPORARILY_UNAVAILABLE, String::new()),
        status => (status, reason),
    }
}

/// Lower goes back first: 6xx, then the lowest class, as with calls.
fn rank(status: u16) -> (bool, u16) {
    (status < 600, status / 100)
}
