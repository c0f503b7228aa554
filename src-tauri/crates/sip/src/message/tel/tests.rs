use super::*;

fn tel(number: &str, ext: Option<&str>, context: Option<&str>, post_dial: &str) -> Tel {
    Tel {
        number: number.into(),
        ext: ext.map(str::to_owned),
        context: context.map(str::to_owned),
        post_dial: post_dial.into(),
    }
}

#[test]
fn numbers_are_read_as_people_and_pages_write_them() {
    for (text, expected) in [
        ("tel:+49-30-1234-5678", tel("+493012345678", None, None, "")),
        ("TEL:+1.201.555.0123;ext=55", tel("+12015550123", Some("55"), None, "")),
        ("tel:7042;phone-context=example.com", tel("7042", None, Some("example.com"), "")),
        ("tel:863-1234;phone-context=+1-914-555", tel("8631234", None, Some("+1-914-555"), "")),
        ("tel:+4930123,,42#", tel("+4930123", None, None, ",,42#")),
        ("tel:+4930123%2C42%23", tel("+4930123", None, None, ",42#")),
        ("tel:+4930123pp1w2", tel("+4930123", None, None, ",,1w2")),
        ("tel:+358-555-1234567;postd=pp22", tel("+3585551234567", None, None, ",,22")),
        ("tel:+4930123;ext=7,9;postd=w1", tel("+4930123", Some("7"), None, ",9w1")),
        ("tel:+1-800-555;isub=12;Ext=3;x=y", tel("+1800555", Some("3"), None, "")),
        (" +49 (0) 30 / 123 45 ", tel("+493012345", None, None, "")),
        ("*31#0301", tel("*31#0301", None, None, "")),
        ("tel:7AB", tel("7AB", None, None, "")),
        ("110", tel("110", None, None, "")),
    ] {
        assert_eq!(Tel::parse(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_no_number_is_an_error_and_never_half_a_number() {
    for text in [
        "",
        "tel:",
        "tel:;ext=5",
        "+",
        "tel:+49x30",
        "alice",
        "12+34",
        "tel:1,2x",
        "tel:1;ext=x",
        "tel:1;postd=\r\n",
        "1\r\nVia: x",
        "tel:1%0D%0A2",
        "sip:alice@home.example",
        "٣٤",
        "bee",
        "tel:+4a",
        "+(0)",
    ] {
        assert!(Tel::parse(text).is_err(), "{text:?} gave {:?}", Tel::parse(text));
    }
    assert!(Tel::parse(&"1".repeat(10_000)).is_err());
    assert!(Tel::parse(&format!("+{}", "(0)".repeat(80))).is_err(), "bounded");
}

#[test]
fn what_follows_the_answer_is_a_list_of_steps() {
    let tel = Tel::parse("tel:+4930123;ext=12,,4w5w").unwrap();
    assert_eq!(
        tel.post_dial_steps(false),
        [
            PostDial::Pause(Duration::from_secs(4)),
            PostDial::Digits("4".into()),
            PostDial::Wait,
            PostDial::Digits("5".into()),
            PostDial::Wait
        ]
    );
    assert_eq!(tel.post_dial_steps(true)[..2], [PostDial::Pause(PAUSE), PostDial::Digits("12".into())]);
}
