use super::{answer, config, failing, fields, forbidden, ok, timed_out};
use crate::hooks::{Config, Fields, GateId, Gates, Hook, Outcome, Output, Question, Trouble, Verdict};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(2);

pub(super) struct Bench {
    pub(super) gates: Gates,
    start: Instant,
    pub(super) now: Instant,
}

impl Bench {
    pub(super) fn new(config: Config) -> Self {
        let now = Instant::now();
        Self { gates: Gates::new(LIMIT, config), start: now, now }
    }

    pub(super) fn ask(&mut self, hook: Hook, object: &str) -> GateId {
        self.ask_with(hook, object, json!({"callId": object, "sdp": "v=0", "callee": "bob"}))
    }

    fn ask_with(&mut self, hook: Hook, object: &str, body: Value) -> GateId {
        let question = Question {
            hook,
            session: "s1".into(),
            object: object.into(),
            fields: fields(body),
            is_called: true,
            of_page: false,
        };
        self.gates.ask(self.now, question)
    }

    /// What goes to the backend now; everything else is left out.
    pub(super) fn sent(&mut self) -> Vec<(GateId, Hook, Fields)> {
        let outputs = std::iter::from_fn(|| self.gates.poll());
        let sent = outputs.filter_map(|output| match output {
            Output::Send { gate, hook, fields, limit } => {
                assert!(limit <= LIMIT);
                Some((gate, hook, fields))
            }
            _ => None,
        });
        sent.collect()
    }

    pub(super) fn decided(&mut self) -> Vec<(GateId, Verdict)> {
        let outputs = std::iter::from_fn(|| self.gates.poll());
        let decided = outputs.filter_map(|output| match output {
            Output::Decided { gate, verdict } => Some((gate, verdict)),
            _ => None,
        });
        decided.collect()
    }

    /// Asks, answers, and gives the verdict.
    fn verdict(&mut self, hook: Hook, outcome: &Outcome) -> Verdict {
        let gate = self.ask(hook, "c1");
        assert_eq!(self.sent().len(), 1, "{hook} goes out");
        self.gates.on_outcome(self.now, gate, outcome);
        self.decided().pop().expect("a verdict").1
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.gates.handle_timeout(self.now);
    }

    fn connect(&mut self, body: Value) {
        let gate = self.ask(Hook::Connect, "s1");
        self.sent();
        self.gates.on_outcome(self.now, gate, &ok(body));
        self.decided();
    }
}

fn go() -> Verdict {
    Verdict::Go(Fields::new())
}

fn refused(info: &str) -> Verdict {
    Verdict::Refused { info: info.into() }
}

/// Every direct and incoming hook, and connect.
fn gates() -> impl Iterator<Item = Hook> {
    use crate::hooks::hook::Kind;
    Hook::ALL.iter().copied().filter(|hook| matches!(hook.kind(), Kind::Direct | Kind::Incoming))
}

#[test]
fn under_log_whatever_goes_wrong_lets_it_go_on() {
    for hook in gates() {
        for outcome in [forbidden(), answer(500, "Internal Server Error", ""), timed_out()] {
            assert_eq!(Bench::new(Config::default()).verdict(hook, &outcome), go(), "{hook}");
        }
    }
}

#[test]
fn under_fail_a_refusal_a_time_out_and_nobody_refuse_with_their_reason() {
    for hook in gates() {
        let mut bench = Bench::new(failing(hook.name()));
        assert_eq!(bench.verdict(hook, &forbidden()), refused("Forbidden"), "{hook}");
        let told = answer(403, "Forbidden", r#"{"status":403,"reason":"not before nine"}"#);
        assert_eq!(bench.verdict(hook, &told), refused("not before nine"));
        let more = answer(403, "Forbidden", r#"{"status":403,"reason":"x","more":1}"#);
        assert_eq!(bench.verdict(hook, &more), refused("Forbidden"));
        assert_eq!(bench.verdict(hook, &answer(204, "No Content", "")), refused("No Content"));
        assert_eq!(bench.verdict(hook, &answer(302, "Found", "")), refused("Found"));
        assert_eq!(bench.verdict(hook, &timed_out()), refused("the backend did not answer in time"));
        let nobody = Err(Trouble::Unreachable("nobody listens there".into()));
        assert_eq!(bench.verdict(hook, &nobody), refused("nobody listens there"));
        let huge = Err(Trouble::Unusable("the backend's answer is longer than 256 kB".into()));
        assert_eq!(bench.verdict(hook, &huge), refused("the backend's answer is longer than 256 kB"));
        assert_eq!(bench.verdict(hook, &answer(200, "OK", "no JSON")), go());
    }
}

#[test]
fn a_connect_that_is_not_answered_200_is_refused_whatever_the_policy() {
    for config in
        [Config::default(), failing("connect"), config(json!({"connect": {"restPolicy": "DISABLE"}}))]
    {
        let mut bench = Bench::new(config);
        assert_eq!(bench.verdict(Hook::Connect, &forbidden()), refused("Forbidden"));
        assert_eq!(bench.verdict(Hook::Connect, &timed_out()), refused("the backend did not answer in time"));
    }
}

#[test]
fn the_answer_to_connect_counts_whole_and_says_what_counts_later() {
    let mut bench = Bench::new(Config::default());
    let gate = bench.ask(Hook::Connect, "s1");
    let config = json!({
        "sipLogin": "1001",
        "restClientConfig": {
            "call": {"restOnError": "FAIL", "restPolicy": "OVERWRITE", "restOverwrite": "callee, visibleName",
                     "restExclude": "sdp", "clientExclude": "callee"},
            "nonsense": {"restOnError": "FAIL"},
            "hold": "no object",
            "answer": {"restPolicy": "DISABLED"},
        },
    });
    bench.gates.on_outcome(bench.now, gate, &ok(config));
    let Some((_, Verdict::Go(answered))) = bench.decided().pop() else { panic!("refused") };
    assert_eq!(answered["sipLogin"], "1001");

    let call = bench.ask(Hook::Call, "c1");
    let (_, hook, sent) = bench.sent().pop().expect("a question");
    assert_eq!((hook, sent.contains_key("sdp")), (Hook::Call, false));
    bench.gates.on_outcome(bench.now, call, &ok(json!({"callee": "eve", "caller": "mallory"})));
    let overwritten = fields(json!({"callee": "eve"}));
    assert_eq!(bench.decided(), [(call, Verdict::Go(overwritten))]);
    assert!(bench.gates.config("s1").policy(Hook::Call).hides("callee"));

    assert_eq!(bench.verdict(Hook::Call, &forbidden()), refused("Forbidden"));
    let answer = bench.ask(Hook::Answer, "c1");
    assert_eq!(bench.decided(), [(answer, go())], "not called at all");
    assert_eq!(bench.verdict(Hook::Hold, &forbidden()), go());
    assert_eq!(bench.gates.config("another").policy(Hook::Call), Default::default());
}

#[test]
fn without_overwrite_the_fields_of_an_answer_do_not_count() {
    let mut bench = Bench::new(config(json!({"call": {"restOverwrite": "callee"}})));
    assert_eq!(bench.verdict(Hook::Call, &ok(json!({"callee": "eve"}))), go());
}

#[test]
fn a_gate_waits_for_its_time_and_not_longer() {
    let mut bench = Bench::new(failing("call"));
    let gate = bench.ask(Hook::Call, "c1");
    bench.sent();
    assert_eq!(bench.gates.poll_timeout(), Some(bench.start + LIMIT));
    bench.pass(LIMIT - Duration::from_millis(1));
    assert_eq!(bench.decided(), []);
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.decided(), [(gate, refused("the backend did not answer in time"))]);
    bench.gates.on_outcome(bench.now, gate, &ok(json!({})));
    assert_eq!(bench.decided(), [], "who comes too late decides nothing");
}

#[test]
fn what_is_asked_about_one_object_is_asked_one_after_the_other() {
    let mut bench = Bench::new(Config::default());
    let first = bench.ask_with(Hook::SendDtmf, "c1", json!({"dtmf": "1"}));
    let second = bench.ask_with(Hook::SendDtmf, "c1", json!({"dtmf": "2"}));
    let other = bench.ask(Hook::Hold, "c2");
    let sent: Vec<_> = bench.sent().into_iter().map(|(gate, ..)| gate).collect();
    assert_eq!(sent, [first, other]);
    assert!(bench.gates.is_asking("c1", Hook::SendDtmf) && !bench.gates.is_asking("c1", Hook::Hold));
    bench.pass(Duration::from_secs(1));
    bench.gates.on_outcome(bench.now, first, &ok(json!({})));
    let (gate, _, fields) = bench.sent().pop().expect("its turn");
    assert_eq!((gate, fields["dtmf"].as_str()), (second, Some("2")));
    bench.pass(Duration::from_secs(1));
    let late: Vec<_> = bench.decided().into_iter().map(|(gate, _)| gate).collect();
    assert_eq!(late, [second, other], "who waited for another one has waited");
}

#[test]
fn what_belongs_to_a_session_waits_until_it_is_connected() {
    let mut bench = Bench::new(Config::default());
    let connect = bench.ask(Hook::Connect, "s1");
    let call = bench.ask(Hook::Call, "c1");
    assert_eq!(bench.sent().len(), 1);
    let fail = json!({"restClientConfig": {"call": {"restOnError": "FAIL"}}});
    bench.gates.on_outcome(bench.now, connect, &ok(fail));
    assert_eq!(bench.sent().len(), 1);
    bench.gates.on_outcome(bench.now, call, &forbidden());
    assert_eq!(bench.decided(), [(call, refused("Forbidden"))]);
}

#[test]
fn after_three_silences_nobody_waits_until_a_probe_is_answered() {
    let mut bench = Bench::new(failing("call"));
    for number in 0..3 {
        bench.ask(Hook::Call, &format!("c{number}"));
        assert_eq!(bench.sent().len(), 1);
        bench.pass(LIMIT);
    }
    bench.decided();
    let gate = bench.ask(Hook::Call, "c4");
    assert_eq!(bench.decided(), [(gate, refused("the backend does not answer"))], "at once");
    let gate = bench.ask(Hook::Hold, "c4");
    assert_eq!(bench.decided(), [(gate, go())], "by its own policy");

    let probes = |bench: &mut Bench| {
        std::iter::from_fn(|| bench.gates.poll()).filter(|it| matches!(it, Output::Probe { .. })).count()
    };
    bench.pass(Duration::from_secs(5));
    assert_eq!(probes(&mut bench), 1);
    bench.pass(Duration::from_secs(60));
    assert_eq!(probes(&mut bench), 0, "one at a time");
    bench.gates.on_probe(bench.now, false);
    bench.pass(Duration::from_secs(5));
    assert_eq!(probes(&mut bench), 1);
    bench.gates.on_probe(bench.now, true);
    bench.ask(Hook::Call, "c5");
    assert_eq!(bench.sent().len(), 1, "the backend is asked again");
    bench.pass(LIMIT);
    bench.decided();
    let gate = bench.ask(Hook::Call, "c6");
    assert_eq!(
        bench.decided(),
        [(gate, refused("the backend does not answer"))],
        "one silence is enough now"
    );
}

#[test]
fn an_answer_of_any_kind_ends_a_row_of_silences() {
    let mut bench = Bench::new(Config::default());
    for _ in 0..3 {
        for outcome in [timed_out(), timed_out(), answer(500, "Internal Server Error", "")] {
            bench.verdict(Hook::Call, &outcome);
        }
    }
}

#[test]
fn in_a_crowd_each_has_its_turn_or_is_decided_by_the_policy_in_time() {
    let mut bench = Bench::new(failing("call"));
    for number in 0..100 {
        bench.ask(Hook::Call, &format!("c{number}"));
    }
    let sent = bench.sent();
    assert_eq!(sent.len(), 64);
    for (gate, ..) in &sent[..10] {
        bench.gates.on_outcome(bench.now, *gate, &ok(json!({})));
    }
    assert_eq!(bench.sent().len(), 10, "there is room again");
    bench.pass(LIMIT);
    let late = refused("the backend did not answer in time");
    assert_eq!(bench.decided().into_iter().filter(|(_, verdict)| *verdict == late).count(), 90);
    assert_eq!(bench.gates.poll_timeout(), Some(bench.now + Duration::from_secs(5)), "but the probe");
}

#[test]
fn what_has_too_many_questions_waits_for_itself_alone() {
    let mut bench = Bench::new(Config::default());
    for _ in 0..5_000 {
        bench.ask(Hook::SendDtmf, "c1");
    }
    assert!(bench.gates.is_full("c1") && !bench.gates.is_full("c2"));
    let decided = bench.decided();
    assert_eq!(decided.len(), 5_000 - 16);
    assert!(decided.iter().all(|(_, it)| *it == refused("too many questions wait for the backend")));
    bench.ask(Hook::Call, "c2");
    assert_eq!(bench.sent().len(), 1);
    for number in 0..1_000 {
        bench.ask(Hook::OnDataEvent, &format!("data of {}", number % 100));
    }
    assert_eq!(bench.decided().len(), 1_000 - 512, "messages alone do not take all places");
    let gate = bench.ask(Hook::Call, "c3");
    bench.pass(LIMIT);
    assert!(bench.decided().contains(&(gate, go())));
}

#[test]
fn while_the_secret_is_awaited_nothing_goes_out_and_nobody_waits_longer_than_otherwise() {
    let mut bench = Bench::new(failing("answer"));
    bench.gates.hold(bench.now, true);
    let connect = bench.ask(Hook::Connect, "s1");
    let call = bench.ask(Hook::Call, "c1");
    bench.pass(Duration::from_secs(1));
    let mut early = Vec::new();
    for number in 0..100 {
        early.push(bench.ask(Hook::Answer, &format!("c{number}")));
    }
    assert_eq!(bench.sent().len(), 0);
    bench.pass(Duration::from_secs(1));
    let decided = bench.decided();
    let late = refused("the backend did not answer in time");
    assert_eq!(decided, [(connect, late.clone()), (call, go())]);
    bench.gates.hold(bench.now, false);
    assert_eq!(bench.sent().len(), 64, "no more at once than otherwise");
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.decided().into_iter().filter(|(_, it)| *it == late).count(), 100);
}

#[test]
fn a_session_that_has_yet_to_ask_is_not_passed_by_what_belongs_to_it() {
    let mut bench = Bench::new(Config::default());
    bench.gates.await_connect("s1");
    let call = bench.ask(Hook::Call, "c1");
    bench.pass(LIMIT);
    assert_eq!(bench.decided(), [(call, refused("the backend has yet to decide on the session"))]);
    let call = bench.ask(Hook::Call, "c2");
    let connect = bench.ask(Hook::Connect, "s1");
    bench.gates.connects(bench.now, "s1");
    assert_eq!(bench.sent().into_iter().map(|(gate, ..)| gate).collect::<Vec<_>>(), [connect]);
    bench.gates.on_outcome(bench.now, connect, &ok(json!({})));
    assert_eq!(bench.sent().into_iter().map(|(gate, ..)| gate).collect::<Vec<_>>(), [call]);
}

#[test]
fn what_is_wanted_no_more_is_decided_by_nobody_and_makes_room() {
    let mut bench = Bench::new(failing("hold"));
    let hold = bench.ask(Hook::Hold, "c1");
    let transfer = bench.ask(Hook::Transfer, "c1");
    assert_eq!(bench.sent().len(), 1);
    assert_eq!(bench.gates.withdraw(bench.now, "c1", Hook::Hold), [hold]);
    assert!(!bench.gates.is_asking("c1", Hook::Hold));
    assert_eq!(bench.sent().into_iter().map(|(gate, ..)| gate).collect::<Vec<_>>(), [transfer]);
    bench.gates.on_outcome(bench.now, hold, &forbidden());
    bench.gates.on_outcome(bench.now, transfer, &ok(json!({})));
    assert_eq!(bench.decided(), [(transfer, go())]);
    // Also the one that was to tell whether anybody answers: it tells.
    for number in 0..3 {
        bench.ask(Hook::Hold, &format!("c{number}"));
    }
    bench.pass(LIMIT);
    bench.pass(Duration::from_secs(5));
    bench.gates.on_probe(bench.now, true);
    let trial = bench.ask(Hook::Hold, "c1");
    bench.gates.withdraw(bench.now, "c1", Hook::Hold);
    bench.decided();
    bench.gates.on_outcome(bench.now, trial, &forbidden());
    bench.ask(Hook::Hold, "c1");
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn where_only_probes_are_answered_one_waits_at_a_time() {
    let mut bench = Bench::new(failing("call"));
    for number in 0..3 {
        bench.ask(Hook::Call, &format!("c{number}"));
    }
    bench.pass(LIMIT);
    bench.sent();
    for _ in 0..10 {
        bench.pass(Duration::from_secs(5));
        bench.gates.on_probe(bench.now, true);
        for number in 0..64 {
            bench.ask(Hook::Call, &format!("c{number}"));
        }
        let outputs: Vec<_> = std::iter::from_fn(|| bench.gates.poll()).collect();
        let sent = outputs.iter().filter(|output| matches!(output, Output::Send { .. })).count();
        let decided = outputs.iter().filter(|output| matches!(output, Output::Decided { .. })).count();
        assert_eq!((sent, decided), (1, 63));
        bench.gates.on_probe(bench.now, true);
        bench.ask(Hook::Call, "c65");
        assert_eq!(bench.sent().len(), 0, "not before it is answered");
        bench.pass(LIMIT);
        bench.decided();
    }
    bench.pass(Duration::from_secs(5));
    bench.gates.on_probe(bench.now, true);
    let gate = bench.ask(Hook::Call, "c1");
    bench.sent();
    bench.gates.on_outcome(bench.now, gate, &forbidden());
    assert!(std::iter::from_fn(|| bench.gates.poll()).any(|output| output == Output::Back));
    for number in 0..64 {
        bench.ask(Hook::Call, &format!("c{number}"));
    }
    assert_eq!(bench.sent().len(), 64);
}

#[test]
fn where_probes_alone_are_never_answered_a_question_finds_out() {
    let mut bench = Bench::new(failing("call"));
    for number in 0..3 {
        bench.ask(Hook::Call, &format!("c{number}"));
    }
    bench.sent();
    bench.pass(LIMIT);
    let mut tried = Vec::new();
    for second in 0..130 {
        bench.ask(Hook::Call, &format!("c{second}"));
        while let Some(output) = bench.gates.poll() {
            match output {
                Output::Probe { .. } => bench.gates.on_probe(bench.now, false),
                Output::Send { .. } => tried.push(second),
                _ => {}
            }
        }
        bench.pass(Duration::from_secs(1));
    }
    assert_eq!(tried.len(), 2, "{tried:?}");
}

#[test]
fn another_backend_has_said_nothing_yet() {
    let mut bench = Bench::new(Config::default());
    bench.connect(json!({"restClientConfig": {"call": {"restOnError": "FAIL"}}}));
    bench.gates.set(LIMIT, Config::default(), true);
    assert_eq!(bench.verdict(Hook::Call, &forbidden()), refused("Forbidden"));
    bench.gates.set(LIMIT, Config::default(), false);
    assert_eq!(bench.verdict(Hook::Call, &forbidden()), go());
}
