//! Files in every state, on a real disk.

use super::{Database, Page, contacts::write, open, schema};
use rusqlite::Connection;
use sidetone_api::{
    AccountId, CallDirection, CallId, CallStatus, Contact, ContactAddress, ContactId, HistoryEntry,
    NoticeLevel,
};
use std::{fs, path::Path};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn opened(folder: &Path) -> (Database, super::Opened) {
    Database::open(Some(folder), 200).unwrap()
}

/// Opened without anything to tell.
fn healthy(folder: &Path) -> Database {
    let (database, opened) = opened(folder);
    assert_eq!(opened.notices, []);
    database
}

fn entry(number: u64, name: &str) -> HistoryEntry {
    HistoryEntry {
        call_id: CallId::new(format!("c{number}")),
        account_id: AccountId::new("a"),
        direction: CallDirection::Incoming,
        remote: format!("sip:{number}@example.com"),
        remote_name: name.into(),
        status: CallStatus::Finish,
        info: "487 Request Terminated".into(),
        started_at: number,
        seconds: None,
        missed: true,
        recording: None,
    }
}

fn contact(id: &str, name: &str) -> Contact {
    let address = ContactAddress { address: "sip:x@example.com".into(), label: "work".into() };
    Contact {
        id: ContactId::new(id),
        name: name.into(),
        organisation: String::new(),
        addresses: vec![address],
        note: String::new(),
        favourite: true,
        watch: false,
    }
}

fn page(limit: u32) -> Page {
    Page { limit, ..Page::default() }
}

fn numbers(entries: &[HistoryEntry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.started_at).collect()
}

fn notice(opened: &super::Opened) -> &str {
    let [(NoticeLevel::Error, info)] = opened.notices.as_slice() else { panic!("{:?}", opened.notices) };
    info
}

#[test]
fn entries_and_contacts_come_back_as_they_were() {
    let dir = folder();
    let mut database = healthy(dir.path());
    let mut outgoing = HistoryEntry { direction: CallDirection::Outgoing, missed: false, ..entry(1, "Zoë") };
    (outgoing.seconds, outgoing.status) = (Some(7), CallStatus::Busy);
    outgoing.recording = Some("/music/a.wav".into());
    database.add_history(&outgoing).unwrap();
    database.add_history(&entry(2, "Bob")).unwrap();
    database.save_contact(&contact("p1", "Ada"), true).unwrap();
    drop(database);
    let (mut database, opened) = opened(dir.path());
    assert_eq!(opened.history, [entry(2, "Bob"), outgoing.clone()]);
    assert_eq!((opened.last_called, opened.unseen), (Some(outgoing), vec![CallId::new("c2")]));
    assert_eq!(opened.contacts, [contact("p1", "Ada")]);
    database.see_missed().unwrap();
    drop(database);
    assert_eq!(Database::open(Some(dir.path()), 200).unwrap().1.unseen, []);
}

#[test]
fn pages_lead_through_all_entries_and_none_comes_twice() {
    let mut database = healthy(folder().path());
    for number in 0..50 {
        let started_at = number / 3;
        database.add_history(&HistoryEntry { started_at, ..entry(number, "x") }).unwrap();
    }
    let (mut before, mut ids) = (None, Vec::new());
    loop {
        let entries = database.history(&Page { before, ..page(4) }).unwrap();
        let Some(last) = entries.last() else { break };
        before = Some(last.started_at);
        ids.extend(entries.into_iter().map(|entry| entry.call_id));
    }
    let expected: Vec<_> = (0..50).rev().map(|number| CallId::new(format!("c{number}"))).collect();
    assert_eq!(ids, expected);
}

#[test]
fn a_search_finds_names_and_addresses_in_any_case_and_nothing_is_a_pattern() {
    let mut database = healthy(folder().path());
    for (number, name) in ["Zoë Ö", "100 %", "a_b", "axb", "' OR 1=1 --"].into_iter().enumerate() {
        let missed = number != 3;
        database.add_history(&HistoryEntry { missed, ..entry(number as u64, name) }).unwrap();
    }
    for (search, found) in [
        ("zOË ö", vec![0]),
        ("%", vec![1]),
        ("a_b", vec![2]),
        ("axb", vec![3]),
        ("4@EXAMPLE", vec![4]),
        ("' or 1=1", vec![4]),
        ("", vec![4, 3, 2, 1, 0]),
        ("nobody", vec![]),
    ] {
        let entries = database.history(&Page { search: Some(search.into()), ..page(9) }).unwrap();
        assert_eq!(numbers(&entries), found, "{search}");
    }
    let missed = database.history(&Page { missed: true, before: Some(4), ..page(9) }).unwrap();
    assert_eq!(numbers(&missed), [2, 1, 0]);
}

#[test]
fn old_entries_go_by_time_and_by_number() {
    let mut database = healthy(folder().path());
    database.max_history = 100;
    let mut gone = Vec::new();
    for number in 0..300 {
        gone.extend(database.add_history(&entry(number, "x")).unwrap());
    }
    let left = numbers(&database.history(&page(500)).unwrap());
    assert!((100..=164).contains(&left.len()) && left.len() + gone.len() == 300, "{}", left.len());
    assert_eq!(left[0], 299);
    let old = database.drop_history_before(290).unwrap();
    assert_eq!(old.len(), left.len() - 10);
    assert_eq!(numbers(&database.history(&page(500)).unwrap()), (290..300).rev().collect::<Vec<_>>());
}

#[test]
fn a_file_of_the_first_version_is_migrated_with_its_data() {
    let dir = folder();
    let mut old = Connection::open(dir.path().join(open::FILE)).unwrap();
    schema::migrate_to(&mut old, 1).unwrap();
    assert_eq!(schema::version(&old).unwrap(), 1);
    old.execute_batch(
        "INSERT INTO history VALUES ('c1', 'a', 1, 'sip:1@example.com', 'ZOË', 'FINISH', \
         '487 Request Terminated', 1, NULL, 1, 0, NULL);",
    )
    .unwrap();
    write(&old, &contact("p1", "Ada"), Some("uid")).unwrap();
    drop(old);
    let (database, opened) = opened(dir.path());
    assert_eq!(opened.notices, []);
    assert_eq!((opened.history, opened.contacts), (vec![entry(1, "ZOË")], vec![contact("p1", "Ada")]));
    assert_eq!(schema::version(&database.connection).unwrap(), schema::newest());
    let found = database.history(&Page { search: Some("zoë".into()), ..page(9) }).unwrap();
    assert_eq!(found.len(), 1);
}

#[test]
fn a_file_from_the_future_is_refused_in_words_and_left_as_it_is() {
    let dir = folder();
    drop(healthy(dir.path()));
    let file = dir.path().join(open::FILE);
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&file).unwrap();
    let (mut database, opened) = opened(dir.path());
    let info = notice(&opened);
    let versions = format!("newer Sidetone (version 99, this one knows {})", schema::newest());
    assert!(info.contains(&versions), "{info}");
    database.add_history(&entry(1, "x")).unwrap();
    drop(database);
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_damaged_file_is_moved_aside_and_a_new_one_begins() {
    let dir = folder();
    let file = dir.path().join(open::FILE);
    let mut database = healthy(dir.path());
    for number in 0..2000 {
        database.add_history(&entry(number, "somebody")).unwrap();
    }
    database.close();
    drop(database);
    let mut torn = fs::read(&file).unwrap();
    let middle = torn.len() / 2;
    torn[middle..middle + 8192].fill(0xa5);
    for damage in [torn, b"this is no database, whatever its name says".repeat(40)] {
        fs::write(&file, &damage).unwrap();
        let (mut database, opened) = opened(dir.path());
        let info = notice(&opened);
        let aside = info.split(" is now ").nth(1).and_then(|rest| rest.split(';').next()).expect(info);
        assert!(info.contains("was damaged") && fs::read(aside).unwrap() == damage, "{info}");
        database.add_history(&entry(1, "new")).unwrap();
        drop(database);
        assert_eq!(healthy(dir.path()).history(&page(9)).unwrap().len(), 1);
    }
}

#[test]
fn an_empty_file_is_a_new_one() {
    let dir = folder();
    fs::write(dir.path().join(open::FILE), b"").unwrap();
    healthy(dir.path()).add_history(&entry(1, "x")).unwrap();
}

#[test]
fn a_full_disk_is_said_in_words_and_what_was_there_stays() {
    let dir = folder();
    let mut database = healthy(dir.path());
    database.add_history(&entry(0, "kept")).unwrap();
    let pages: u32 = database.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    // The pragma answers with what it set.
    let limit = format!("PRAGMA max_page_count = {}", pages + 2);
    database.connection.query_one(&limit, [], |row| row.get::<_, u32>(0)).unwrap();
    let failure = (1..).find_map(|number| database.add_history(&entry(number, "x")).err()).unwrap();
    assert!(
        failure.message.contains("the disk is full") && failure.message.contains(open::FILE),
        "{failure}"
    );
    let cards: String = (0..500).map(|n| format!("BEGIN:VCARD\nFN:{n}\nTEL:{n}\nEND:VCARD\n")).collect();
    let rules =
        super::Rules { fit: Ok, new_id: || Ok(ContactId::new(format!("{:?}", std::time::Instant::now()))) };
    let failure = database.import(&cards, &rules).unwrap_err();
    assert!(failure.message.contains("the disk is full"), "{failure}");
    assert_eq!(database.contacts().unwrap(), [], "all or none");
    assert_eq!(database.history(&Page { before: Some(1), ..page(9) }).unwrap(), [entry(0, "kept")]);
    database.delete_everything().unwrap();
    assert_eq!(database.history(&page(9)).unwrap(), []);
}

#[test]
fn what_a_read_only_file_holds_is_there_and_changes_stay_in_memory() {
    let dir = folder();
    let file = dir.path().join(open::FILE);
    let mut database = healthy(dir.path());
    database.add_history(&entry(1, "x")).unwrap();
    database.close();
    drop(database);
    let before = fs::read(&file).unwrap();
    let Ok((mut database, opened)) = Database::copy_of(&file, 200) else { panic!("no copy") };
    assert_eq!(opened.history, [entry(1, "x")]);
    database.add_history(&entry(2, "y")).unwrap();
    drop(database);
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn two_processes_share_a_file_and_lose_nothing() {
    let dir = folder();
    drop(healthy(dir.path()));
    let writers = [0, 1].map(|writer| {
        let path = dir.path().to_owned();
        std::thread::spawn(move || {
            let mut database = healthy(&path);
            for number in 0..200 {
                database.add_history(&entry(number * 2 + writer, "x")).unwrap();
            }
        })
    });
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(healthy(dir.path()).history(&page(500)).unwrap().len(), 400);
}

#[test]
fn a_writer_that_does_not_let_go_is_said_in_words() {
    let dir = folder();
    let mut database = healthy(dir.path());
    database.connection.busy_timeout(std::time::Duration::from_millis(20)).unwrap();
    let other = Connection::open(dir.path().join(open::FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let failure = database.add_history(&entry(1, "x")).unwrap_err();
    assert!(failure.message.contains("another program uses it"), "{failure}");
    other.execute_batch("ROLLBACK").unwrap();
    database.add_history(&entry(1, "x")).unwrap();
}

#[test]
fn deleting_everything_leaves_no_trace_in_any_file() {
    let dir = folder();
    fs::write(dir.path().join(format!("{}1", open::DAMAGED)), "Trudy Secret").unwrap();
    let mut database = healthy(dir.path());
    for number in 0..500 {
        database.add_history(&entry(number, "Trudy Secret")).unwrap();
    }
    database.save_contact(&contact("p1", "Trudy Secret"), true).unwrap();
    database.delete_everything().unwrap();
    let files: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(6).any(|six| six == b"Secret"), "{}", file.display());
        assert!(!file.display().to_string().contains("damaged"));
    }
    assert_eq!((database.history(&page(9)).unwrap(), database.contacts().unwrap()), (vec![], vec![]));
    database.add_history(&entry(1, "x")).unwrap();
}

#[test]
fn clearing_the_history_leaves_the_contacts_and_no_trace_of_the_calls() {
    let dir = folder();
    let mut database = healthy(dir.path());
    database.add_history(&entry(1, "Trudy Secret")).unwrap();
    database.save_contact(&contact("p1", "Ada"), true).unwrap();
    database.clear_history().unwrap();
    for file in fs::read_dir(dir.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|six| six == b"Secret"));
    }
    assert_eq!(database.contacts().unwrap().len(), 1);
}

/// `cargo test --release -p sidetone-engine --lib a_hundred_thousand -- --ignored --nocapture` prints the figures.
#[test]
#[ignore = "a measurement"]
fn a_hundred_thousand_entries() {
    let dir = folder();
    let mut database = healthy(dir.path());
    let time = |what: &str, work: &mut dyn FnMut(&mut Database)| {
        let begun = std::time::Instant::now();
        work(&mut database);
        eprintln!("{what}: {:.2} ms", begun.elapsed().as_secs_f64() * 1e3);
    };
    let mut time = time;
    time("100 000 additions, one by one", &mut |db| {
        for number in 0..100_000 {
            let name = format!("Somebody Number {number}");
            db.add_history(&HistoryEntry { missed: number % 5 == 0, ..entry(number, &name) }).unwrap();
        }
    });
    let find = |text: &str| Some(text.to_owned());
    for (what, page) in [
        ("newest 200", page(200)),
        ("500 in the middle", Page { before: Some(50_000), ..page(500) }),
        ("500 oldest", Page { before: Some(501), ..page(500) }),
        ("500 missed", Page { missed: true, ..page(500) }),
        ("search, found often", Page { search: find("somebody"), ..page(500) }),
        ("search, found once, oldest", Page { search: find("number 7\n"), ..page(500) }),
        ("search, found never", Page { search: find("nobody at all"), ..page(500) }),
    ] {
        time(what, &mut |db| drop(db.history(&page).unwrap()));
    }
    time("one addition", &mut |db| drop(db.add_history(&entry(200_000, "x")).unwrap()));
    time("opening again", &mut |_| drop(opened(dir.path())));
    time("delete everything", &mut |db| db.delete_everything().unwrap());
}
