//! Cameras, by nokhwa: Video4Linux, Media Foundation, AVFoundation.

mod choice;
mod grab;
mod list;
mod permission;

use std::sync::LazyLock;

use nokhwa::NokhwaError;
use sidetone_media::video::{ContentHint, Grabbers};
use sidetone_media::{DeviceError, Direction, OpenedVideo, VideoInfo, VideoWish};

pub(crate) use list::list;

static GRABBERS: LazyLock<Grabbers> = LazyLock::new(Grabbers::default);

/// Opens the camera of this id, the first one where it is `None`.
pub(crate) fn open(id: Option<&str>, wish: VideoWish) -> Result<OpenedVideo, DeviceError> {
    permission::ask()?;
    let listed = list::entries()?;
    let found = match id {
        Some(id) => listed.into_iter().find(|entry| entry.id == id),
        None => listed.into_iter().next(),
    };
    let Some(entry) = found else { return Err(absent(id)) };
    let (index, name) = (entry.index, entry.name.clone());
    let source =
        GRABBERS.open(&entry.name, ContentHint::Motion, move || grab::Camera::open(index, name, wish))?;
    Ok(OpenedVideo { source: Box::new(source), name: entry.name })
}

fn absent(id: Option<&str>) -> DeviceError {
    match id {
        Some(id) => DeviceError::NotFound { selection: format!("device:{id}"), direction: Direction::Input },
        None => DeviceError::Backend {
            reason: "this machine has no camera: plug one in, or choose a screen, a file or the bars".into(),
        },
    }
}

/// The words of the driver, as one of our errors.
fn refused(name: &str, error: &NokhwaError) -> DeviceError {
    let (device, words) = (name.to_owned(), error.to_string());
    let lower = words.to_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    if says(&["busy", "os error 16", "in use"]) {
        DeviceError::Busy { device }
    } else if says(&["permission", "os error 13", "access is denied", "authoriz"]) {
        DeviceError::Denied { device }
    } else if matches!(error, NokhwaError::GetPropertyError { .. } | NokhwaError::SetPropertyError { .. }) {
        DeviceError::Format { device, reason: words }
    } else {
        DeviceError::Backend { reason: format!("{device}: {words}") }
    }
}

/// Cameras for a list; none where there is nothing that could be asked.
pub(crate) fn infos() -> Vec<VideoInfo> {
    list().unwrap_or_else(|error| {
        tracing::debug!("cameras could not be listed: {error}");
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_driver_become_the_error_that_they_mean() {
        let open = |words: &str| NokhwaError::OpenDeviceError("0".into(), words.into());
        let of = |words: &str| refused("Cam", &open(words)).to_string();
        assert_eq!(
            of("V4L2 Error: Device or resource busy (os error 16)"),
            "Cam is in use by another program"
        );
        assert_eq!(of("V4L2 Error: Permission denied (os error 13)"), "no permission to use Cam");
        assert!(of("V4L2 Error: No such device (os error 19)").contains("No such device"));
    }

    #[test]
    fn absence_is_said_with_what_to_do() {
        assert!(absent(None).to_string().contains("no camera: plug one in"));
        assert!(absent(Some("HD Webcam")).to_string().contains("device:HD Webcam"));
    }
}
