//! Small windows for one stream each, above all others.

use crate::lifecycle::MAIN;
use sidetone_api::{Failure, FailureCode, StreamId};
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

/// Windows for streams that can be open.
const MOST: usize = 16;
/// Bytes of a title; a longer one is cut off.
const LONGEST_TITLE: usize = 80;
const BEGINS: &str = "stream-";

/// Opens the window for a stream, or brings it to the front. `hash` tells its page which stream it is.
///
/// # Errors
/// `streamId` where that names no stream, `limit` where too many are open, and why the system opens no window.
pub(crate) fn open(app: &AppHandle, stream: &StreamId, hash: &str, title: &str) -> Result<(), Failure> {
    let label = label(stream)?;
    let failed = |error: tauri::Error| Failure::new(FailureCode::Device, error.to_string());
    if let Some(window) = app.get_webview_window(&label) {
        return window.set_focus().map_err(failed);
    }
    if app.webview_windows().len() > MOST {
        return Err(Failure::new(
            FailureCode::Limit,
            format!("{MOST} small windows are open, which is the most"),
        ));
    }
    let page = WebviewUrl::App(page(hash)?.into());
    let title: String = title.chars().filter(|c| !c.is_control()).take(LONGEST_TITLE).collect();
    let window = WebviewWindowBuilder::new(app, label, page).title(title).always_on_top(true);
    let window = window.inner_size(480.0, 270.0).min_inner_size(160.0, 90.0).visible(false);
    window.build().map(drop).map_err(failed)
}

/// Closes the small window that asks for it; the main one does not close so.
pub(crate) fn close(window: &WebviewWindow) -> Result<(), Failure> {
    if window.label() == MAIN {
        return Err(Failure::new(FailureCode::WrongState, "this is the main window"));
    }
    window.close().map_err(|error| Failure::new(FailureCode::Device, error.to_string()))
}

/// Whatever an engine's ids are made of.
fn label(stream: &StreamId) -> Result<String, Failure> {
    let id = stream.as_str();
    let is_one =
        (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_one {
        Ok(format!("{BEGINS}{id}"))
    } else {
        Err(Failure::invalid("streamId", "this names no stream"))
    }
}

/// Our own page, and no other.
fn page(hash: &str) -> Result<String, Failure> {
    let is_one = hash.starts_with("#stream=")
        && hash.len() <= 256
        && hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"#=-%".contains(&byte));
    if is_one {
        Ok(format!("index.html{hash}"))
    } else {
        Err(Failure::invalid("hash", "this names no stream"))
    }
}

#[cfg(test)]
mod tests {
    use super::{label, page};
    use sidetone_api::StreamId;

    #[test]
    fn a_window_is_for_a_stream_and_has_our_own_page() {
        assert_eq!(label(&StreamId::new("st1a-2")).unwrap(), "stream-st1a-2");
        for bad in ["", "../x", "a b", "main\n", &"x".repeat(65)] {
            assert_eq!(label(&StreamId::new(bad)).unwrap_err().field.as_deref(), Some("streamId"), "{bad:?}");
        }
        assert_eq!(page("#stream=st1a").unwrap(), "index.html#stream=st1a");
        for bad in ["", "#stage", "#stream=a/b", "https://evil.example/", "?x#stream=a"] {
            assert_eq!(page(bad).unwrap_err().field.as_deref(), Some("hash"), "{bad:?}");
        }
    }
}
