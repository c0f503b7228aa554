//! Bodies that want to cost more than they are worth.

use std::time::{Duration, Instant};

use sidetone_sip::body::{DialogInfo, Line, Lit, Presence};

fn refused(text: &str) -> String {
    let one = DialogInfo::parse(text.as_bytes()).unwrap_err().to_string();
    let other = Presence::parse(text.as_bytes()).unwrap_err().to_string();
    assert!(!one.contains('\n') && one.len() < 300 && other.len() < 300, "{one}");
    one
}

#[test]
fn what_is_no_document_is_an_error_that_says_so() {
    for text in [
        "",
        " ",
        "hello",
        "<",
        "<dialog-info",
        "<dialog-info>",
        "<dialog-info></presence>",
        "</dialog-info>",
        "<dialog-info/><dialog-info/>",
        "<other/>",
        "x<dialog-info/>",
        "<dialog-info/>x",
        "<dialog-info><dialog id=\" \"><state>early</state></dialog></dialog-info>",
        "<dialog-info a=\"1\" a=\"2\"/>",
        "<dialog-info>&unknown;</dialog-info>",
        "<dialog-info>&#0;</dialog-info>",
        "<dialog-info>&#xD800;</dialog-info>",
        "<dialog-info entity=\"&nope;\"/>",
        "<dialog-info entity=sip/>",
        "<!DOCTYPE dialog-info><dialog-info/>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><dialog-info>&a;</dialog-info>",
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><dialog-info/>",
    ] {
        refused(text);
    }
    assert!(DialogInfo::parse(&[0xff, 0xfe, b'<', 0]).is_err());
    assert!(DialogInfo::parse(b"<dialog-info entity=\"\xff\"/>").is_err());
}

#[test]
fn entities_are_not_expanded() {
    let mut laughs = String::from("<!DOCTYPE lolz [<!ENTITY lol \"lol\">");
    for level in 1..10 {
        laughs += &format!("<!ENTITY lol{level} \"{}\">", format!("&lol{};", level - 1).repeat(10));
    }
    laughs += "]><dialog-info>&lol9;</dialog-info>";
    assert!(refused(&laughs).contains("document type"));
}

#[test]
fn depth_size_and_number_are_bounded() {
    for text in [
        format!("{}{}", "<a>".repeat(100_000 / 7), "</a>".repeat(100_000 / 7)),
        "<dialog-info>".repeat(10_000),
        format!("<dialog-info>{}</dialog-info>", "<a/>".repeat(40_000)),
        format!("<dialog-info {}/>", (0..5000).map(|n| format!("a{n}=\"1\" ")).collect::<String>()),
        format!("<dialog-info>{}</dialog-info>", "x".repeat(300_000)),
        format!("<{}/>", "x".repeat(200_000)),
        "&amp;".repeat(50_000),
    ] {
        let start = Instant::now();
        refused(&text);
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}

#[test]
fn a_line_with_a_hundred_thousand_dialogs_costs_little_and_is_busy() {
    let dialog = |n: usize| format!("<dialog id=\"{n}\"><state>confirmed</state></dialog>");
    let document = |count: usize| {
        let dialogs: String = (0..count).map(dialog).collect();
        format!("<dialog-info version=\"1\" state=\"full\" entity=\"sip:a@b\">{dialogs}</dialog-info>")
    };
    refused(&document(100_000));
    let many = DialogInfo::parse(document(4000).as_bytes()).unwrap();
    assert!(many.truncated && many.dialogs.len() <= 256);
    let mut line = Line::default();
    for version in 0..1000 {
        let mut partial = many.clone();
        partial.full = false;
        partial.version = version;
        partial.dialogs.iter_mut().for_each(|dialog| dialog.id = format!("{version} {}", dialog.id));
        line.apply(&partial);
    }
    assert_eq!(line.lit(), Lit::Busy);
    assert!(format!("{line:?}").len() < 256 * 64, "a line holds no more dialogs than one document");
}

#[test]
fn cut_documents_are_errors_and_never_a_panic() {
    let whole = DialogInfo::parse(include_bytes!("whole.xml")).unwrap();
    assert_eq!(whole.dialogs.len(), 1);
    let bytes = include_bytes!("whole.xml");
    let end = bytes.len() - 1;
    for cut in 0..end {
        assert!(DialogInfo::parse(&bytes[..cut]).is_err(), "{cut}");
        let _ = Presence::parse(&bytes[cut..]);
    }
    for at in 0..end {
        for with in [b'<', b'&', 0, 0xff, b'"'] {
            let mut changed = bytes.to_vec();
            changed[at] = with;
            let _ = DialogInfo::parse(&changed);
        }
    }
}
