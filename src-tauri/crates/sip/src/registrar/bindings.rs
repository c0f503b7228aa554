//! Where each user can be reached.

use std::collections::HashMap;
use std::time::Instant;

use crate::message::Uri;
use crate::user_agent::{Hop, Transport};

/// One Contact of one user.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    pub contact: Uri,
    /// preference in thousandths
    pub q: u16,
    pub expires_at: Instant,
    /// the way the REGISTER came: it reaches the user through NAT. `None` once its connection is gone.
    pub flow: Option<Hop>,
    /// the User-Agent header, for people to read
    pub user_agent: String,
    pub(crate) call_id: String,
    pub(crate) cseq: u32,
}

#[derive(Debug, Default)]
pub(super) struct Bindings {
    by_user: HashMap<String, Vec<Binding>>,
}

impl Bindings {
    /// Best first.
    pub(super) fn of(&self, user: &str) -> Vec<Binding> {
        let mut bindings = self.by_user.get(user).cloned().unwrap_or_default();
        bindings.sort_by_key(|binding| std::cmp::Reverse(binding.q));
        bindings
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Binding> {
        self.by_user.values().flatten()
    }

    pub(super) fn users(&self) -> usize {
        self.by_user.len()
    }

    /// Whether the set differs from what it was, apart from expiry times.
    pub(super) fn replace(&mut self, user: &str, bindings: Vec<Binding>) -> bool {
        let key = |binding: &Binding| (binding.contact.clone(), binding.q, binding.flow);
        let old: Vec<_> = self.by_user.get(user).into_iter().flatten().map(key).collect();
        let changed = old != bindings.iter().map(key).collect::<Vec<_>>();
        if bindings.is_empty() {
            self.by_user.remove(user);
        } else {
            self.by_user.insert(user.to_owned(), bindings);
        }
        changed
    }

    pub(super) fn expire(&mut self, now: Instant) -> Vec<String> {
        self.retain(|binding| binding.expires_at > now)
    }

    /// A WebSocket client has no other address (RFC 7118); others may be reached over a new connection to their Contact.
    pub(super) fn close_flow(&mut self, hop: &Hop) -> Vec<String> {
        let is_closed = |binding: &Binding| binding.flow.is_some_and(|flow| flow.same_flow(hop));
        if matches!(hop.transport, Transport::Ws | Transport::Wss) {
            return self.retain(|binding| !is_closed(binding));
        }
        let mut changed = Vec::new();
        for (user, bindings) in &mut self.by_user {
            let mut closed = bindings.iter_mut().filter(|binding| is_closed(binding)).peekable();
            if closed.peek().is_some() {
                changed.push(user.clone());
            }
            closed.for_each(|binding| binding.flow = None);
        }
        changed
    }

    fn retain(&mut self, keep: impl Fn(&Binding) -> bool) -> Vec<String> {
        let mut changed = Vec::new();
        self.by_user.retain(|user, bindings| {
            let before = bindings.len();
            bindings.retain(&keep);
            if bindings.len() != before {
                changed.push(user.clone());
            }
            !bindings.is_empty()
        });
        changed
    }
}
