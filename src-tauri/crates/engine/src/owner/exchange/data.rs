//! Messages between phones at the exchange, under the rules of the backend: it is asked of the sender's, then of each that is
//! for a phone.

use super::{super::Owner, FORBIDDEN, Role};
use crate::{
    hooks::{Fields, Hook, Verdict},
    owner::{
        hooks::{of_data, with_status},
        text,
        view::new_id,
    },
};
use sidetone_api::{DataId, DataStatus};
use sidetone_sip::{MessageId, ReceivedMessage};

/// A phone's message that has not been answered.
#[derive(Debug)]
pub(super) struct PhoneData {
    session: String,
    id: String,
}

impl Owner {
    pub(super) fn ask_about_message(&mut self, message: ReceivedMessage) {
        let Some(sender) = self.sender_of(&message) else { return self.ask_receiver(message) };
        let (Ok(id), from) = (new_id("d").map(DataId::new), message.from.uri.to_string()) else {
            return self.refuse_message(message.id, "");
        };
        let fields = self.data_fields(&id, false, &from, &message);
        let data = PhoneData { session: sender.clone(), id: id.as_str().into() };
        self.exchange.messages.told.insert(message.id, data);
        // One after the other, as they were written.
        let object = format!("data of {sender}");
        self.gate(Hook::OnDataEvent, &sender, &object, fields, move |owner, verdict| match verdict {
            Verdict::Go(_) => owner.ask_receiver(message),
            Verdict::Refused { info } => owner.refuse_message(message.id, &info),
        });
    }

    fn ask_receiver(&mut self, message: ReceivedMessage) {
        let Some(session) = self.receiver_of(&message) else { return self.pass_message(message) };
        let Ok(id) = new_id("d").map(DataId::new) else { return self.refuse_message(message.id, "") };
        let fields = self.data_fields(&id, true, &message.from.uri.to_string(), &message);
        let object = format!("data for {session}");
        self.gate(Hook::OnDataEvent, &session, &object, fields, move |owner, verdict| match verdict {
            Verdict::Go(_) => owner.pass_message(message),
            Verdict::Refused { .. } => owner.refuse_message(message.id, "Forbidden"),
        });
    }

    fn pass_message(&mut self, message: ReceivedMessage) {
        self.exchange.on_message(message, self.farewell.is_some());
        self.tell_of_messages();
    }

    fn refuse_message(&mut self, id: MessageId, info: &str) {
        self.exchange.answer_message(id, FORBIDDEN, &text::shown(info));
        self.tell_of_messages();
    }

    /// What has been answered meanwhile.
    pub(super) fn tell_of_messages(&mut self) {
        for (message, status, reason) in std::mem::take(&mut self.exchange.messages.answered) {
            let Some(PhoneData { session, id }) = self.exchange.messages.told.remove(&message) else {
                continue;
            };
            let accepted = (200..300).contains(&status);
            let word = if accepted { DataStatus::Accepted } else { DataStatus::Failed };
            let info = text::shown(&format!("{status} {reason}"));
            let mut fields = with_status(Fields::new(), word.as_str(), &info);
            fields.insert("operationId".into(), id.as_str().into());
            self.tell(Hook::DataStatusEvent, &session, &id, fields);
        }
    }

    fn data_fields(&self, id: &DataId, incoming: bool, from: &str, message: &ReceivedMessage) -> Fields {
        let (from, to) = (text::shown(from), text::shown(&message.request_uri.to_string()));
        let body = String::from_utf8_lossy(&message.body);
        of_data(id, incoming, &from, &to, &text::shown(&message.content_type), &body)
    }

    /// `None`: one of our own accounts, which has been asked about.
    fn sender_of(&self, message: &ReceivedMessage) -> Option<String> {
        if self.is_own_phone(message.hop.remote) {
            return None;
        }
        match message.call.and_then(|call| self.exchange.phone_calls.of(call)) {
            Some(call) => Some(call.session.clone()),
            None => Some(self.exchange.session_of(&message.from.uri.user_text().unwrap_or_default())),
        }
    }

    /// `None`: no phone.
    fn receiver_of(&self, message: &ReceivedMessage) -> Option<String> {
        let Some(call) = message.call else {
            let user = message.request_uri.user_text()?;
            let bindings = self.exchange.agent.as_ref()?.ua.bindings(&user);
            let is_phone = bindings.iter().any(|binding| !self.is_own_binding(binding));
            return is_phone.then(|| self.exchange.session_of(&user));
        };
        let (Role::Caller(id) | Role::Callee(id)) = self.exchange.calls.get(&call)? else { return None };
        let other = self.exchange.bridges.get(id)?.other_than(call)?;
        Some(self.exchange.phone_calls.of(other)?.session.clone())
    }
}
