//! Requests for key frames in INFO (RFC 5168), for peers without feedback in RTCP.

const MEDIA_CONTROL: &str = "application/media_control+xml";
const REQUEST: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<media_control><vc_primitive><to_encoder>\
                       <picture_fast_update/></to_encoder></vc_primitive></media_control>\r\n";

/// The type and body of an INFO that asks for a key frame.
pub(super) fn key_frame() -> (&'static str, Vec<u8>) {
    (MEDIA_CONTROL, REQUEST.into())
}

/// Whether an INFO asks for one. What else there is in the document does not matter.
pub(super) fn asks_for_key_frame(content_type: &str, body: &[u8]) -> bool {
    let asks = |text: &str| {
        text.match_indices("<picture_fast_update").any(|(at, tag)| {
            let after = text.get(at + tag.len()..).unwrap_or_default();
            after.starts_with(['>', '/']) || after.starts_with(char::is_whitespace)
        })
    };
    content_type == MEDIA_CONTROL && std::str::from_utf8(body).is_ok_and(asks)
}

#[cfg(test)]
mod tests {
    use super::{MEDIA_CONTROL, asks_for_key_frame, key_frame};

    #[test]
    fn a_request_for_a_key_frame_is_read_as_peers_write_it() {
        let (kind, own) = key_frame();
        assert!(asks_for_key_frame(kind, &own));
        let long =
            b"<media_control>\n<vc_primitive>\n<to_encoder>\n<picture_fast_update>\n</picture_fast_update>";
        assert!(asks_for_key_frame(MEDIA_CONTROL, long));
        assert!(asks_for_key_frame(MEDIA_CONTROL, b"<picture_fast_update />"));
        assert!(!asks_for_key_frame(MEDIA_CONTROL, b"<picture_fast_update_gob/>"));
        assert!(!asks_for_key_frame(MEDIA_CONTROL, b"<general_error>no</general_error>"));
        assert!(!asks_for_key_frame(MEDIA_CONTROL, b"\xff<picture_fast_update/>"));
        assert!(!asks_for_key_frame("application/dtmf", &own));
    }
}
