//! What clients of Web Call Server write, and what servers say to ours. Nothing panics, ids and names are bounded, and what we say with them is a message that the
//! SDK can read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use sidetone_gateway::wcs::message::{ClientMessage as M, ServerMessage as S, hear, parse, refusal};

const LONGEST_ID: usize = 128;

fuzz_target!(|text: &str| {
    drop(hear(text));
    let message = match parse(text) {
        Ok(message) => message,
        Err(malformed) => return check(&refusal(malformed.to_string())),
    };
    match message {
        M::Connection(fields) => check(&S::UserData(fields)),
        M::PublishStream(stream) | M::PlayStream(stream) => {
            is_bounded(&stream.id);
            check(&S::RemoteSdp { id: stream.id, sdp: stream.sdp, is_answer: true });
        }
        M::PauseStream { id } | M::UnPublishStream { id } | M::StopStream { id } => is_bounded(&id),
        M::AvailableStream { id, name } | M::Snapshot { id, name } => {
            is_bounded(&id);
            check(&S::AvailableStream { id, available: true, info: name });
        }
        M::SendStreamEvent { id, kind, payload } => {
            is_bounded(&id);
            check(&S::StreamEvent { id, kind, payload });
        }
        M::SendData { operation_id, payload } => {
            is_bounded(&operation_id);
            check(&S::Data { operation_id, payload: payload.into() });
        }
        M::Call(call) => is_bounded(&call.id),
        M::Answer { id, sdp } => {
            is_bounded(&id);
            check(&S::RemoteSdp { id, sdp, is_answer: false });
        }
        M::Hangup { id } | M::Hold { id } | M::Unhold { id } => is_bounded(&id),
        M::SendDtmf { id, .. } => is_bounded(&id),
        M::Transfer { id, target } => check(&S::Transferred { id, target }),
        M::Unknown { name } => assert!(name.chars().count() <= 64 && !name.contains('\n'), "{name:?}"),
        M::PushLogs { .. } | M::SubmitBugReport(_) | M::SessionDebug { .. } => {}
        M::Ping | M::Pong | M::Metrics => {}
    }
});

fn is_bounded(id: &str) {
    assert!(id.len() <= LONGEST_ID, "{} bytes", id.len());
}

fn check(message: &S) {
    let value: Value = serde_json::from_str(&message.text()).expect("what we say is JSON");
    assert!(value["data"].is_array() && value["message"].is_string(), "{value}");
}
