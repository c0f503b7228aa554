//! What clients of Web Call Server write, and what servers say to ours. Nothing panics, ids and names are bounded, and what we say with them is a message that the
//! SDK can read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use sidetone_engine::{ClientAsk as A, ClientNews};
use sidetone_gateway::wcs::message::{ClientMessage as M, ServerMessage as S, flood, hear, parse, refusal};

const LONGEST_ID: usize = 128;

fuzz_target!(|text: &str| {
    drop(hear(text));
    drop(flood(text));
    let message = match parse(text) {
        Ok(message) => message,
        Err(malformed) => return check(&refusal(malformed.to_string())),
    };
    match message {
        M::Connection(fields) => check(&S::UserData(fields)),
        M::Ask(ask) => asked(ask),
        M::Unknown { name } => assert!(name.chars().count() <= 64 && !name.contains('\n'), "{name:?}"),
        M::Ping | M::Pong => {}
    }
});

fn asked(ask: A) {
    let news = match ask {
        A::Publish(stream) | A::Play(stream) => {
            is_bounded(&stream.id);
            ClientNews::Description { id: stream.id, sdp: stream.sdp, is_answer: true }
        }
        A::Available { id, name } | A::Snapshot { id, name } => {
            is_bounded(&id);
            ClientNews::Available { id, available: true, info: name }
        }
        A::StreamEvent { id, kind, payload } => {
            is_bounded(&id);
            ClientNews::StreamEvent { id, kind, payload }
        }
        A::SendData { operation_id, payload } => {
            is_bounded(&operation_id);
            ClientNews::Data { operation_id, payload: payload.into() }
        }
        A::Answer { id, sdp } => {
            is_bounded(&id);
            ClientNews::Description { id, sdp, is_answer: false }
        }
        A::Transfer { id, target } => {
            is_bounded(&id);
            ClientNews::Transferred { id, target }
        }
        A::Call(call) => return is_bounded(&call.id),
        A::SubmitBugReport(_) | A::PushLogs { .. } | A::SessionDebug { .. } => return,
        A::SendDtmf { id, .. }
        | A::Pause { id }
        | A::UnPublish { id }
        | A::Stop { id }
        | A::Hangup { id }
        | A::Hold { id }
        | A::Unhold { id } => return is_bounded(&id),
    };
    check(&news.into());
}

fn is_bounded(id: &str) {
    assert!(id.len() <= LONGEST_ID, "{} bytes", id.len());
}

fn check(message: &S) {
    let value: Value = serde_json::from_str(&message.text()).expect("what we say is JSON");
    assert!(value["data"].is_array() && value["message"].is_string(), "{value}");
}
