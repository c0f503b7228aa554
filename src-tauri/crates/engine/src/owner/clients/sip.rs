//! What happens to clients' SIP sessions and calls is told to them alone.

use crate::{clients::ClientNews, owner::Owner};
use serde_json::json;
use sidetone_api::{CallId, CallStatus, DataStatus, Event, RegistrationStatus, SessionId, TransferStatus};

const REGISTRATION: &str = "RegistrationStatusEvent";
const TRANSFER: &str = "TransferStatusEvent";

impl Owner {
    /// Whose client an event is about.
    pub(in super::super) fn client_of_event(&self, event: &Event) -> Option<SessionId> {
        let of_call = |call: &CallId| {
            self.calls.get(call).map(|call| &call.session_id).and_then(|session| self.client_of_sip(session))
        };
        match event {
            Event::ConnectionStatusEvent { session_id, .. }
            | Event::RegistrationStatusEvent { session_id, .. }
            | Event::OnCallEvent { session_id, .. }
            | Event::CallStatusEvent { session_id, .. }
            | Event::TransferStatusEvent { session_id, .. }
            | Event::OnTransferEvent { session_id, .. }
            | Event::DataStatusEvent { session_id, .. }
            | Event::OnDataEvent { session_id, .. }
            | Event::ErrorEvent { session_id: Some(session_id), .. }
            | Event::SessionClosed { session_id } => self.client_of_sip(session_id),
            Event::SessionChanged { session } => self.client_of_sip(&session.session_id),
            Event::CallChanged { call } => self.client_of_sip(&call.session_id),
            Event::CallMeasured { call_id, .. } | Event::DtmfReceived { call_id, .. } => of_call(call_id),
            Event::Notice { call_id: Some(call_id), .. } => of_call(call_id),
            _ => None,
        }
    }

    fn client_of_sip(&self, session: &SessionId) -> Option<SessionId> {
        let of_account = || self.clients.accounts.get(&self.sessions.get(session)?.account.id);
        self.clients.by_sip.get(session).or_else(of_account).cloned()
    }

    /// The session is a client's, and its client has gone for a while.
    pub(in super::super) fn is_client_away(&self, sip: &SessionId) -> bool {
        let client = self.clients.by_sip.get(sip).and_then(|client| self.clients.all.get(client));
        client.is_some_and(|client| client.news.is_none())
    }

    pub(in super::super) fn on_client_event(&mut self, client: &SessionId, event: Event) {
        match event {
            Event::RegistrationStatusEvent { status, info, .. } => {
                self.on_client_registration(client, status, &info);
            }
            Event::OnCallEvent { call_id, .. } => self.ring_client(client, &call_id),
            Event::CallStatusEvent { status, call_id, info, .. } => {
                if self.on_rest_call_status(&call_id, status) {
                    return;
                }
                let Some((session, id)) = self.clients.by_call.get(&call_id).cloned() else { return };
                self.tell_client_call(&session, &id, status, &info);
                if matches!(status, CallStatus::Finish | CallStatus::Busy | CallStatus::Failed) {
                    self.forget_client_call(&session, &id);
                }
            }
            // The others would park the page's connection (protocol 3.4).
            Event::TransferStatusEvent { status: TransferStatus::Completed, call_id, target, .. } => {
                if let Some((session, id)) = self.clients.by_call.get(&call_id).cloned() {
                    self.tell_client(&session, ClientNews::Transferred { id, target });
                }
            }
            Event::TransferStatusEvent { status: TransferStatus::Failed, call_id, info, .. } => {
                if let Some((session, id)) = self.clients.by_call.get(&call_id).cloned() {
                    self.tell_client_failed(&session, TRANSFER, Some(id), &info);
                }
            }
            Event::OnDataEvent { incoming: true, from, to, content_type, body, .. } => {
                let payload = json!({ "from": from, "to": to, "contentType": content_type, "body": body });
                let operation_id = crate::owner::view::new_id("d").unwrap_or_default();
                self.tell_client(client, ClientNews::Data { operation_id, payload: payload.into() });
            }
            Event::DataStatusEvent { status, data_id, info, .. } => {
                let sent = self.clients.all.get_mut(client).and_then(|client| client.sent.remove(&data_id));
                if let Some(operation_id) = sent {
                    let accepted = status == DataStatus::Accepted;
                    self.tell_client(client, ClientNews::DataStatus { operation_id, accepted, info });
                }
            }
            Event::SessionClosed { session_id } => self.on_client_has_left(&session_id),
            Event::ErrorEvent { hook, info, call_id, .. } => {
                self.on_client_call_forbidden(client, &hook, call_id.as_ref(), &info);
            }
            _ => {}
        }
    }

    fn on_client_registration(&mut self, client: &SessionId, status: RegistrationStatus, info: &str) {
        let Some(found) = self.clients.all.get(client).filter(|found| found.registers) else { return };
        match status {
            RegistrationStatus::Registered => self.tell_client(client, ClientNews::Registered),
            // The end of the session unregisters it.
            _ if found.news.is_none() => {}
            _ => self.tell_client_failed(client, REGISTRATION, None, &format!("{status}: {info}")),
        }
    }
}
