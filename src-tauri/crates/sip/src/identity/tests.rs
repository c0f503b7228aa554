use std::time::Duration;

use super::*;

fn headers(lines: &[&str]) -> Headers {
    lines
        .iter()
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name, value.trim().to_owned()))
        .collect()
}

fn after(line: &str) -> Option<u64> {
    auto_answer(&headers(&[line])).map(|after| after.as_secs())
}

#[test]
fn the_usual_forms_ask_for_an_answer() {
    for (line, expected) in [
        ("Answer-Mode: Auto", Some(0)),
        ("Answer-Mode: Auto;require", Some(0)),
        ("Priv-Answer-Mode: auto", Some(0)),
        ("Answer-Mode: Manual", None),
        ("Call-Info: <sip:192.0.2.1>;answer-after=0", Some(0)),
        ("Call-Info: <sip:pbx.example>; Answer-After=5", Some(5)),
        ("Call-Info: sip:pbx.example\\;answer-after=3", Some(3)),
        ("Call-Info: <http://pbx.example/icon.png>;purpose=icon", None),
        ("Call-Info: <sip:x>;answer-after=soon", None),
        ("Call-Info: <sip:x>;answer-after=99999999999999", Some(60)),
        ("Alert-Info: <http://127.0.0.1>;info=alert-autoanswer;delay=2", Some(2)),
        ("Alert-Info: info=alert-autoanswer", Some(0)),
        ("Alert-Info: Ring Answer", Some(0)),
        ("Alert-Info: Auto Answer", Some(0)),
        ("Alert-Info: <http://pbx>;answer-after=1", Some(1)),
        ("Alert-Info: <http://pbx.example/ring.wav>", None),
        ("Alert-Info: intercom=true", Some(0)),
        ("P-Auto-Answer: normal", Some(0)),
        ("Subject: auto answer", None),
    ] {
        assert_eq!(after(line), expected, "{line}");
    }
    let both = headers(&["Answer-Mode: Manual", "Call-Info: <sip:x>;answer-after=0"]);
    assert_eq!(auto_answer(&both), None, "who says Manual means it");
    let privileged = headers(&["Answer-Mode: Manual", "Priv-Answer-Mode: Auto"]);
    assert_eq!(auto_answer(&privileged), Some(Duration::ZERO));
}

fn diverter(lines: &[&str]) -> Option<String> {
    diverted_by(&headers(lines)).map(|address| address.to_string())
}

#[test]
fn the_last_diversion_is_told() {
    for (lines, expected) in [
        (
            &["Diversion: \"Bob\" <sip:bob@a.example>;reason=user-busy;counter=1"][..],
            Some("\"Bob\" <sip:bob@a.example>"),
        ),
        (
            &["Diversion: <tel:+4930123>;reason=unconditional, <sip:first@a>;reason=no-answer"],
            Some("<tel:+4930123>"),
        ),
        (&["Diversion: <sip:two@a>", "Diversion: <sip:one@a>"], Some("<sip:two@a>")),
        (&["Diversion: <sip:broken"], None),
        (&["Diversion: \\"], None),
        (&["Diversion: <sip:\\>, <sip:good@a>"], Some("<sip:good@a>")),
        (&["Subject: none"], None),
        (
            &["History-Info: <sip:bob@a?Reason=SIP%3Bcause%3D486>;index=1, <sip:carol@a>;index=1.1"],
            Some("<sip:bob@a>"),
        ),
        (
            &[
                "History-Info: <sip:bob@a>;index=1, <sip:carol@a>;index=1.1;mp=1, <sip:carol@192.0.2.4>;index=1.1.1;rc=1.1",
            ],
            Some("<sip:bob@a>"),
        ),
        (&["History-Info: <sip:bob@a>;index=1, <sip:carol@a;cause=302>;index=1.1"], Some("<sip:bob@a>")),
        (&["History-Info: <sip:carol@a;cause=302>;index=1"], None),
        (&["History-Info: <sip:bob@a>;index=1, <sip:bob@192.0.2.3>;index=1.1;rc=1"], None),
    ] {
        assert_eq!(diverter(lines).as_deref(), expected, "{lines:?}");
    }
}

const FROM: &str = "From: \"Mallory\" <sip:mallory@evil.example>;tag=1";

#[test]
fn an_asserted_identity_is_believed_from_our_own_server_only() {
    let asserted =
        headers(&[FROM, "P-Asserted-Identity: <tel:+4930123>, \"Alice\" <sip:alice@home.example>"]);
    assert_eq!(caller(&asserted, true).unwrap().to_string(), "\"Alice\" <sip:alice@home.example>");
    assert_eq!(caller(&asserted, false).unwrap().to_string(), "\"Mallory\" <sip:mallory@evil.example>");
    let private = headers(&[FROM, "P-Asserted-Identity: <sip:alice@home.example>", "Privacy: critical;ID"]);
    assert_eq!(asserted_identity(&private, true), None);
    let older = headers(&[
        FROM,
        "Remote-Party-ID: \"Bob\" <sip:bob@home.example>;party=calling;privacy=off;screen=yes",
    ]);
    assert_eq!(caller(&older, true).unwrap().to_string(), "\"Bob\" <sip:bob@home.example>");
    let hidden = headers(&[FROM, "Remote-Party-ID: <sip:bob@home.example>;party=calling;privacy=full"]);
    assert_eq!(asserted_identity(&hidden, true), None);
    let called = headers(&[FROM, "Remote-Party-ID: <sip:bob@home.example>;party=called"]);
    assert_eq!(asserted_identity(&called, true), None);
    let nameless = headers(&[FROM, "P-Asserted-Identity: <sip:alice@home.example>"]);
    assert_eq!(caller(&nameless, true).unwrap().display.as_deref(), Some("Mallory"));
}

#[test]
fn a_shown_name_is_one_short_line_in_one_direction() {
    let address = |name: &str| NameAddr::with_display(name, Uri::parse("sip:a@b").unwrap());
    assert_eq!(display_name(&address(" A\tl\u{202e}i\r\nc\u{0}e\u{200f} ")), "Alice");
    assert_eq!(display_name(&address(&"ä".repeat(10_000))).chars().count(), 128);
    assert_eq!(display_name(&NameAddr::new(Uri::parse("sip:a@b").unwrap())), "");
}

#[test]
fn an_anonymous_caller_is_known_as_one() {
    for (address, expected) in [
        ("\"Anonymous\" <sip:anonymous@anonymous.invalid>", true),
        ("<sip:c8oqz84zk7z@Anonymous.invalid>", true),
        ("<sip:anonymous@192.0.2.1>", true),
        ("\"Anonymous\" <sip:alice@home.example>", false),
    ] {
        assert_eq!(is_anonymous(&NameAddr::parse(address).unwrap()), expected, "{address}");
    }
    let own = NameAddr::parse("\"Alice\" <sip:alice@home.example>;tag=1").unwrap();
    assert_eq!(anonymous(&own).to_string(), "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
    assert_eq!(preferred(&own).to_string(), "\"Alice\" <sip:alice@home.example>");
}
