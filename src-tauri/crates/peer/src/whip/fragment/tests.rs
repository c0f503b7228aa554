use super::{Credentials, Fragment, FragmentError};

/// RFC 8840 section 9.2's shape.
const TRICKLE: &str = "a=group:BUNDLE 0 1\r\na=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\n\
a=candidate:3471623853 1 tcp 1518280447 2001:db8::1 9 typ host tcptype active\r\na=end-of-candidates\r\n";

#[test]
fn a_fragment_is_read_and_printed_the_same() {
    let fragment = Fragment::parse(TRICKLE).unwrap();
    assert_eq!(fragment.to_string(), TRICKLE);
    assert_eq!(fragment.credentials().unwrap().ufrag, "EsAw");
    assert_eq!(fragment.bundle, ["0", "1"]);
    assert_eq!(fragment.candidates().count(), 2);
    assert!(fragment.is_complete());
    assert_eq!(Fragment::parse(&TRICKLE.replace("\r\n", "\n")).unwrap(), fragment);
    assert!(!format!("{fragment:?}").contains("P2uYro"));
}

#[test]
fn the_ice_of_a_whole_description_is_told_by_the_first_of_its_group() {
    let password = "p".repeat(24);
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE v a\r\na=ice-options:trickle ice2\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:{password}\r\na=mid:a\r\n\
         a=rtpmap:111 opus/48000/2\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\na=ice-ufrag:abcd\r\na=ice-pwd:{password}\r\n\
         a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n"
    );
    let fragment = Fragment::parse(&sdp).unwrap();
    assert_eq!(fragment.sections.len(), 2);
    let told = fragment.of_transport();
    assert_eq!(
        told.to_string(),
        format!(
            "a=ice-options:trickle ice2\r\na=group:BUNDLE v a\r\na=ice-ufrag:abcd\r\na=ice-pwd:{password}\r\n\
             m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:v\r\na=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n"
        )
    );
    assert_eq!(told.clone().without_candidates().candidates().count(), 0);
    assert_eq!(Fragment::parse(&told.to_string()).unwrap(), told);
}

#[test]
fn a_restart_replaces_the_ice_of_a_description_and_nothing_else() {
    let (old, new) = ("o".repeat(22), "n".repeat(22));
    let sdp = format!(
        "v=0\r\na=ice-lite\r\nm=audio 9 X 0\r\na=mid:0\r\na=ice-ufrag:oldo\r\na=ice-pwd:{old}\r\na=candidate:1 1 udp 1 a 1 typ host\r\n\
         a=end-of-candidates\r\nm=video 9 X 1\r\na=mid:1\r\na=ice-ufrag:oldo\r\na=ice-pwd:{old}\r\n"
    );
    let restart = Fragment::parse(&format!(
        "a=ice-ufrag:newn\r\na=ice-pwd:{new}\r\nm=audio 9 X 0\r\na=mid:0\r\na=candidate:2 1 udp 2 b 2 typ host\r\n"
    ))
    .unwrap();
    assert_eq!(
        restart.applied_to(&sdp),
        format!(
            "v=0\r\na=ice-lite\r\nm=audio 9 X 0\r\na=mid:0\r\na=ice-ufrag:newn\r\na=ice-pwd:{new}\r\na=candidate:2 1 udp 2 b 2 typ host\r\n\
             m=video 9 X 1\r\na=mid:1\r\na=ice-ufrag:newn\r\na=ice-pwd:{new}\r\n"
        )
    );
    let more = Fragment::parse("m=audio 9 X 0\r\na=mid:0\r\na=candidate:3 1 udp 3 c 3 typ host\r\n").unwrap();
    let grown = more.applied_to(&sdp);
    assert!(grown.contains("candidate:1 ") && grown.contains("candidate:3 ") && grown.contains(&old));
}

#[test]
fn hostile_fragments_are_refused_in_words() {
    let candidate = "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n";
    let section = "m=audio 9 X 0\r\na=mid:0\r\n";
    for (text, error) in [
        ("x".repeat(65 * 1024), FragmentError::TooLong),
        ("nonsense".into(), FragmentError::Line { line: 1 }),
        (format!("a={}", "x".repeat(5000)), FragmentError::Line { line: 1 }),
        ("\r\na=\0".into(), FragmentError::Line { line: 2 }),
        (candidate.into(), FragmentError::Homeless { line: 1 }),
        (section.repeat(65), FragmentError::Sections),
        (format!("{section}{}", candidate.repeat(257)), FragmentError::Candidates),
        ("m=audio 9 X 0\r\n".into(), FragmentError::Mid),
        ("a=mid:0\r\n".into(), FragmentError::Attribute { line: 1, what: "a=mid" }),
        (format!("{section}a=mid:1"), FragmentError::Attribute { line: 3, what: "a=mid" }),
        ("m=\r\n".into(), FragmentError::Attribute { line: 1, what: "m=" }),
        ("a=ice-ufrag:abcd\r\n".into(), FragmentError::HalfCredentials),
        ("a=ice-ufrag:abc\r\na=ice-pwd:short\r\n".into(), FragmentError::HalfCredentials),
        (format!("a=ice-ufrag:ab\u{e4}d\r\na=ice-pwd:{}", "p".repeat(22)), FragmentError::HalfCredentials),
        (
            format!("a=group:BUNDLE {}", "0 ".repeat(65)),
            FragmentError::Attribute { line: 1, what: "a=group" },
        ),
    ] {
        assert_eq!(Fragment::parse(&text), Err(error), "{}", &text.chars().take(60).collect::<String>());
    }
    for bad in [
        "1 0 udp 1 a 1 typ host",
        "1 1 udp 4294967296 a 1 typ host",
        "1 1 udp 1 a 65536 typ host",
        "1 1 udp 1 a 1",
        "1 1 udp 1 a 1 typ",
        "1 1 u(p 1 a 1 typ host",
        "",
        &format!("1 1 udp 1 {} 1 typ host", "a".repeat(300)),
        "1 1 udp 1 \u{e4} 1 typ host",
    ] {
        let text = format!("{section}a=candidate:{bad}\r\n");
        let error = FragmentError::Attribute { line: 3, what: "a=candidate" };
        assert_eq!(Fragment::parse(&text), Err(error), "{bad}");
    }
    assert_eq!(Fragment::parse(""), Ok(Fragment::default()));
}

#[test]
fn credentials_have_the_lengths_and_characters_of_the_grammar() {
    assert!(Credentials::new("a+/9", "p".repeat(22)).is_some());
    for (ufrag, length) in [("abc", 22), ("abcd", 21), ("abcd", 257), ("ab d", 22), ("ab\r\n", 22)] {
        assert_eq!(Credentials::new(ufrag, "p".repeat(length)), None, "{ufrag} {length}");
    }
}
