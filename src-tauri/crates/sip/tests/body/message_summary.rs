//! RFC 3842.

use sidetone_sip::body::{MessageCounts, MessageSummary};

fn counts(new: u32, old: u32, new_urgent: u32, old_urgent: u32) -> Option<MessageCounts> {
    Some(MessageCounts { new, old, new_urgent, old_urgent })
}

#[test]
fn summaries_of_real_servers_are_read() {
    let asterisk =
        b"Messages-Waiting: yes\r\nMessage-Account: sip:asterisk@192.0.2.50\r\nVoice-Message: 2/8 (0/2)\r\n";
    let summary = MessageSummary::parse(asterisk).unwrap();
    assert!(summary.waiting);
    assert_eq!(summary.account.as_deref(), Some("sip:asterisk@192.0.2.50"));
    assert_eq!(summary.voice, counts(2, 8, 0, 2));

    let freeswitch =
        b"Messages-Waiting: no\r\nMessage-Account: sip:1000@pbx.example\r\nVoice-Message: 0/3 (0/0)\r\n\r\n";
    let summary = MessageSummary::parse(freeswitch).unwrap();
    assert_eq!((summary.waiting, summary.voice), (false, counts(0, 3, 0, 0)));

    let terse = MessageSummary::parse(b"Messages-Waiting: no\r\n").unwrap();
    assert_eq!(terse, MessageSummary::default());

    let rfc = b"Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 4/8 (1/2)\r\n\
        Fax-Message: 1/0\r\n\r\nTo: <alice@atlanta.example.com>\r\nFrom: <bob@biloxi.example.com>\r\nVoice-Message: broken\r\n";
    let summary = MessageSummary::parse(rfc).unwrap();
    assert_eq!(summary.voice, counts(4, 8, 1, 2));
    assert_eq!(summary.others, [("fax".to_owned(), counts(1, 0, 0, 0).unwrap())]);
}

#[test]
fn odd_spellings_are_read_and_what_is_missing_is_concluded() {
    for (text, waiting, voice) in [
        ("messages-waiting:YES\nVOICE-MESSAGE : 1 / 2 ( 0 / 0 )", true, counts(1, 2, 0, 0)),
        ("Voice-Message: 3/0", true, counts(3, 0, 0, 0)),
        ("Voice-Message: 0/5", false, counts(0, 5, 0, 0)),
        ("Messages-Waiting: yes\nVoice-Message: 7", true, counts(7, 0, 0, 0)),
        ("Messages-Waiting: yes\nVoice-Message: 99999999999999999999/1", true, counts(u32::MAX, 1, 0, 0)),
        ("Messages-Waiting: yes\n\u{fffd}\nX: y", true, None),
    ] {
        let summary = MessageSummary::parse(text.as_bytes()).unwrap();
        assert_eq!((summary.waiting, summary.voice), (waiting, voice), "{text}");
    }
}

#[test]
fn what_says_nothing_is_an_error_that_names_the_line() {
    for (text, place) in [
        ("", "Messages-Waiting"),
        ("hello", "Messages-Waiting"),
        ("Messages-Waiting: maybe", "Messages-Waiting"),
        ("Messages-Waiting: yes\nVoice-Message: -1/2", "Voice-Message: -1/2"),
        ("Messages-Waiting: yes\nVoice-Message: 1/2 (3/4", "Voice-Message: 1/2 (3/4"),
        ("Messages-Waiting: yes\nVoice-Message: \u{664}/1", "Voice-Message: \u{664}/1"),
    ] {
        assert_eq!(MessageSummary::parse(text.as_bytes()).unwrap_err().place, place, "{text}");
    }
    assert!(MessageSummary::parse(&vec![b'x'; 1_000_000]).is_err());
}
