//! "Delete everything": as on the first day.

use super::{Owner, contacts::Imported, kept::Answer, session::Session};
use sidetone_api::{Failure, FailureCode, Reply, Settings};

/// What the gateway signs its certificates with. It shares no more when the settings are gone, and makes another when it does again.
const AUTHORITY: &str = "authority.json";

impl Owner {
    /// Ends calls and sessions and deletes history, contacts, accounts, passwords, settings and the authority that guests' devices
    /// trust. Recordings stay. It goes on where a part fails, and the failure names all that is left.
    pub(super) fn delete_everything(&mut self, answer: Answer) {
        self.forget_present_calls();
        for call in self.calls.keys().cloned().collect::<Vec<_>>() {
            let _ = self.hang_up(&call);
        }
        self.end_rooms();
        self.end_clients();
        self.end_streams();
        let of_accounts = self.sessions.values().filter(|session| !session.is_local());
        let sessions: Vec<_> = of_accounts.map(|session: &Session| session.id.clone()).collect();
        for session in sessions {
            let _ = self.disconnect(&session);
        }
        let mut left = Vec::new();
        let accounts = self.settings.get().accounts.iter().map(|account| account.id.clone());
        let known: std::collections::BTreeSet<_> = accounts.chain(self.passwords.keys().cloned()).collect();
        // The key store may ask its user first: what it keeps is told when it answers.
        self.forget_passwords(known);
        self.forget_all_secrets();
        match self.store(Settings::default()) {
            Ok(()) => {
                self.apply_devices();
                self.apply_hold_music();
                self.apply_hooks();
            }
            Err(failure) => left.push(failure.message),
        }
        if let Err(failure) = self.forget_reports() {
            left.push(failure.message);
        }
        let renewed = self.instance.renew();
        for failure in [renewed, self.instance.forget_beside(AUTHORITY)].into_iter().filter_map(Result::err) {
            left.push(failure.message);
        }
        self.history.pruning = None;
        let before = self.remembered();
        let job = move |db: &mut crate::store::Database| Ok(db.delete_everything());
        self.ask_store(answer, job, move |owner, deleted| {
            if let Err(failure) = &deleted {
                left.push(failure.message.clone());
            }
            if deleted.is_ok() {
                owner.forget_history(&before);
                owner.forget_outbox();
                owner.imported = Imported::default();
                for id in owner.contacts.keys().cloned().collect::<Vec<_>>() {
                    owner.contact_removed(&id);
                }
            }
            if left.is_empty() {
                return Ok(Reply::Done);
            }
            Err(Failure::new(FailureCode::Storage, format!("not everything is deleted: {}", left.join("; "))))
        });
    }
}
