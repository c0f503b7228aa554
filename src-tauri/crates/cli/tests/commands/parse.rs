//! `sidetone-cli sip parse`.

use crate::run::{Home, text};
use serde_json::{Value, json};

const INVITE: &str = "INVITE sip:bob@example.org;transport=tcp SIP/2.0\r\n\
    v: SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1;rport, SIP/2.0/TCP [2001:db8::1];branch=z9hG4bK2\r\n\
    From: \"Alice \\\"A\\\"\" <sip:alice@example.net>;tag=a1\r\n\
    To: <sip:bob@example.org>\r\n\
    i: abc@10.0.0.1\r\n\
    CSeq: 7 INVITE\r\n\
    m: <sip:alice@10.0.0.1:5070>;expires=60\r\n\
    X-Odd: one\r\n\
    \x20 two\r\n\
    Max-Forwards: 70\r\n\
    l: 5\r\n\
    \r\n\
    hello";

#[test]
fn a_request_is_printed_with_its_headers_in_order_and_in_parts() {
    let home = Home::new("parse-request");
    let file = home.write("invite.txt", INVITE);
    let by_file = home.run(&["sip", "parse", text(&file)], b"");
    assert_eq!(by_file.code, Some(0), "{by_file:?}");
    let by_stdin = home.run(&["sip", "parse"], INVITE.as_bytes());
    assert_eq!(by_file.stdout, by_stdin.stdout);
    let message: Value = serde_json::from_str(&by_file.stdout).unwrap();
    assert_eq!((&message["kind"], &message["method"]), (&json!("request"), &json!("INVITE")));
    assert_eq!(message["uri"]["params"], json!({"transport": "tcp"}));
    assert_eq!((&message["from"]["display"], &message["from"]["tag"]), (&json!("Alice \"A\""), &json!("a1")));
    assert_eq!((&message["to"]["uri"]["user"], &message["to"]["tag"]), (&json!("bob"), &Value::Null));
    assert_eq!(message["cseq"], json!({"number": 7, "method": "INVITE"}));
    assert_eq!(message["callId"], "abc@10.0.0.1");
    assert_eq!((&message["via"][0]["port"], &message["via"][1]["transport"]), (&json!(5070), &json!("TCP")));
    assert_eq!(message["contact"][0]["params"], json!({"expires": "60"}));
    assert_eq!(message["body"], json!({"text": "hello"}));
    let names: Vec<_> = message["headers"].as_array().unwrap().iter().map(|header| &header["name"]).collect();
    let wanted =
        ["Via", "From", "To", "Call-ID", "CSeq", "Contact", "X-Odd", "Max-Forwards", "Content-Length"];
    assert_eq!(names.into_iter().filter_map(Value::as_str).collect::<Vec<_>>(), wanted);
}

#[test]
fn a_response_is_printed_and_a_body_that_is_no_text_in_base64() {
    let home = Home::new("parse-response");
    let mut bytes =
        INVITE.replace("INVITE sip:bob@example.org;transport=tcp SIP/2.0", "SIP/2.0 486 Busy Here");
    bytes = bytes.replace("l: 5", "l: 3").replace("hello", "");
    let ended = home.run(&["sip", "parse"], &[bytes.as_bytes(), b"\xff\x00\x01"].concat());
    let message: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&message["status"], &message["reason"]), (&json!(486), &json!("Busy Here")));
    assert_eq!(message["body"], json!({"base64": "/wAB"}));
}

#[test]
fn a_bad_message_gives_one_line_that_names_the_header() {
    let home = Home::new("parse-bad");
    for (wrong, right, named) in [
        ("CSeq: 7 INVITE", "CSeq: seven INVITE", "CSeq"),
        ("CSeq: 7 INVITE", "CSeq: 7 BYE", "CSeq"),
        ("<sip:alice@example.net>", "<sip:alice@example.net", "From"),
        ("To: <sip:bob@example.org>", "To: <sip:bob@example.org", "To"),
        ("To: <sip:bob@example.org>\r\n", "", "To"),
        ("i: abc@10.0.0.1\r\n", "", "Call-ID"),
        ("l: 5", "l: 50", "Content-Length"),
        ("m: <sip:alice@10.0.0.1:5070>", "m: <sip:alice@10.0.0.1:70000>", "Contact"),
        ("UDP 10.0.0.1:5070", "UDP", "Via"),
    ] {
        assert!(INVITE.contains(wrong));
        let ended = home.run(&["sip", "parse"], INVITE.replace(wrong, right).as_bytes());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{right:?}: {ended:?}");
        assert_eq!(ended.stderr.trim_end().lines().count(), 1, "{}", ended.stderr);
        assert!(ended.stderr.contains(named), "{right:?}: {}", ended.stderr);
    }
}

#[test]
fn what_is_no_message_at_all_is_an_error_too() {
    let home = Home::new("parse-none");
    for input in
        [&b""[..], b"\r\n\r\n", b"hello", b"GET / HTTP/1.1\r\n\r\n", &[0xff; 4096], &[b'x'; 2_000_000]]
    {
        let ended = home.run(&["sip", "parse"], input);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{:?}", ended.stderr);
        assert_eq!(ended.stderr.trim_end().lines().count(), 1, "{}", ended.stderr);
    }
    let missing = home.run(&["sip", "parse", "missing.txt"], b"");
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("missing.txt"), "{}", missing.stderr);
}
