//! What of an event is worth keeping. Words that people write to each other are not.

use crate::redact;
use serde::Serialize;
use sidetone_api::{Event, ReportEvent, ReportSample};

/// As it stands in JSON: `ESTABLISHED`.
fn word(status: &impl Serialize) -> String {
    match serde_json::to_value(status) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A status, a notice, a refusal.
pub(super) fn moment(at: u64, event: &Event) -> Option<ReportEvent> {
    let (kind, subject, status, info): (&str, &str, String, &str) = match event {
        Event::ConnectionStatusEvent { status, session_id, info } => {
            ("ConnectionStatusEvent", session_id.as_str(), word(status), info)
        }
        Event::RegistrationStatusEvent { status, session_id, info } => {
            ("RegistrationStatusEvent", session_id.as_str(), word(status), info)
        }
        Event::OnCallEvent { call_id, info, .. } => ("OnCallEvent", call_id.as_str(), String::new(), info),
        Event::CallStatusEvent { status, call_id, info, .. } => {
            ("CallStatusEvent", call_id.as_str(), word(status), info)
        }
        Event::TransferStatusEvent { status, call_id, info, .. } => {
            ("TransferStatusEvent", call_id.as_str(), word(status), info)
        }
        Event::OnTransferEvent { call_id, target, .. } => {
            ("OnTransferEvent", call_id.as_str(), String::new(), target)
        }
        Event::StreamStatusEvent { status, stream_id, info, .. } => {
            ("StreamStatusEvent", stream_id.as_str(), word(status), info)
        }
        Event::DataStatusEvent { status, data_id, info, .. } => {
            ("DataStatusEvent", data_id.as_str(), word(status), info)
        }
        Event::OnDataEvent { session_id, incoming, .. } => {
            let way = if *incoming { "came" } else { "went" };
            ("OnDataEvent", session_id.as_str(), String::new(), way)
        }
        Event::RoomStatusEvent { status, room_id, info, .. } => {
            ("RoomStatusEvent", room_id.as_str(), word(status), info)
        }
        Event::ErrorEvent { hook, info, .. } => ("ErrorEvent", "", hook.clone(), info),
        Event::Notice { level, info, call_id } => {
            let subject = call_id.as_ref().map_or("", |call| call.as_str());
            ("Notice", subject, word(level), info)
        }
        _ => return None,
    };
    let (subject, info) = (subject.to_owned(), redact::text(info, &[]));
    Some(ReportEvent { at, kind: kind.into(), subject, status, info })
}

/// What it is about, of which object, and what is wrong with it, if anything: in a word and in words.
type Trouble = (&'static str, String, Option<(String, String)>);

pub(super) fn troubles(event: &Event) -> Vec<Trouble> {
    match event {
        Event::CallChanged { call } => {
            let wrong = call.problem.as_ref().map(|problem| (word(&problem.kind), problem.info.clone()));
            vec![("CallProblem", call.call_id.as_str().to_owned(), wrong)]
        }
        Event::DevicesChanged { devices } => {
            let of = |name: &str, choice: &sidetone_api::DeviceChoice| {
                let wrong = choice.problem.clone().map(|problem| (choice.selection.clone(), problem));
                ("DeviceProblem", name.to_owned(), wrong)
            };
            vec![
                of("microphone", &devices.microphone),
                of("speaker", &devices.speaker),
                of("ringer", &devices.ringer),
            ]
        }
        Event::HooksChanged { hooks } => {
            let wrong = hooks.problem.clone().map(|problem| (String::new(), redact::text(&problem, &[])));
            vec![("HooksProblem", String::new(), wrong)]
        }
        _ => Vec::new(),
    }
}

/// Of how many milliseconds it is.
pub(super) fn sample(at: u64, event: &Event) -> Option<(ReportSample, u64)> {
    let every = if matches!(event, Event::CallMeasured { .. }) { 500 } else { 1_000 };
    let sample = figures(at, event)?;
    Some((sample, every))
}

fn figures(at: u64, event: &Event) -> Option<ReportSample> {
    match event {
        Event::CallMeasured { call_id, statistics } => Some(ReportSample {
            at,
            subject: call_id.as_str().into(),
            packets_sent: Some(statistics.packets_sent),
            packets_received: Some(statistics.packets_received),
            loss_percent: Some(statistics.loss_percent),
            remote_loss_percent: statistics.remote_loss_percent,
            jitter_ms: statistics.jitter_ms,
            round_trip_ms: statistics.round_trip_ms,
            microphone: Some(statistics.microphone.rms),
            speaker: Some(statistics.speaker.rms),
        }),
        Event::StreamMeasured { stream_id, statistics } => {
            // A published stream has a target for its encoder.
            let publishes = statistics.target_kbit.is_some();
            Some(ReportSample {
                at,
                subject: stream_id.as_str().into(),
                packets_sent: publishes.then_some(statistics.packets),
                packets_received: (!publishes).then_some(statistics.packets),
                loss_percent: (!publishes).then_some(statistics.loss_percent),
                remote_loss_percent: publishes.then_some(statistics.loss_percent),
                jitter_ms: statistics.jitter_ms,
                round_trip_ms: statistics.round_trip_ms,
                microphone: publishes.then_some(statistics.level.rms),
                speaker: (!publishes).then_some(statistics.level.rms),
            })
        }
        _ => None,
    }
}
