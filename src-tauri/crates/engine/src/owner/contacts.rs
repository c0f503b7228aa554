//! People: all of them in memory, because a snapshot has them all, and in the database.

use super::{Owner, kept::Answer, text::shown, view::new_id};
use crate::{
    store::{Import, MAX_ADDRESSES, Rules},
    vcard,
};
use sidetone_api::{Contact, ContactId, Event, Failure, Reply};
use sidetone_sip::message::Uri;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Of a name, an organisation and an address, bytes.
const LONGEST_LINE: usize = 512;
const LONGEST_LABEL: usize = 64;
const LONGEST_NOTE: usize = 8 * 1024;
/// Of a vCard file, bytes.
const LONGEST_FILE: usize = 64 * 1024 * 1024;
/// Contacts of an import that are told in one turn of the loop, and the pause after it.
const PORTION: usize = 128;
const PAUSE: Duration = Duration::from_millis(20);
/// Events that may wait for a reader when the next portion comes, and the pauses that are made for one who does not read.
const BACKLOG: usize = 256;
const PAUSES: u32 = 1500;

/// Contacts that are in the database and have not been told yet.
#[derive(Debug, Default)]
pub(super) struct Imported {
    contacts: VecDeque<Contact>,
    /// When the next portion is told.
    pub(super) next: Option<Instant>,
    pauses: u32,
}

impl Owner {
    pub(super) fn save_contact(&mut self, contact: Contact, answer: Answer) {
        let new = contact.id.as_str().is_empty();
        let contact = checked(contact).and_then(|contact| {
            let id = if new { new_contact_id()? } else { contact.id.clone() };
            Ok(Contact { id, ..contact })
        });
        let contact = match contact {
            Ok(contact) => contact,
            Err(failure) => {
                let _ = answer.send(Err(failure));
                return;
            }
        };
        let kept = contact.clone();
        self.ask_store(
            answer,
            move |db| db.save_contact(&kept, new),
            |owner, ()| {
                let contact_id = contact.id.clone();
                owner.tell_imported();
                owner.contact_changed(contact);
                Ok(Reply::Contact { contact_id })
            },
        );
    }

    pub(super) fn remove_contact(&mut self, id: ContactId, answer: Answer) {
        let removing = id.clone();
        self.ask_store(
            answer,
            move |db| db.remove_contact(&removing),
            move |owner, removed| {
                if !removed {
                    return Err(Failure::not_found("contact", id.as_str()));
                }
                owner.tell_imported();
                owner.contact_removed(&id);
                Ok(Reply::Done)
            },
        );
    }

    /// The reply comes when the disk has them; the events follow in portions.
    pub(super) fn import_contacts(&mut self, vcard: String, answer: Answer) {
        if vcard.len() > LONGEST_FILE {
            let message = format!("at most {} MiB are read at once", LONGEST_FILE / (1024 * 1024));
            let _ = answer.send(Err(Failure::invalid("vcard", message)));
            return;
        }
        let rules = Rules { fit: |contact| checked(fitted(contact)), new_id: new_contact_id };
        self.ask_store(
            answer,
            move |db| db.import(&vcard, &rules),
            |owner, import| {
                let Import { contacts, added, changed, refused } = import;
                owner.imported.contacts.extend(contacts);
                owner.tell_some_imported();
                Ok(Reply::Imported { added, changed, refused })
            },
        );
    }

    pub(super) fn export_contacts(&mut self, answer: Answer) {
        let job = |db: &mut crate::store::Database| {
            let contacts = db.contacts()?;
            Ok(vcard::write(contacts.iter().map(|(contact, uid)| (contact, uid.as_deref()))))
        };
        self.ask_store(answer, job, |_, text| Ok(Reply::Text { text }));
    }

    /// The one place where a contact becomes another.
    fn contact_changed(&mut self, contact: Contact) {
        self.contacts.insert(contact.id.clone(), contact.clone());
        self.publish(Event::ContactChanged { contact: contact.clone() });
        self.watch_contact(&contact);
    }

    /// The one place where a contact goes.
    pub(super) fn contact_removed(&mut self, id: &ContactId) {
        if self.contacts.remove(id).is_some() {
            self.publish(Event::ContactRemoved { contact_id: id.clone() });
            self.unwatch_contact(id);
        }
    }

    /// A portion of what was imported, and the time of the next one. Readers keep up, or have had their time.
    pub(super) fn tell_some_imported(&mut self) {
        let imported = &mut self.imported;
        imported.next = Some(Instant::now() + PAUSE);
        if self.publisher.backlog() > BACKLOG && imported.pauses < PAUSES {
            imported.pauses += 1;
            return;
        }
        for _ in 0..PORTION {
            let Some(contact) = self.imported.contacts.pop_front() else { break };
            self.contact_changed(contact);
        }
        if self.imported.contacts.is_empty() {
            self.imported = Imported::default();
        }
    }

    /// All that is left of an import: what comes now is newer.
    fn tell_imported(&mut self) {
        for contact in std::mem::take(&mut self.imported).contacts {
            self.contact_changed(contact);
        }
    }
}

fn new_contact_id() -> Result<ContactId, Failure> {
    new_id("p").map(ContactId::new)
}

/// # Errors
/// Names the field that is wrong.
fn checked(mut contact: Contact) -> Result<Contact, Failure> {
    contact.name = line("name", &contact.name, LONGEST_LINE)?;
    if contact.name.is_empty() {
        return Err(Failure::invalid("name", "a contact has a name"));
    }
    contact.organisation = line("organisation", &contact.organisation, LONGEST_LINE)?;
    if contact.note.len() > LONGEST_NOTE || contact.note.chars().any(is_no_text) {
        return Err(Failure::invalid("note", format!("note is text of at most {LONGEST_NOTE} bytes")));
    }
    if contact.addresses.len() > MAX_ADDRESSES {
        return Err(Failure::invalid("addresses", format!("{MAX_ADDRESSES} addresses are the most")));
    }
    for (place, one) in contact.addresses.iter_mut().enumerate() {
        one.label = line(&format!("addresses[{place}].label"), &one.label, LONGEST_LABEL)?;
        let field = format!("addresses[{place}].address");
        one.address = line(&field, &one.address, LONGEST_LINE)?;
        if one.address.is_empty() {
            return Err(Failure::invalid(&field, format!("{field} is empty")));
        }
        let lower = one.address.to_ascii_lowercase();
        let uri = match () {
            () if lower.starts_with("sip:") || lower.starts_with("sips:") => one.address.clone(),
            () if lower.contains('@') && !lower.starts_with("tel:") => format!("sip:{}", one.address),
            () => continue,
        };
        Uri::parse(&uri).map_err(|error| Failure::invalid(&field, format!("{:?}: {error}", one.address)))?;
    }
    Ok(contact)
}

/// A note has lines and nothing else that is no character.
fn is_no_text(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

/// A line as it is kept.
fn line(field: &str, text: &str, longest: usize) -> Result<String, Failure> {
    let text = text.trim();
    if text.len() > longest || text.chars().any(char::is_control) {
        return Err(Failure::invalid(field, format!("{field} is a single line of at most {longest} bytes")));
    }
    Ok(text.to_owned())
}

/// What a stranger's card says, made fit where that changes nothing that is called.
fn fitted(mut contact: Contact) -> Contact {
    let cut = |text: &str, longest: usize| {
        text.get(..text.floor_char_boundary(longest)).unwrap_or_default().to_owned()
    };
    contact.name = cut(&shown(&contact.name), LONGEST_LINE);
    contact.organisation = cut(&shown(&contact.organisation), LONGEST_LINE);
    contact.note.retain(|c| !is_no_text(c));
    contact.note = cut(contact.note.trim(), LONGEST_NOTE);
    contact.addresses.truncate(MAX_ADDRESSES);
    for one in &mut contact.addresses {
        one.label = cut(&shown(&one.label), LONGEST_LABEL);
    }
    contact
}
