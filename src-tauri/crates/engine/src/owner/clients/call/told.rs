//! What clients are told of their calls.

use super::EVENT;
use crate::{
    clients::{ClientCallView, ClientNews},
    hooks::Hook,
    owner::{Owner, text},
};
use sidetone_api::{CallId, CallStatus, SessionId};

impl Owner {
    /// The backend has refused what a client asked of a call. One whose answer is refused is over: the page has given what it had.
    pub(in super::super) fn on_client_call_forbidden(
        &mut self,
        client: &SessionId,
        hook: &str,
        call: Option<&CallId>,
        info: &str,
    ) {
        let Some((session, id)) = call.and_then(|call| self.clients.by_call.get(call)).cloned() else {
            return self.tell_client_failed(client, EVENT, None, info);
        };
        self.tell_client_failed(&session, EVENT, Some(id.clone()), info);
        if hook == Hook::Answer.name()
            && let Some(call) = call
        {
            self.tell_client_call(&session, &id, CallStatus::Failed, info);
            let _ = self.hang_up(call);
        }
    }

    /// Why a call of a client's comes to nothing, which the page does not read from the call.
    pub(in super::super::super) fn tell_error_to_client(&mut self, call: &CallId, info: &str) {
        if let Some((session, id)) = self.clients.by_call.get(call).cloned() {
            self.tell_client_failed(&session, EVENT, Some(id), &text::shown(info));
        }
    }

    /// Nobody was told of the call.
    pub(in super::super::super) fn tell_client_of_call(&mut self, session: &str, info: &str) {
        self.tell_client_failed(&SessionId::new(session), EVENT, None, &text::shown(info));
    }

    /// What the backend has changed is known to the client, unless it is not to be.
    pub(in super::super::super) fn on_client_call_changed(&mut self, call_id: &CallId) {
        let Some((session, id)) = self.clients.by_call.get(call_id).cloned() else { return };
        let hides = |field| self.hooks.hides(session.as_str(), Hook::Call, field);
        let hidden = ["caller", "callee", "visibleName"].map(hides);
        let named = self.calls.get(call_id).and_then(|call| call.client.clone());
        let own = self.clients.all.get_mut(&session).and_then(|client| client.calls.get_mut(&id));
        let (Some(own), Some(named)) = (own, named) else { return };
        for ((field, value), hidden) in [
            (&mut own.caller, named.caller),
            (&mut own.callee, named.callee),
            (&mut own.visible_name, named.visible_name.unwrap_or_default()),
        ]
        .into_iter()
        .zip(hidden)
        {
            if !hidden {
                *field = value;
            }
        }
    }

    pub(in super::super) fn tell_client_call(
        &mut self,
        session: &SessionId,
        id: &str,
        status: CallStatus,
        info: &str,
    ) {
        let Some(own) = self.clients.all.get_mut(session).and_then(|client| client.calls.get_mut(id)) else {
            return;
        };
        // It is over for the client already.
        if matches!(own.status, Some(CallStatus::Finish | CallStatus::Failed | CallStatus::Busy)) {
            return;
        }
        if own.status.replace(status) == Some(status) {
            return;
        }
        if let Some(view) = self.client_call_view(session, id, status, info) {
            self.tell_client(session, ClientNews::Call(Box::new(view)));
        }
    }

    /// As it is, for others than its client.
    pub(in super::super) fn client_call_now(&self, session: &SessionId, id: &str) -> Option<ClientCallView> {
        let status = self.clients.all.get(session)?.calls.get(id)?.status?;
        self.client_call_view(session, id, status, "")
    }

    pub(super) fn client_call_view(
        &self,
        session: &SessionId,
        id: &str,
        status: CallStatus,
        info: &str,
    ) -> Option<ClientCallView> {
        let client = self.clients.all.get(session)?;
        let own = client.calls.get(id)?;
        let (sip_status, info) = said(status, info);
        let hides = self.hooks.hides(session.as_str(), Hook::CallStatusEvent, "sipMessageRaw");
        let ended_by = own.call.as_ref().and_then(|call| self.calls.get(call)?.ended_by.as_deref());
        Some(ClientCallView {
            node_id: self.hooks.node_id().to_owned(),
            app_key: client.app_key.clone(),
            session_id: session.as_str().to_owned(),
            call_id: id.to_owned(),
            incoming: own.incoming,
            status,
            sip_status,
            info,
            caller: own.caller.clone(),
            callee: own.callee.clone(),
            visible_name: own.visible_name.clone(),
            has_audio: true,
            has_video: own.has_video(),
            media_provider: "WebRTC",
            is_msrp: false,
            hold_for_transfer: false,
            sip_message_raw: ended_by.filter(|_| !hides).map(str::to_owned),
            custom: own.custom.clone(),
        })
    }
}

/// As the contract words it: the code, and `SIP 403 FORBIDDEN`.
fn said(status: CallStatus, info: &str) -> (Option<u16>, String) {
    let code = info.get(..3).and_then(|code| code.parse().ok()).filter(|code| (100..700).contains(code));
    let words = match status {
        CallStatus::Finish => "Normal call clearing".to_owned(),
        CallStatus::Failed | CallStatus::Busy if code.is_some() => format!("SIP {}", info.to_uppercase()),
        _ => text::shown(info),
    };
    (code, words)
}
