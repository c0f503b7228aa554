//! Cards into contacts.

use super::{
    Database, MAX_CONTACTS,
    contacts::{Kept, write},
};
use crate::vcard::{Card, Reader, Refused};
use rusqlite::TransactionBehavior;
use sidetone_api::{Contact, ContactId, Failure};
use std::collections::{BTreeSet, HashMap};

/// Refusals that are told one by one.
const MAX_REFUSED: usize = 100;
/// Of a UID.
const LONGEST_UID: usize = 255;

/// What came of a file.
#[derive(Debug, Default)]
pub(crate) struct Import {
    /// As they are now; new and changed ones.
    pub(crate) contacts: Vec<Contact>,
    pub(crate) added: u32,
    pub(crate) changed: u32,
    /// Each names its line.
    pub(crate) refused: Vec<String>,
}

/// What an import asks of its surroundings.
pub(crate) struct Rules {
    /// Makes a contact fit to be kept.
    pub(crate) fit: fn(Contact) -> Result<Contact, Failure>,
    pub(crate) new_id: fn() -> Result<ContactId, Failure>,
}

impl Database {
    /// Takes every card that makes sense or, where the disk does not take them, none. A card is a contact that exists where
    /// the UIDs are the same or, where one of them has none, name and one address.
    pub(crate) fn import(&mut self, text: &str, rules: &Rules) -> Result<Import, Failure> {
        let present = self.read_contacts().map_err(|error| self.failure(&error))?;
        let mut known = Known::new(present);
        let mut refused = Vec::new();
        let mut more = 0_u64;
        for card in Reader::new(text) {
            match card.and_then(|card| known.take(card, rules)) {
                Ok(()) => {}
                Err(Refused { line, reason }) if refused.len() < MAX_REFUSED => {
                    refused.push(format!("line {line}: {reason}"));
                }
                Err(_) => more += 1,
            }
        }
        if more > 0 {
            refused.push(format!("and {more} more"));
        }
        let (added, changed) = (known.added.len(), known.changed.len());
        let contacts = self.write_all(&known).map_err(|error| self.failure(&error))?;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(Import { contacts, added: count(added), changed: count(changed), refused })
    }

    fn write_all(&mut self, known: &Known) -> rusqlite::Result<Vec<Contact>> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let touched = known.added.union(&known.changed).filter_map(|&at| known.all.get(at));
        let mut contacts = Vec::new();
        for Kept { contact, uid } in touched {
            write(&transaction, contact, uid.as_deref())?;
            contacts.push(contact.clone());
        }
        transaction.commit()?;
        Ok(contacts)
    }
}

/// All contacts, and how a card finds its own.
struct Known {
    all: Vec<Kept>,
    by_uid: HashMap<String, usize>,
    by_name: HashMap<(String, String), usize>,
    added: BTreeSet<usize>,
    changed: BTreeSet<usize>,
}

impl Known {
    fn new(all: Vec<Kept>) -> Self {
        let mut known = Self {
            all,
            by_uid: HashMap::new(),
            by_name: HashMap::new(),
            added: BTreeSet::new(),
            changed: BTreeSet::new(),
        };
        for at in 0..known.all.len() {
            known.index(at);
        }
        known
    }

    /// A card that we wrote for a contact without a UID carries the contact's id.
    fn index(&mut self, at: usize) {
        let Some(Kept { contact, uid }) = self.all.get(at) else { return };
        self.by_uid.entry(contact.id.as_str().to_owned()).or_insert(at);
        if let Some(uid) = uid {
            self.by_uid.insert(uid.clone(), at);
        }
        for key in names(contact) {
            self.by_name.entry(key).or_insert(at);
        }
    }

    fn take(&mut self, card: Card, rules: &Rules) -> Result<(), Refused> {
        let Card { line, uid, contact } = card;
        let refused = |reason: String| Refused { line, reason: reason.into() };
        let contact = (rules.fit)(contact).map_err(|failure| refused(failure.message))?;
        let uid = uid.filter(|uid| uid.len() <= LONGEST_UID && !uid.chars().any(char::is_control));
        let same = uid.as_ref().and_then(|uid| self.by_uid.get(uid)).copied();
        let alike = || {
            let found = names(&contact).into_iter().find_map(|key| self.by_name.get(&key).copied());
            found.filter(|&at| uid.is_none() || self.all.get(at).is_some_and(|kept| kept.uid.is_none()))
        };
        let at = match (same, same.or_else(alike)) {
            (Some(at), _) => self.replace(at, contact, None),
            (None, Some(at)) => self.replace_by(at, contact, uid),
            (None, None) if self.all.len() >= MAX_CONTACTS => {
                return Err(refused(format!("{MAX_CONTACTS} contacts are the most")));
            }
            (None, None) => {
                let id = (rules.new_id)().map_err(|failure| refused(failure.message))?;
                self.all.push(Kept { contact: Contact { id, ..contact }, uid });
                let at = self.all.len() - 1;
                self.added.insert(at);
                at
            }
        };
        self.index(at);
        Ok(())
    }

    /// The same card, perhaps a newer one.
    fn replace(&mut self, at: usize, card: Contact, uid: Option<String>) -> usize {
        let Some(kept) = self.all.get_mut(at) else { return at };
        let new = Contact {
            id: kept.contact.id.clone(),
            favourite: kept.contact.favourite || card.favourite,
            watch: kept.contact.watch || card.watch,
            ..card
        };
        if kept.contact != new || (kept.uid.is_none() && uid.is_some()) {
            kept.contact = new;
            kept.uid = uid.or(kept.uid.take());
            if !self.added.contains(&at) {
                self.changed.insert(at);
            }
        }
        at
    }

    /// Another card of the same person: what it does not say stays.
    fn replace_by(&mut self, at: usize, mut card: Contact, uid: Option<String>) -> usize {
        if let Some(Kept { contact: old, .. }) = self.all.get(at) {
            let is_new =
                |address: &str| old.addresses.iter().all(|known| folded(&known.address) != folded(address));
            let more: Vec<_> = card.addresses.into_iter().filter(|one| is_new(&one.address)).collect();
            let room = super::MAX_ADDRESSES.saturating_sub(old.addresses.len());
            card.addresses = old.addresses.iter().cloned().chain(more.into_iter().take(room)).collect();
            for (new, old) in [(&mut card.organisation, &old.organisation), (&mut card.note, &old.note)] {
                if new.is_empty() {
                    new.clone_from(old);
                }
            }
        }
        self.replace(at, card, uid)
    }
}

fn names(contact: &Contact) -> Vec<(String, String)> {
    let name = contact.name.trim().to_lowercase();
    contact.addresses.iter().map(|one| (name.clone(), folded(&one.address))).collect()
}

/// An address without what people write differently: scheme, separators, capitals.
fn folded(address: &str) -> String {
    let lower = address.trim().to_lowercase();
    let plain =
        ["sips:", "sip:", "tel:"].iter().find_map(|scheme| lower.strip_prefix(scheme)).unwrap_or(&lower);
    let is_number = plain.chars().all(|c| c.is_ascii_digit() || "+*#-./() ".contains(c));
    plain.chars().filter(|c| !is_number || !"-./() ".contains(*c)).collect()
}
