//! Bodies of event packages and telephone numbers: what is accepted is bounded, and what is written is read back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_sip::body::{DialogInfo, Line, MessageSummary, Presence};
use sidetone_sip::message::Tel;

fuzz_target!(|bytes: &[u8]| {
    let _ = MessageSummary::parse(bytes);
    if let Ok(info) = DialogInfo::parse(bytes) {
        assert!(info.dialogs.len() <= 256);
        let mut line = Line::default();
        line.apply(&info);
        let _ = line.lit();
        let again = DialogInfo::parse(&info.to_xml()).expect("a written document can be read");
        assert_eq!(again.dialogs.len(), info.dialogs.len());
        assert_eq!(DialogInfo::parse(&again.to_xml()), Ok(again));
    }
    if let Ok(presence) = Presence::parse(bytes) {
        let again = Presence::parse(&presence.to_xml()).expect("a written document can be read");
        assert_eq!(again.available(), presence.available());
        assert_eq!(again.tuples.len(), presence.tuples.len());
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(tel) = Tel::parse(text) {
        assert!(tel.number.bytes().all(|byte| byte.is_ascii_hexdigit() || b"+*#".contains(&byte)));
        assert!(tel.post_dial.bytes().all(|byte| byte.is_ascii_hexdigit() || b"*#,w".contains(&byte)));
        let _ = tel.post_dial_steps(true);
        assert_eq!(Tel::parse(&format!("tel:{}", tel.number)).map(|again| again.number), Ok(tel.number));
    }
    written_by_code(text);
});

/// Any text that code puts into a document comes out as a document.
fn written_by_code(text: &str) {
    let presence = Presence::of(text, true, Some(text.to_owned()));
    assert_eq!(Presence::parse(&presence.to_xml()).expect("a written document can be read").available(), Some(true));
}
