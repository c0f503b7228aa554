//! Who is let through, who is sent elsewhere, and what calls say of us.

use crate::{
    kit::{Phone, quiet, unregistered},
    peer::{Peer, sdp},
};
use sidetone_api::CallStatus::{Established, Finish, Ring};
use sidetone_api::{
    Account, CallId, CallSettings, Command, DialRule, Event, Failure, Reply, Settings, SettingsChange,
    SipHeader,
};
use sidetone_sip::message::{HeaderName, Headers};

/// A phone at an address, with this account and these settings.
async fn phone(account: impl FnOnce(&mut Account), calls: impl FnOnce(&mut CallSettings)) -> Phone {
    let mut settings = quiet();
    settings.network.sip_port = sidetone_testkit::free_port(crate::kit::LOOPBACK).unwrap();
    let mut alice = unregistered("alice");
    account(&mut alice);
    calls(&mut settings.calls);
    settings.accounts.push(alice);
    Phone::start(settings).await
}

fn alice(phone: &Phone) -> String {
    format!("sip:alice@{}", phone.address())
}

async fn ends_with(peer: &mut Peer, phone: &Phone, from: &str) -> u16 {
    peer.invite(from, &alice(phone), Some(&sdp("0", "sendrecv")));
    peer.ended().await
}

async fn history(phone: &mut Phone, info: &str) {
    phone
        .wait(&format!("an entry of {info:?}"), |event| match event {
            Event::HistoryAdded { entry } => entry.info.contains(info).then_some(()),
            _ => None,
        })
        .await;
}

/// Places a call with a command and gives the INVITE's headers and From at the far end.
async fn invited(phone: &Phone, bob: &mut Peer, command: Command) -> (CallId, Headers, String) {
    let Reply::Call { call_id } = phone.ask(command).await.unwrap() else { panic!("no call") };
    let (headers, from) = bob
        .wait("an INVITE", |event| match event {
            sidetone_sip::Event::Incoming { headers, from, .. } => Some((headers.clone(), from.to_string())),
            _ => None,
        })
        .await;
    (call_id, headers, from)
}

fn call(callee: &str, headers: &[(&str, &str)], name: Option<&str>, anonymous: bool) -> Command {
    let header = |(name, value): &(&str, &str)| SipHeader { name: (*name).into(), value: (*value).into() };
    Command::Call {
        callee: callee.into(),
        session_id: None,
        headers: headers.iter().map(header).collect(),
        caller_name: name.map(String::from),
        anonymous,
        video: false,
    }
}

#[tokio::test]
async fn do_not_disturb_rejects_and_keeps_but_lets_those_pass_who_help() {
    let mut phone = phone(|_| {}, |calls| calls.do_not_disturb = true).await;
    let mut bob = Peer::new().await;
    assert_eq!(ends_with(&mut bob, &phone, "<sip:bob@127.0.0.1>").await, 486);
    history(&mut phone, "486 do not disturb").await;
    assert!(!phone.seen.iter().any(|envelope| matches!(envelope.event, Event::OnCallEvent { .. })));
    bob.invite("<sip:112@127.0.0.1>", &alice(&phone), Some(&sdp("0", "sendrecv")));
    let call = bob.serve_while(phone.ringing()).await;
    phone.hang_up(&call).await;
    bob.ended().await;
    phone.finish().await;
}

#[tokio::test]
async fn a_second_call_is_busy_without_call_waiting_or_goes_where_the_account_says() {
    for (forward, code) in [(None, 486), (Some("sip:desk@127.0.0.1:5098"), 302)] {
        let mut phone = phone(
            |account| account.forward_busy = forward.map(String::from),
            |calls| calls.call_waiting = false,
        )
        .await;
        let (mut bob, mut carol) = (Peer::new().await, Peer::new().await);
        bob.invite("<sip:bob@127.0.0.1>", &alice(&phone), Some(&sdp("0", "sendrecv")));
        let first = bob.serve_while(phone.ringing()).await;
        carol.ua = sidetone_sip::UserAgent::new(
            sidetone_sip::Config { max_redirects: 0, ..Default::default() },
            [9; 32],
        );
        assert_eq!(ends_with(&mut carol, &phone, "<sip:carol@127.0.0.1>").await, code);
        history(&mut phone, if code == 302 { "302 forwarded to sip:desk" } else { "486 in another call" })
            .await;
        phone.hang_up(&first).await;
        bob.ended().await;
        phone.finish().await;
    }
}

#[tokio::test]
async fn calls_are_sent_on_always_or_when_nobody_answers_or_by_hand() {
    let mut phone = phone(
        |account| {
            account.forward_no_answer = Some("desk".into());
            account.no_answer_seconds = 0;
        },
        |_| {},
    )
    .await;
    let mut bob = Peer::new().await;
    bob.ua = sidetone_sip::UserAgent::new(
        sidetone_sip::Config { max_redirects: 0, ..Default::default() },
        [8; 32],
    );
    assert_eq!(ends_with(&mut bob, &phone, "<sip:bob@127.0.0.1>").await, 302);
    let mut account = phone.state().settings.accounts[0].clone();
    account.forward_no_answer = None;
    account.forward_always = Some("sip:other@127.0.0.1:5097".into());
    let save = |account| Command::SaveAccount { account, password: None, remember: false };
    phone.done(save(account.clone())).await;
    assert_eq!(ends_with(&mut bob, &phone, "<sip:bob@127.0.0.1>").await, 302);
    history(&mut phone, "302 forwarded to sip:other@127.0.0.1:5097").await;
    account.forward_always = None;
    phone.done(save(account.clone())).await;
    bob.invite("<sip:bob@127.0.0.1>", &alice(&phone), Some(&sdp("0", "sendrecv")));
    let call = bob.serve_while(phone.ringing()).await;
    phone.done(Command::Redirect { call_id: call.clone(), target: "sip:x@127.0.0.1".into() }).await;
    assert_eq!(bob.ended().await, 302);
    assert!(phone.status(&call, Finish).await.starts_with("302"));
    account.forward_busy = Some("a b".into());
    assert_eq!(phone.ask(save(account)).await.unwrap_err().field.as_deref(), Some("forwardBusy"));
    phone.finish().await;
}

#[tokio::test]
async fn a_caller_who_asks_to_be_answered_is_only_where_the_account_allows_it() {
    for (allowed, timer) in [(true, None), (false, Some(0)), (false, None)] {
        let mut phone = phone(
            |account| {
                account.auto_answer_by_header = allowed;
                account.auto_answer = timer;
            },
            |_| {},
        )
        .await;
        let mut bob = Peer::new().await;
        bob.invite_with("<sip:bob@127.0.0.1>", &alice(&phone), &[("Answer-Mode", "Auto")]);
        let call = bob.serve_while(phone.ringing()).await;
        phone.until("the call", |state| state.calls.iter().any(|view| view.call_id == call)).await;
        let answers = allowed || timer.is_some();
        if answers {
            let announced = phone.seen.iter().any(|envelope| match &envelope.event {
                Event::CallChanged { call } => call.auto_answer_at.is_some(),
                _ => false,
            });
            assert!(announced);
            bob.answered().await;
            bob.serve_while(phone.status(&call, Established)).await;
        } else {
            assert_eq!(phone.statuses(&call), [Ring]);
        }
        phone.hang_up(&call).await;
        bob.ended().await;
        phone.finish().await;
    }
}

#[tokio::test]
async fn headers_names_and_anonymity_are_those_of_account_and_call() {
    let account = |account: &mut Account| {
        account.headers = vec![SipHeader { name: "X-Team".into(), value: "support".into() }];
    };
    let (mut phone, mut bob) = (phone(account, |_| {}).await, Peer::new().await);
    let uri = bob.uri("bob");
    let team = HeaderName::from("X-Team");
    let (id, headers, from) =
        invited(&phone, &mut bob, call(&uri, &[("X-Case", "7")], Some("Zoë"), false)).await;
    assert_eq!(headers.get(&HeaderName::from("X-Case")), Some("7"));
    assert_eq!(headers.get(&team), Some("support"));
    assert!(from.contains("Zoë") && from.contains("alice@"), "{from}");
    phone.hang_up(&id).await;
    let (id, headers, from) = invited(&phone, &mut bob, call(&uri, &[("x-team", "sales")], None, true)).await;
    assert_eq!(headers.get_all(&team).collect::<Vec<_>>(), ["sales"]);
    assert!(from.contains("anonymous.invalid") && !from.contains("alice"), "{from}");
    phone.hang_up(&id).await;
    for (name, value) in [("Via", "x"), ("X-A", "1\r\nX-B: 2"), ("", "x"), ("Contact", "x")] {
        let failure: Failure =
            phone.ask(call(&uri, &[("X-Ok", "1"), (name, value)], None, false)).await.unwrap_err();
        assert_eq!(failure.field.as_deref(), Some("headers[1]"), "{name}");
    }
    let failure = phone.ask(call(&uri, &[], Some("a\nb"), false)).await.unwrap_err();
    assert_eq!(failure.field.as_deref(), Some("callerName"));
    phone.until("no calls", |state| state.calls.is_empty()).await;
    phone.finish().await;
}

#[tokio::test]
async fn the_dial_plan_is_checked_applied_and_passed_by_emergency_numbers() {
    let (mut phone, mut bob) = (phone(|account| account.anonymous = true, |_| {}).await, Peer::new().await);
    let rule = |pattern: &str, replace: &str, refuse| DialRule {
        pattern: pattern.into(),
        replace: replace.into(),
        account_id: None,
        refuse,
    };
    let calls = |dial_plan| {
        let calls = CallSettings { dial_plan, ..CallSettings::default() };
        Command::ChangeSettings(SettingsChange { calls: Some(calls), ..SettingsChange::default() })
    };
    let failure = phone.ask(calls(vec![rule("(", "x", false)])).await.unwrap_err();
    assert_eq!(failure.field.as_deref(), Some("calls.dialPlan[0].match"));
    let (to_bob, help) = (bob.uri("$1"), bob.uri("112"));
    phone.done(calls(vec![rule("11.", "", true), rule("7(.+)", &to_bob, false)])).await;
    let failure = phone.ask(Command::call("115", None)).await.unwrap_err();
    assert!(failure.message.contains("rule 1"), "{failure}");
    let (id, _, from) = invited(&phone, &mut bob, Command::call("742", None)).await;
    assert!(from.contains("anonymous"), "{from}");
    assert_eq!(phone.ask(Command::Hangup { call_id: id }).await.unwrap(), Reply::Done);
    let (id, _, from) = invited(&phone, &mut bob, Command::call(help, None)).await;
    assert!(from.contains("alice@"), "who calls for help is not hidden: {from}");
    phone.until("an emergency call", |state| state.calls.iter().any(|call| call.emergency)).await;
    phone.hang_up(&id).await;
    phone.until("no calls", |state| state.calls.is_empty()).await;
    phone.finish().await;
}

#[tokio::test]
async fn redial_calls_whom_we_called_last() {
    let (mut phone, mut bob) = (phone(|_| {}, |_| {}).await, Peer::new().await);
    assert!(phone.ask(Command::Redial).await.unwrap_err().message.contains("nobody"));
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.reject(sip, 404, "Not Found");
    bob.serve_while(phone.wait("the history", |event| match event {
        Event::HistoryAdded { entry } => (entry.call_id == call).then_some(()),
        _ => None,
    }))
    .await;
    phone.done(Command::Redial).await;
    bob.called().await;
    phone.finish().await;
}

#[tokio::test]
async fn who_sent_a_call_here_is_shown_and_nobody_but_our_server_vouches_for_the_caller() {
    let (mut phone, mut bob) = (phone(|_| {}, |_| {}).await, Peer::new().await);
    let headers =
        [("Diversion", "<sip:desk@127.0.0.1>;reason=no-answer"), ("P-Asserted-Identity", "<sip:boss@x>")];
    bob.invite_with("<sip:bob@127.0.0.1>", &alice(&phone), &headers);
    let call = bob.serve_while(phone.ringing()).await;
    phone.until("the call", |state| !state.calls.is_empty()).await;
    assert_eq!(phone.view(&call).diverted_by, "sip:desk@127.0.0.1");
    assert_eq!(phone.view(&call).caller, "sip:bob@127.0.0.1");
    phone.hang_up(&call).await;
    bob.ended().await;
    phone.finish().await;
}

#[tokio::test]
async fn a_file_of_settings_with_a_wrong_rule_is_refused() {
    let mut settings = Settings::default();
    settings.calls.emergency_numbers = vec!["help".into()];
    let failure = sidetone_engine::Engine::start(crate::kit::options(settings)).await.err().unwrap();
    assert_eq!(failure.field.as_deref(), Some("calls.emergencyNumbers"));
}
