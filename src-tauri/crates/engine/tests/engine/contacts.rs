//! People, and files full of them.

use crate::kit::{Phone, kept_in, quiet, write_settings};
use sidetone_api::{Command, Contact, ContactAddress, ContactId, FailureCode, Reply};

fn ada() -> Contact {
    Contact {
        id: ContactId::new(""),
        name: " Ada Lovelace ".into(),
        organisation: "Engines".into(),
        addresses: vec![
            ContactAddress { address: "sip:ada@example.com".into(), label: "work".into() },
            ContactAddress { address: "+44 20 7946 0001".into(), label: "mobile".into() },
        ],
        note: "one\ntwo".into(),
        favourite: true,
        watch: false,
    }
}

async fn save(phone: &Phone, contact: Contact) -> ContactId {
    match phone.ask(Command::SaveContact { contact }).await {
        Ok(Reply::Contact { contact_id }) => contact_id,
        other => panic!("{other:?}"),
    }
}

async fn import(phone: &Phone, vcard: impl Into<String>) -> (u32, u32, Vec<String>) {
    match phone.ask(Command::ImportContacts { vcard: vcard.into() }).await {
        Ok(Reply::Imported { added, changed, refused }) => (added, changed, refused),
        other => panic!("{other:?}"),
    }
}

async fn export(phone: &Phone) -> String {
    match phone.ask(Command::ExportContacts).await {
        Ok(Reply::Text { text }) => text,
        other => panic!("{other:?}"),
    }
}

fn card(lines: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}\r\nEND:VCARD\r\n")
}

#[tokio::test]
async fn contacts_are_created_replaced_removed_and_come_back_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    write_settings(dir.path(), "");
    let mut phone = Phone::with(kept_in(dir.path())).await;
    let id = save(&phone, ada()).await;
    let changed = Contact { id: id.clone(), name: "Ada King".into(), ..ada() };
    assert_eq!(save(&phone, changed.clone()).await, id);
    let other = save(&phone, ada()).await;
    phone.done(Command::RemoveContact { contact_id: other.clone() }).await;
    for command in [
        Command::RemoveContact { contact_id: other.clone() },
        Command::SaveContact { contact: Contact { id: other, ..ada() } },
    ] {
        assert_eq!(phone.ask(command).await.unwrap_err().code, FailureCode::NotFound);
    }
    phone.check().await;
    assert_eq!(phone.state().contacts.as_slice(), std::slice::from_ref(&changed));
    phone.finish().await;
    let phone = Phone::with(kept_in(dir.path())).await;
    assert_eq!(phone.state().contacts, [changed]);
    phone.finish().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_contact_is_named() {
    let phone = Phone::start(quiet()).await;
    let address = |address: &str| ContactAddress { address: address.into(), label: String::new() };
    for (field, contact) in [
        ("name", Contact { name: "  ".into(), ..ada() }),
        ("name", Contact { name: "a\nb".into(), ..ada() }),
        ("name", Contact { name: "x".repeat(1000), ..ada() }),
        ("organisation", Contact { organisation: "a\u{0}".into(), ..ada() }),
        ("note", Contact { note: "x".repeat(10_000), ..ada() }),
        ("addresses", Contact { addresses: vec![address("1"); 33], ..ada() }),
        ("addresses[1].address", Contact { addresses: vec![address("1"), address(" ")], ..ada() }),
        ("addresses[0].address", Contact { addresses: vec![address("sip:a b@c")], ..ada() }),
        ("addresses[0].address", Contact { addresses: vec![address("a@[::")], ..ada() }),
    ] {
        let failure = phone.ask(Command::SaveContact { contact }).await.unwrap_err();
        assert_eq!((failure.code, failure.field.as_deref()), (FailureCode::Invalid, Some(field)));
    }
    phone.finish().await;
}

#[tokio::test]
async fn a_card_finds_its_contact_by_uid_and_by_name_and_address() {
    let mut phone = Phone::start(quiet()).await;
    let id = save(&phone, ada()).await;
    // No UID known yet: the same name, and a number written in another way.
    let other = card("UID:u1\r\nFN:ada lovelace\r\nTEL:+44-20-79460001\r\nTEL;TYPE=HOME:555");
    assert_eq!(import(&phone, &other).await, (0, 1, vec![]));
    phone.until("the third address", |state| state.contacts.iter().any(|one| one.addresses.len() == 3)).await;
    let merged = phone.state().contacts[0].clone();
    assert_eq!((&merged.id, merged.organisation.as_str(), merged.favourite), (&id, "Engines", true));
    assert_eq!(merged.addresses[2].address, "555");
    // The UID is kept: another name and other numbers are the same person now.
    let renamed = card("UID:u1\r\nFN:Ada King\r\nTEL:777");
    assert_eq!(import(&phone, &renamed).await, (0, 1, vec![]));
    phone.until("the new name", |state| state.contacts.iter().any(|one| one.name == "Ada King")).await;
    assert_eq!(phone.state().contacts[0].id, id);
    assert_eq!(import(&phone, &renamed).await, (0, 0, vec![]), "nothing is new");
    // Two UIDs are two people, whatever they are called.
    assert_eq!(import(&phone, card("UID:u2\r\nFN:Ada King\r\nTEL:777")).await, (1, 0, vec![]));
    phone.until("two", |state| state.contacts.len() == 2).await;
    assert!(export(&phone).await.contains("UID:u1\r\n"));
    phone.finish().await;
}

#[tokio::test]
async fn what_is_exported_is_imported_elsewhere_and_changes_nothing_here() {
    let (mut one, mut two) = (Phone::start(quiet()).await, Phone::start(quiet()).await);
    save(&one, ada()).await;
    assert_eq!(import(&one, card("UID:u\\;1\r\nFN:Grace\r\nTEL;TYPE=CELL:1\r\nNOTE:x\\ny")).await.0, 1);
    one.until("both", |state| state.contacts.len() == 2).await;
    let text = export(&one).await;
    assert_eq!(import(&one, text.clone()).await, (0, 0, vec![]));
    assert_eq!(import(&two, text).await, (2, 0, vec![]));
    two.until("both", |state| state.contacts.len() == 2).await;
    let plain = |phone: &Phone| {
        let mut all = phone.state().contacts.clone();
        all.iter_mut().for_each(|contact| contact.id = ContactId::new(""));
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    };
    assert_eq!(plain(&one), plain(&two));
    one.finish().await;
    two.finish().await;
}

#[tokio::test]
async fn refused_cards_are_told_with_their_lines_up_to_a_hundred() {
    let mut phone = Phone::start(quiet()).await;
    let bad = card("FN:Nobody");
    let text = format!("{}{}", card("FN:Good\r\nTEL:1"), bad.repeat(150));
    let (added, changed, refused) = import(&phone, text).await;
    assert_eq!((added, changed, refused.len()), (1, 0, 101));
    assert_eq!(refused[0], "line 6: no telephone number and no SIP address");
    assert_eq!(refused[100], "and 50 more");
    let (_, _, refused) = import(&phone, card("FN:Bad\r\nIMPP:sip:a b@c")).await;
    assert!(refused[0].starts_with("line 1: "), "{refused:?}");
    phone.until("the good one", |state| state.contacts.len() == 1).await;
    phone.finish().await;
}

#[tokio::test]
async fn as_many_contacts_as_there_may_be_are_imported_and_no_reader_falls_behind() {
    let mut phone = Phone::start(quiet()).await;
    let text: String = (0..10_001).map(|n| card(&format!("FN:Number {n}\r\nTEL:{n}"))).collect();
    let (added, _, refused) = import(&phone, text).await;
    assert_eq!((added, refused.len()), (10_000, 1));
    assert!(refused[0].contains("10000 contacts are the most"), "{refused:?}");
    phone.until("all of them", |state| state.contacts.len() == 10_000).await;
    let failure = phone.ask(Command::SaveContact { contact: ada() }).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Limit);
    phone.finish().await;
}
