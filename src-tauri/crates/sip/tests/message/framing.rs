use sidetone_sip::framing::{Frame, FramingError, Limits, PING, StreamDecoder};
use sidetone_sip::message::{Message, Method};

use super::{corpus, request};

fn frames(decoder: &mut StreamDecoder) -> Result<Vec<Frame>, FramingError> {
    let mut found = Vec::new();
    while let Some(frame) = decoder.next_frame()? {
        found.push(frame);
    }
    Ok(found)
}

fn bytes(method: Method) -> Vec<u8> {
    let mut request = request(method);
    request.set_body("text/plain", b"line one\r\n\r\nline three".to_vec());
    request.to_bytes()
}

#[test]
fn messages_are_found_however_the_stream_is_cut() {
    let stream =
        [PING, &bytes(Method::Options), b"\r\n\r\n", &bytes(Method::Message), &bytes(Method::Info)].concat();
    for size in [1, 2, 3, 7, 64, stream.len()] {
        let mut decoder = StreamDecoder::default();
        let mut found = Vec::new();
        for chunk in stream.chunks(size) {
            decoder.push(chunk);
            found.extend(frames(&mut decoder).unwrap());
        }
        let pings = found.iter().filter(|frame| **frame == Frame::Ping).count();
        let methods: Vec<&Method> = found
            .iter()
            .filter_map(|frame| match frame {
                Frame::Message(Message::Request(request)) => Some(&request.method),
                _ => None,
            })
            .collect();
        assert_eq!(methods, [&Method::Options, &Method::Message, &Method::Info], "chunks of {size}");
        assert_eq!(pings, 2, "chunks of {size}");
        assert!(!decoder.is_mid_message());
    }
}

#[test]
fn a_single_line_end_is_a_pong() {
    let mut decoder = StreamDecoder::default();
    decoder.push(b"\r\n");
    assert_eq!(frames(&mut decoder).unwrap(), [Frame::Pong]);
}

#[test]
fn a_stream_gives_the_same_message_as_a_datagram() {
    for (name, bytes) in corpus::messages("valid") {
        let datagram = Message::parse(&bytes).expect(&name);
        let mut decoder = StreamDecoder::default();
        decoder.push(&bytes);
        match decoder.next_frame() {
            Ok(Some(Frame::Ping | Frame::Pong)) => {
                assert_eq!(decoder.next_frame().unwrap(), Some(Frame::Message(datagram)), "{name}");
            }
            Ok(Some(frame)) => assert_eq!(frame, Frame::Message(datagram), "{name}"),
            Err(error) => {
                assert!(error.to_string().contains("Content-Length: is missing"), "{name}: {error}")
            }
            Ok(None) => panic!("{name} did not end"),
        }
    }
}

#[test]
fn a_broken_message_of_known_length_does_not_cost_the_stream() {
    let broken = String::from_utf8(bytes(Method::Options)).unwrap().replace("<sip:desk@office.example>", "/");
    let mut decoder = StreamDecoder::default();
    decoder.push(broken.as_bytes());
    decoder.push(&bytes(Method::Info));
    let found = frames(&mut decoder).unwrap();
    let [Frame::Broken(error), Frame::Message(_)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(error.answerable().map(|answer| answer.status), Some(400));
}

#[test]
fn a_message_without_content_length_ends_the_stream_with_a_400() {
    let text = String::from_utf8(request(Method::Options).to_bytes()).unwrap();
    let mut decoder = StreamDecoder::default();
    decoder.push(text.replace("Content-Length: 0\r\n", "").as_bytes());
    let error = decoder.next_frame().unwrap_err();
    assert_eq!(error.0.answerable().map(|answer| answer.status), Some(400));
    decoder.push(&bytes(Method::Info));
    assert!(decoder.next_frame().is_err(), "a lost stream stays lost");
}

#[test]
fn contradicting_content_lengths_end_the_stream() {
    let text = String::from_utf8(request(Method::Options).to_bytes()).unwrap();
    let mut decoder = StreamDecoder::default();
    decoder.push(text.replace("Content-Length: 0\r\n", "Content-Length: 0\r\nl: 5\r\n").as_bytes());
    assert!(decoder.next_frame().is_err());
}

#[test]
fn a_head_without_end_is_given_up_at_the_limit() {
    let mut decoder = StreamDecoder::default();
    let mut pushed = 0;
    let error = loop {
        decoder.push(b"X-More: and more and more\r\n");
        pushed += 27;
        assert!(pushed < 80_000, "no limit");
        if let Err(error) = decoder.next_frame() {
            break error;
        }
    };
    assert!(error.to_string().contains("too long"), "{error}");
}

#[test]
fn a_line_without_end_is_given_up_at_the_limit() {
    let mut decoder = StreamDecoder::default();
    for _ in 0..20 {
        decoder.push(&[b'x'; 1024]);
        if decoder.next_frame().is_err() {
            return;
        }
    }
    panic!("no limit");
}

#[test]
fn a_body_beyond_the_limit_is_refused_before_it_is_read() {
    let mut decoder = StreamDecoder::new(Limits { body: 10, ..Limits::default() });
    let mut large = request(Method::Message);
    large.body = vec![b'x'; 11];
    decoder.push(&large.to_bytes());
    let error = decoder.next_frame().unwrap_err();
    assert_eq!(error.0.answerable().map(|answer| answer.status), Some(513));
}
