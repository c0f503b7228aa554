//! What readers of events may rely on.

use crate::{
    kit::{Phone, gateway, quiet},
    mirror::Mirror,
};
use sidetone_api::CallStatus::{Established, Finish};
use sidetone_api::{Command, Event, Reply, SettingsChange, Theme, UiSettings};
use sidetone_engine::Next;

fn theme(theme: Theme) -> Command {
    Command::ChangeSettings(SettingsChange { ui: Some(UiSettings { theme }), ..SettingsChange::default() })
}

#[tokio::test]
async fn whoever_attaches_in_the_middle_has_the_whole_state_and_no_gap_after_it() {
    let mut host = Phone::start(gateway()).await;
    let mut alice = Phone::registered("alice", host.gateway(), quiet()).await;
    let call = alice.call("local").await;
    let mut late = Phone::attached_to(alice.handle.clone()).await;
    host.answer().await;
    alice.status(&call, Established).await;
    let mut later = Phone::attached_to(alice.handle.clone()).await;
    alice.hang_up(&call).await;
    for phone in [&mut alice, &mut late, &mut later] {
        phone.until("the end of the call", |state| state.calls.is_empty() && state.history.len() == 1).await;
        phone.check().await;
    }
    drop((late, later));
    alice.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn a_flood_of_commands_is_answered_one_by_one_while_a_call_goes_on() {
    let mut host = Phone::start(gateway()).await;
    host.is_registered().await;
    let call = host.call("echo").await;
    host.status(&call, Established).await;
    let mut clients = Vec::new();
    for client in 0..8 {
        let handle = host.handle.clone();
        clients.push(tokio::spawn(async move {
            for _ in 0..100 {
                let command = if client % 2 == 0 { Command::GetSnapshot } else { theme(Theme::Dark) };
                handle.command(command).await.expect("a reply");
            }
        }));
    }
    for client in clients {
        client.await.unwrap();
    }
    host.check().await;
    host.hang_up(&call).await;
    host.status(&call, Finish).await;
    host.finish().await;
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_told_and_the_others_are_not_kept_waiting() {
    let mut quick = Phone::start(quiet()).await;
    let (_, mut slow) = quick.handle.attach().await.unwrap();
    for _ in 0..600 {
        for colours in [Theme::Dark, Theme::Light] {
            quick.done(theme(colours)).await;
        }
        quick.check().await;
    }
    assert_eq!(slow.next().await, Some(Next::Lagged));
    let (snapshot, events) = quick.handle.attach().await.unwrap();
    drop(slow);
    let mut slow = events;
    let mut mirror = Mirror::new(snapshot);
    quick.done(theme(Theme::System)).await;
    let Some(Next::Event(envelope)) = slow.next().await else { panic!("no event") };
    mirror.apply(&envelope);
    assert!(matches!(&envelope.event, Event::SettingsChanged { .. }));
    assert!(matches!(quick.ask(Command::GetSnapshot).await, Ok(Reply::Snapshot { .. })));
    quick.finish().await;
}

#[tokio::test]
async fn the_history_is_of_this_run_newest_first_and_can_be_cleared() {
    let mut host = Phone::start(gateway()).await;
    host.is_registered().await;
    for callee in ["nobody", "somebody"] {
        host.call(callee).await;
    }
    host.until("two ends", |state| state.history.len() == 2).await;
    let callees: Vec<_> = host.state().history.iter().map(|entry| entry.remote.clone()).collect();
    assert!(callees.iter().any(|uri| uri.starts_with("sip:nobody@")), "{callees:?}");
    host.done(Command::ClearHistory).await;
    host.check().await;
    assert!(host.state().history.is_empty());
}
