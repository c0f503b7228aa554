//! The way to the backend.

use super::{
    super::{Errand, Owner},
    Answered,
};
use crate::{
    hooks::{Fields, GateId, Hook, Identity, Seq, headers},
    io::{
        clock,
        http::{Backend, Post},
    },
};
use bytes::Bytes;
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Names an attempt to the backend, which is to take what it has seen already for done.
pub(super) const KEY: &str = "idempotency-key";
/// For an event nobody waits.
const EVENT_LIMIT: Duration = Duration::from_secs(15);

/// A backend as the settings have it.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) backend: Arc<Backend>,
    pub(super) app_key: String,
    pub(super) identity: Identity,
    /// `None`: those that are not extras.
    pub(super) methods: Option<BTreeSet<Hook>>,
    pub(super) keep_alive: Option<Duration>,
}

impl Door {
    pub(super) fn prepare(&self, hook: Hook, key: String, body: Bytes) -> Post {
        let mut all = headers(&self.identity, hook, &key, clock::wallclock_ms() / 1000, &body);
        all.push((KEY, key));
        Post { hook, headers: all, body }
    }
}

impl Owner {
    /// With what every hook has.
    pub(super) fn whole(&self, session: &str, mut fields: Fields) -> Fields {
        let app_key = match self.client_app_key(session) {
            Some(app_key) => {
                // Its media are a browser's.
                if let Some(provider) = fields.get_mut("mediaProvider") {
                    *provider = Value::String("WebRTC".into());
                }
                app_key.to_owned()
            }
            None => self.hooks.door.as_ref().map(|door| door.app_key.clone()).unwrap_or_default(),
        };
        fields.insert("nodeId".into(), Value::String(self.hooks.node_id.clone()));
        fields.insert("appKey".into(), Value::String(app_key));
        fields.insert("sessionId".into(), Value::String(session.into()));
        fields
    }

    pub(super) fn send_gate(&mut self, gate: GateId, hook: Hook, fields: &Fields, limit: Duration) {
        let answered = move |outcome| Answered::Gate(gate, outcome);
        let key = super::super::view::new_id("g").unwrap_or_default();
        self.send(hook, key, to_json(fields), limit, answered);
    }

    pub(super) fn send_event(&mut self, seq: Seq, id: &str, hook: Hook, body: &Arc<str>) {
        let body = Bytes::copy_from_slice(body.as_bytes());
        self.send(hook, id.into(), body, EVENT_LIMIT, move |outcome| Answered::Event(seq, outcome));
    }

    fn send(
        &mut self,
        hook: Hook,
        key: String,
        body: Bytes,
        limit: Duration,
        answered: impl FnOnce(crate::hooks::Outcome) -> Answered + Send + 'static,
    ) {
        let errands = self.errands.clone();
        let Some(door) = &self.hooks.door else {
            let nobody = Err(crate::hooks::Trouble::Unreachable("no backend is set".into()));
            return self.on_hook_answered(answered(nobody));
        };
        let (backend, post) = (Arc::clone(&door.backend), door.prepare(hook, key, body));
        tokio::spawn(async move {
            let outcome = backend.post(post, limit).await.outcome;
            let _ = errands.send(Errand::Hook(answered(outcome))).await;
        });
    }

    pub(super) fn probe_backend(&mut self, limit: Duration) {
        let errands = self.errands.clone();
        let Some(door) = &self.hooks.door else { return };
        let backend = Arc::clone(&door.backend);
        tokio::spawn(async move {
            let answers = backend.is_answering(limit).await;
            let _ = errands.send(Errand::Hook(Answered::Probe(answers))).await;
        });
    }
}

pub(super) fn to_json(fields: &Fields) -> Bytes {
    serde_json::to_vec(fields).unwrap_or_default().into()
}
