use super::{answer, forbidden, ok, timed_out};
use crate::hooks::{Entry, Hook, Outbox, Outcome, Row, Seq, Task, Write};
use serde_json::json;
use std::time::{Duration, Instant};

const MIDDLE: u32 = u32::MAX / 2;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

pub(super) struct Bench {
    pub(super) outbox: Outbox,
    pub(super) now: Instant,
    wallclock: u64,
    number: u32,
    told: Vec<Task>,
}

impl Bench {
    pub(super) fn new(outbox: Outbox) -> Self {
        Self { outbox, now: Instant::now(), wallclock: 1_000, number: 0, told: Vec::new() }
    }

    fn entry(&mut self, hook: Hook, object: &str) -> Entry {
        self.number += 1;
        Entry {
            id: format!("h{}", self.number),
            hook,
            session: "s1".into(),
            object: object.into(),
            at: self.wallclock,
            body: format!("{{\"number\":{}}}", self.number).into(),
        }
    }

    pub(super) fn add(&mut self, hook: Hook, object: &str) {
        let entry = self.entry(hook, object);
        self.outbox.add(self.now, entry);
    }

    /// What goes to the backend now, by id.
    fn sent(&mut self) -> Vec<(Seq, String)> {
        let mut sent = Vec::new();
        while let Some(task) = self.outbox.poll() {
            match task {
                Task::Send { seq, id, .. } => sent.push((seq, id)),
                other => self.told.push(other),
            }
        }
        sent
    }

    pub(super) fn ids(&mut self) -> Vec<String> {
        self.sent().into_iter().map(|(_, id)| id).collect()
    }

    /// Answers all that goes out until nothing does, and gives the ids in their order.
    pub(super) fn deliver(&mut self) -> Vec<String> {
        let mut delivered = Vec::new();
        loop {
            let sent = self.sent();
            if sent.is_empty() {
                return delivered;
            }
            for (seq, id) in sent {
                delivered.push(id);
                self.outcome(seq, &ok(json!({})));
            }
        }
    }

    fn outcome(&mut self, seq: Seq, outcome: &Outcome) {
        self.outbox.on_outcome(self.now, seq, outcome, MIDDLE);
    }

    /// The one that goes out now comes to this.
    pub(super) fn one(&mut self, outcome: &Outcome) -> String {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        let (seq, id) = sent.remove(0);
        self.outcome(seq, outcome);
        id
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.wallclock += u64::try_from(time.as_millis()).unwrap();
        self.outbox.handle_timeout(self.now);
    }

    /// Sleeps until something is due, and gives for how long.
    fn sleep(&mut self) -> u64 {
        let due = self.outbox.poll_timeout().expect("something is due");
        let time = due.saturating_duration_since(self.now) + Duration::from_millis(1);
        self.pass(time);
        time.as_secs()
    }
}

fn status(number: u16) -> Outcome {
    answer(number, "", "")
}

#[test]
fn events_of_one_object_arrive_in_order_and_of_several_at_once() {
    let mut bench = Bench::new(Outbox::default());
    for object in ["c1", "c2", "c1", "c2", "c1"] {
        bench.add(Hook::CallStatusEvent, object);
    }
    let sent = bench.sent();
    assert_eq!(sent.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), ["h1", "h2"]);
    bench.outcome(sent[1].0, &ok(json!({})));
    assert_eq!(bench.ids(), ["h4"]);
    bench.outcome(sent[0].0, &ok(json!({})));
    assert_eq!(bench.deliver(), ["h3", "h5"]);
    assert_eq!(bench.outbox.view().waiting, 1, "h4 has no answer yet");
}

#[test]
fn at_most_eight_are_under_way() {
    let mut bench = Bench::new(Outbox::default());
    for object in 0..20 {
        bench.add(Hook::CallStatusEvent, &format!("c{object}"));
    }
    let sent = bench.sent();
    assert_eq!(sent.len(), 8);
    bench.outcome(sent[3].0, &ok(json!({})));
    assert_eq!(bench.ids(), ["h9"]);
}

#[test]
fn one_that_the_backend_cannot_take_now_is_tried_again_and_holds_up_its_object_alone() {
    let mut bench = Bench::new(Outbox::default());
    bench.add(Hook::CallStatusEvent, "c1");
    bench.add(Hook::CallStatusEvent, "c1");
    assert_eq!(bench.one(&status(503)), "h1");
    bench.add(Hook::CallStatusEvent, "c2");
    assert_eq!(bench.deliver(), ["h3"]);
    let mut pauses = Vec::new();
    for _ in 0..9 {
        pauses.push(bench.sleep());
        assert_eq!(bench.one(&status(429)), "h1");
    }
    assert_eq!(pauses, [1, 2, 4, 8, 15, 30, 60, 120, 300]);
    bench.sleep();
    assert_eq!(bench.deliver(), ["h1", "h2"]);
    assert_eq!(bench.outbox.view(), Default::default());
}

#[test]
fn one_that_the_backend_refuses_is_kept_as_failed_and_the_next_ones_go_on() {
    let mut bench = Bench::new(Outbox::default());
    for _ in 0..3 {
        bench.add(Hook::CallStatusEvent, "c1");
    }
    assert_eq!(bench.one(&forbidden()), "h1");
    assert_eq!(bench.one(&answer(302, "Found", "")), "h2");
    assert_eq!(bench.deliver(), ["h3"]);
    let page = bench.outbox.page(10);
    let infos: Vec<_> = page.iter().map(|event| (event.failed, event.info.as_str())).collect();
    assert_eq!(infos, [(true, "403 Forbidden"), (true, "302 Found: redirects are not followed")]);
    assert_eq!(bench.outbox.view().failed, 2);

    bench.outbox.take_writes();
    assert_eq!(bench.outbox.send_again(bench.now, Some("h2")), 1);
    assert_eq!(bench.outbox.take_writes(), [Write::Again("h2".into())]);
    let Some(Task::Read { seq, id }) = bench.outbox.poll() else { panic!("its body is on disk") };
    assert_eq!(id, "h2");
    bench.outbox.on_read(bench.now, seq, Some("{}".into()));
    assert_eq!(bench.deliver(), ["h2"]);
    assert_eq!(bench.outbox.forget_failed(None), 1);
    assert_eq!(bench.outbox.view(), Default::default());
    assert_eq!(bench.outbox.send_again(bench.now, Some("h2")), 0);
}

#[test]
fn a_silent_backend_is_asked_by_one_event_now_and_then_and_gets_all_when_it_is_back() {
    let mut bench = Bench::new(Outbox::default());
    for object in 0..10 {
        bench.add(Hook::CallStatusEvent, &format!("c{object}"));
        bench.add(Hook::CallStatusEvent, &format!("c{object}"));
    }
    for (seq, _) in bench.sent() {
        bench.outcome(seq, &timed_out());
    }
    assert_eq!(bench.ids(), Vec::<String>::new());
    let mut pauses = Vec::new();
    for _ in 0..7 {
        pauses.push(bench.sleep());
        bench.add(Hook::CallStatusEvent, "another");
        bench.one(&timed_out());
    }
    assert_eq!(pauses, [1, 2, 4, 8, 15, 30, 30]);
    assert_eq!(bench.outbox.view().waiting, 27);
    assert!(bench.outbox.view().problem.is_some_and(|problem| problem.contains("did not answer")));
    bench.sleep();
    let delivered = bench.deliver();
    assert_eq!(delivered.len(), 27);
    for object in 0..10 {
        let place = |number: i32| delivered.iter().position(|id| *id == format!("h{number}"));
        assert!(place(2 * object + 1) < place(2 * object + 2), "in order: {delivered:?}");
    }
}

#[test]
fn a_handler_that_hangs_holds_up_no_other_hook() {
    let mut bench = Bench::new(Outbox::default());
    for round in 0..200 {
        for object in 0..3 {
            bench.add(Hook::CallStatusEvent, &format!("c{round}-{object}"));
        }
        bench.add(Hook::StreamStatusEvent, &format!("st{round}"));
        let mut answered = 0;
        for (seq, id) in bench.sent() {
            let number: u32 = id[1..].parse().unwrap();
            let hangs = !number.is_multiple_of(4);
            answered += usize::from(!hangs);
            bench.outcome(seq, &if hangs { timed_out() } else { ok(json!({})) });
        }
        assert_eq!(answered, 1, "at once in round {round}");
        bench.sleep();
    }
    assert_eq!(bench.outbox.view().waiting, 600);
}

#[test]
fn one_that_its_handler_never_answers_holds_up_its_object_alone() {
    let mut bench = Bench::new(Outbox::default());
    bench.add(Hook::CallStatusEvent, "c1");
    bench.add(Hook::CallStatusEvent, "c1");
    for round in 0..100 {
        bench.add(Hook::CallStatusEvent, &format!("other {round}"));
        let (mut answered, mut slept) = (false, 0);
        while !answered {
            for (seq, id) in bench.sent() {
                let hangs = id == "h1";
                answered |= !hangs;
                bench.outcome(seq, &if hangs { timed_out() } else { ok(json!({})) });
            }
            if !answered {
                slept += bench.sleep();
            }
        }
        assert!(slept <= 2, "{slept} s in round {round}");
        bench.pass(Duration::from_secs(7));
    }
    assert_eq!(bench.outbox.hooks_of("c1").len(), 2, "in order");
    assert_eq!(bench.outbox.view().waiting, 2);
}

#[test]
fn what_is_refused_for_want_of_the_right_secret_waits_for_it() {
    let mut bench = Bench::new(Outbox::default());
    bench.outbox.hold(bench.now, true);
    bench.add(Hook::CallStatusEvent, "c1");
    bench.add(Hook::CallStatusEvent, "c1");
    bench.outbox.try_now(bench.now);
    assert_eq!(bench.ids(), Vec::<String>::new(), "none goes out without");
    assert!(bench.outbox.view().problem.is_some_and(|problem| problem.contains("secret")));
    assert_eq!((bench.outbox.poll_timeout(), bench.outbox.is_at_rest()), (None, true));
    bench.outbox.hold(bench.now, false);
    assert_eq!(bench.one(&status(401)), "h1");
    assert_eq!(bench.outbox.view().failed, 0);
    bench.outbox.try_now(bench.now);
    assert_eq!(bench.deliver(), ["h1", "h2"]);
}

#[test]
fn a_streams_sign_of_life_replaces_those_that_wait() {
    let mut bench = Bench::new(Outbox::default());
    bench.add(Hook::StreamStatusEvent, "st1");
    for _ in 0..5 {
        bench.add(Hook::StreamKeepAliveEvent, "st1");
    }
    assert_eq!(bench.outbox.hooks_of("st1"), [Hook::StreamStatusEvent, Hook::StreamKeepAliveEvent]);
    assert_eq!(bench.deliver(), ["h1", "h6"]);
    bench.add(Hook::StreamKeepAliveEvent, "st1");
    bench.one(&forbidden());
    assert_eq!(bench.outbox.view(), Default::default(), "nobody would send it again");
}

#[test]
fn past_the_limit_signs_of_life_go_statuses_stay_and_an_alarm_is_raised_once() {
    let mut bench = Bench::new(Outbox::default().limited_to(10));
    bench.add(Hook::ConnectionStatusEvent, "s1");
    bench.add(Hook::CallStatusEvent, "c99");
    bench.add(Hook::StreamKeepAliveEvent, "st0");
    for (seq, _) in bench.sent() {
        bench.outcome(seq, &timed_out());
    }
    for object in 0..5 {
        bench.add(Hook::StreamKeepAliveEvent, &format!("st{object}"));
    }
    for object in 0..20 {
        bench.add(Hook::CallStatusEvent, &format!("c{object}"));
    }
    bench.add(Hook::StreamKeepAliveEvent, "st9");
    bench.sent();
    let view = bench.outbox.view();
    assert_eq!(view.waiting, 22, "all statuses, and nothing else");
    assert!(view.problem.is_some_and(|problem| problem.starts_with("more than 10 events")));
    let alarms = bench.told.iter().filter(|task| matches!(task, Task::Alarm(_))).count();
    assert_eq!(alarms, 1);
    bench.sleep();
    assert_eq!(bench.deliver().len(), 22);
    assert_eq!(bench.outbox.view(), Default::default());
}

#[test]
fn what_waits_for_a_week_has_failed_and_is_forgotten_a_month_after_it_happened() {
    let mut bench = Bench::new(Outbox::default());
    bench.add(Hook::CallStatusEvent, "c1");
    bench.one(&timed_out());
    bench.pass(Duration::from_millis(7 * DAY_MS + 1));
    bench.one(&timed_out());
    let view = bench.outbox.view();
    assert_eq!((view.waiting, view.failed), (0, 1));
    assert!(bench.outbox.page(1)[0].info.contains("too long"));
    bench.outbox.prune(bench.now);
    assert_eq!(bench.outbox.view().failed, 1);
    bench.pass(Duration::from_millis(24 * DAY_MS));
    bench.outbox.prune(bench.now);
    assert_eq!(bench.outbox.view().failed, 0);
}

#[test]
fn what_the_disk_has_not_taken_is_told_again_and_sent_from_memory() {
    let mut bench = Bench::new(Outbox::default().keeping(0));
    bench.add(Hook::CallStatusEvent, "c1");
    bench.add(Hook::CallStatusEvent, "c1");
    let first = bench.sent();
    let writes = bench.outbox.take_writes();
    assert!(matches!(writes.as_slice(), [Write::Add(_), Write::Add(_)]), "{writes:?}");
    bench.outcome(first[0].0, &ok(json!({})));
    let read = std::iter::from_fn(|| bench.outbox.poll()).find(|task| matches!(task, Task::Read { .. }));
    let Some(Task::Read { seq, .. }) = read else { panic!("its body is on disk") };
    bench.outbox.put_back(writes);
    bench.outbox.on_read(bench.now, seq, None);
    assert_eq!(bench.deliver(), ["h2"]);
    assert_eq!(bench.outbox.take_writes(), [], "the disk need not hear of what has come and gone");
}

#[test]
fn a_full_disk_costs_nothing_for_what_was_delivered() {
    let mut bench = Bench::new(Outbox::default());
    for round in 0..1_000 {
        bench.add(Hook::CallStatusEvent, &format!("c{round}"));
        let writes = bench.outbox.take_writes();
        bench.deliver();
        bench.outbox.put_back(writes);
        bench.add(Hook::CallStatusEvent, "c1");
        bench.deliver();
        assert!(!bench.outbox.has_writes(), "round {round}");
    }
    bench.add(Hook::CallStatusEvent, "c1");
    bench.one(&forbidden());
    bench.outbox.forget_failed(None);
    assert!(!bench.outbox.has_writes(), "nor for what has failed and was forgotten");
}

#[test]
fn of_those_that_failed_the_oldest_go_where_there_are_too_many_and_it_is_said_once() {
    let mut bench = Bench::new(Outbox::default().keeping_failed(10));
    for object in 0..50 {
        bench.add(Hook::CallStatusEvent, &format!("c{object}"));
        bench.one(&status(404));
    }
    bench.sent();
    assert_eq!(bench.outbox.view().failed, 10);
    assert_eq!(bench.outbox.page(1)[0].id, "h41");
    let alarms = bench.told.iter().filter(|task| matches!(task, Task::Alarm(_))).count();
    assert_eq!(alarms, 1);
}

#[test]
fn a_clock_that_is_set_ages_nothing() {
    let row = |id: &str, failed| Row {
        id: id.into(),
        hook: Hook::CallStatusEvent,
        session: "s1".into(),
        object: id.into(),
        at: 5,
        bytes: 2,
        attempts: 3,
        failed,
        info: String::new(),
    };
    let now = Instant::now();
    let rows = vec![row("waits", false), row("failed", true)];
    let mut bench = Bench::new(Outbox::new(now, 1_800_000_000_000, rows));
    bench.now = now;
    bench.outbox.try_now(now);
    let Some(Task::Read { seq, .. }) = bench.outbox.poll() else { panic!("nothing is read") };
    bench.outbox.on_read(bench.now, seq, Some("{}".into()));
    bench.one(&timed_out());
    bench.outbox.prune(bench.now);
    assert_eq!((bench.outbox.view().waiting, bench.outbox.view().failed), (1, 1));
}

#[test]
fn an_earlier_runs_events_come_first() {
    let row = |id: &str, failed| Row {
        id: id.into(),
        hook: Hook::CallStatusEvent,
        session: "s1".into(),
        object: "c1".into(),
        at: 5,
        bytes: 2,
        attempts: 3,
        failed,
        info: String::new(),
    };
    let mut bench =
        Bench::new(Outbox::new(Instant::now(), 1_000, vec![row("old1", true), row("old2", false)]));
    bench.add(Hook::CallStatusEvent, "c1");
    let Some(Task::Read { seq, id }) = bench.outbox.poll() else { panic!("nothing is read") };
    assert_eq!(id, "old2");
    bench.outbox.on_read(bench.now, seq, Some("{}".into()));
    assert_eq!(bench.deliver(), ["old2", "h1"]);
    assert_eq!(bench.outbox.view().failed, 1);
    bench.add(Hook::CallStatusEvent, "c1");
    bench.outbox.send_again(bench.now, None);
    bench.add(Hook::CallStatusEvent, "c1");
    bench.ids();
    assert_eq!(bench.outbox.hooks_of("c1").len(), 3);
}

#[test]
fn one_sent_again_comes_before_what_has_happened_since_but_not_into_what_is_under_way() {
    let mut bench = Bench::new(Outbox::default());
    for _ in 0..3 {
        bench.add(Hook::CallStatusEvent, "c1");
    }
    bench.outbox.take_writes();
    bench.one(&forbidden());
    let under_way = bench.sent();
    assert_eq!(under_way[0].1, "h2");
    bench.outbox.send_again(bench.now, None);
    assert_eq!(bench.ids(), Vec::<String>::new());
    bench.outcome(under_way[0].0, &ok(json!({})));
    let Some(Task::Read { seq, id }) =
        std::iter::from_fn(|| bench.outbox.poll()).find(|task| matches!(task, Task::Read { .. }))
    else {
        panic!("nothing is read")
    };
    assert_eq!(id, "h1");
    bench.outbox.on_read(bench.now, seq, Some("{}".into()));
    assert_eq!(bench.deliver(), ["h1", "h3"]);
}
