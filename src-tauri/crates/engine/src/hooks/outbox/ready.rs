use super::{super::Hook, Seq, entry::Waiting};
use std::collections::{BTreeMap, BTreeSet};

/// Events that nothing of their own keeps from being sent. Those that were tried least come first, then the oldest: one that
/// its handler never answers holds up no other.
#[derive(Debug, Default)]
pub(super) struct Ready(BTreeMap<Hook, BTreeSet<(u32, Seq)>>);

impl Ready {
    pub(super) fn insert(&mut self, waiting: &Waiting) {
        self.0.entry(waiting.hook).or_default().insert((waiting.attempts, waiting.seq));
    }

    pub(super) fn remove(&mut self, waiting: &Waiting) {
        if let Some(of_hook) = self.0.get_mut(&waiting.hook) {
            of_hook.remove(&(waiting.attempts, waiting.seq));
            if of_hook.is_empty() {
                self.0.remove(&waiting.hook);
            }
        }
    }

    /// The next of the hooks that may be sent.
    pub(super) fn first(&self, may_go: impl Fn(Hook) -> bool) -> Option<Seq> {
        let firsts = self.0.iter().filter(|(hook, _)| may_go(**hook)).filter_map(|(_, all)| all.first());
        firsts.min().map(|(_, seq)| *seq)
    }

    /// Of which there are any.
    pub(super) fn hooks(&self) -> impl Iterator<Item = Hook> {
        self.0.keys().copied()
    }
}
