//! Messages from hostile bytes: no panic, what is printed is read back the same, a stream gives what a datagram gives
//! however it is cut, and every answer to a broken request can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_sip::framing::{Frame, StreamDecoder};
use sidetone_sip::message::{Contacts, HeaderName, Message, NameAddr, Response, Via, to_json, validate};

fuzz_target!(|bytes: &[u8]| {
    let datagram = Message::parse(bytes);
    match &datagram {
        Ok(message) => accepted(message),
        Err(error) => {
            assert!(!error.to_string().contains(['\r', '\n']), "an error is one line");
            if let Some(answer) = error.answerable() {
                let printed = answer.response("tag").to_bytes();
                assert!(ends_once(&printed), "an answer is a head without a body");
            }
        }
    }
    let whole = frames(bytes, bytes.len().max(1));
    if let Ok(message) = &datagram
        && message.headers().has(&HeaderName::CONTENT_LENGTH)
    {
        assert_eq!(whole.first(), Some(&Ok(Frame::Message(message.clone()))));
    }
    assert_eq!(whole, frames(bytes, 1 + bytes.len() % 13), "frames depend on how the stream is cut");
});

/// Its empty line is its end.
fn ends_once(printed: &[u8]) -> bool {
    let end = printed.windows(4).position(|window| window == b"\r\n\r\n");
    end.map(|at| at + 4) == Some(printed.len())
}

fn accepted(message: &Message) {
    let printed = message.to_bytes();
    let again = Message::parse(&printed).expect("what is printed can be read");
    assert_eq!(without_length(&again), without_length(message));
    assert_eq!(again.to_bytes(), printed);
    let _ = to_json(message);
    let headers = message.headers();
    let from = headers.from().expect("checked by the parser");
    assert_eq!(NameAddr::parse(&from.to_string()), Ok(from));
    for via in headers.via().expect("checked by the parser") {
        assert_eq!(Via::parse(&via.to_string()), Ok(via));
    }
    if let Ok(Contacts::List(list)) = headers.contacts() {
        for contact in list {
            assert_eq!(NameAddr::parse(&contact.to_string()), Ok(contact));
        }
    }
    let _ = (headers.challenges(), headers.authorizations(), headers.retry_after());
    if let Message::Request(request) = message {
        let status = validate(request).map_or_else(|rejection| rejection.status, |()| 200);
        let response = Response::to(request, status, Some("tag"));
        Message::parse(&response.to_bytes()).expect("a response to a sound request is sound");
    }
}

fn without_length(message: &Message) -> Message {
    let mut message = message.clone();
    message.headers_mut().remove(&HeaderName::CONTENT_LENGTH);
    message
}

/// All but keep-alives, which cannot be told apart across cuts; of an error, that it came.
fn frames(bytes: &[u8], chunk: usize) -> Vec<Result<Frame, ()>> {
    let mut decoder = StreamDecoder::default();
    let mut found = Vec::new();
    for piece in bytes.chunks(chunk) {
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(Frame::Ping | Frame::Pong)) => {}
                Ok(Some(frame)) => found.push(Ok(frame)),
                Ok(None) => break,
                Err(_) => {
                    found.push(Err(()));
                    return found;
                }
            }
        }
    }
    found
}
