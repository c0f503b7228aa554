//! What pages may take of what everybody shares.

use super::{answer, config, forbidden, gates, ok, outbox};
use crate::hooks::{Hook, Outbox, Question, Verdict};
use serde_json::json;

fn ask_of_page(bench: &mut gates::Bench, number: usize) -> crate::hooks::GateId {
    let question = Question {
        hook: Hook::PublishStream,
        session: format!("page {}", number / 64),
        object: format!("m{number}"),
        fields: crate::hooks::Fields::new(),
        is_called: true,
        of_page: true,
    };
    bench.gates.ask(bench.now, question)
}

/// However many sessions and streams it has.
#[test]
fn questions_of_pages_leave_room_for_those_of_others() {
    let mut bench = gates::Bench::new(config(json!({ "publishStream": { "restOnError": "FAIL" } })));
    let first = ask_of_page(&mut bench, 0);
    for number in 1..768 {
        ask_of_page(&mut bench, number);
    }
    assert_eq!(bench.sent().len(), 48);
    let refused = ask_of_page(&mut bench, 768);
    let decided = bench.decided();
    assert!(matches!(&decided[..], [(gate, Verdict::Refused { .. })] if *gate == refused), "{decided:?}");
    // At once, before those that wait.
    let call = bench.ask(Hook::Call, "c0");
    assert_eq!(bench.sent().len(), 1);
    for number in 1..16 {
        bench.ask(Hook::Call, &format!("c{number}"));
        assert_eq!(bench.sent().len(), 1, "{number}");
    }
    bench.ask(Hook::Call, "c16");
    assert_eq!(bench.sent().len(), 0, "64 are under way");
    // Each has its own places.
    for (answered, next) in [(first, Hook::PublishStream), (call, Hook::Call)] {
        bench.gates.on_outcome(bench.now, answered, &ok(json!({})));
        let sent = bench.sent();
        assert_eq!(sent.iter().map(|(_, hook, _)| *hook).collect::<Vec<_>>(), [next]);
    }
    for number in 17..256 {
        bench.ask(Hook::Call, &format!("c{number}"));
    }
    assert!(bench.decided().is_empty(), "they wait");
}

#[test]
fn lines_of_logs_go_one_by_one_beside_events_and_wait_for_each_session_once() {
    let mut bench = outbox::Bench::new(Outbox::default());
    for session in 0..64 {
        let object = format!("logs of s{session}");
        assert!(bench.outbox.has_room_for_logs(&object));
        bench.add(Hook::PushLogs, &object);
        assert!(!bench.outbox.has_room_for_logs(&object));
    }
    assert!(!bench.outbox.has_room_for_logs("logs of s64"), "so many in all");
    bench.add(Hook::CallStatusEvent, "c1");
    assert_eq!(bench.ids(), ["h1", "h65"]);
}

/// Nobody would send them again.
#[test]
fn lines_of_logs_that_are_refused_are_gone_and_make_room() {
    let mut bench = outbox::Bench::new(Outbox::default());
    for object in ["logs of s1", "logs of s2"] {
        bench.add(Hook::PushLogs, object);
    }
    assert_eq!(bench.one(&answer(404, "Not Found", "")), "h1");
    assert!(bench.outbox.has_room_for_logs("logs of s1"));
    assert_eq!(bench.one(&forbidden()), "h2");
    let view = bench.outbox.view();
    assert_eq!((view.waiting, view.failed), (0, 0));
}
