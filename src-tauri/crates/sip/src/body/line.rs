//! What a line does now, from all the dialog-info documents of one subscription.

use std::collections::BTreeMap;

use super::dialog_info::MAX_DIALOGS;
use super::{DialogInfo, DialogState, Initiator};

/// The lamp of a busy lamp field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lit {
    #[default]
    Idle,
    /// somebody calls the line, and nobody has answered
    Ringing,
    /// in a call, or calling
    Busy,
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    Taken,
    /// one between is missing: ask for a full one by refreshing the subscription
    Gap,
}

/// The dialogs of a line. Take a new one for each new subscription.
#[derive(Debug, Clone, Default)]
pub struct Line {
    version: Option<u32>,
    dialogs: BTreeMap<String, Lit>,
}

impl Line {
    /// RFC 4235 section 4.3, but for versions: some notifiers never count them and some begin anew, and the order of NOTIFYs is that
    /// of their CSeq already. So a full document is always taken, and a partial one if its version is not more than one ahead.
    pub fn apply(&mut self, info: &DialogInfo) -> Applied {
        let gap = !info.full && self.version.is_none_or(|version| info.version > version.saturating_add(1));
        self.version = Some(info.version);
        if info.full {
            self.dialogs.clear();
        }
        for dialog in &info.dialogs {
            let lit = match (dialog.state, dialog.initiator) {
                (DialogState::Terminated, _) => None,
                (DialogState::Confirmed, _) | (_, Some(Initiator::Line)) => Some(Lit::Busy),
                // a call that the line makes is often told without its direction
                (DialogState::Trying, None) => Some(Lit::Busy),
                _ => Some(Lit::Ringing),
            };
            match lit {
                Some(lit) if self.dialogs.len() < MAX_DIALOGS || self.dialogs.contains_key(&dialog.id) => {
                    self.dialogs.insert(dialog.id.clone(), lit);
                }
                Some(_) => {}
                None => {
                    self.dialogs.remove(&dialog.id);
                }
            }
        }
        if gap { Applied::Gap } else { Applied::Taken }
    }

    /// Busy where any dialog is, else ringing where any is.
    pub fn lit(&self) -> Lit {
        self.dialogs.values().max().copied().unwrap_or_default()
    }
}
