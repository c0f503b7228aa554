//! Where pictures come from.

use super::{Client, check_file};
use crate::{
    arguments::Camera,
    exit::{Error, Exit},
};
use sidetone_api::{Command, Reply, VideoSourceKind};
use sidetone_media::device::VideoSelection;

/// A wrong file name is told before anything goes out on the network.
pub(crate) fn check_camera(camera: &Camera) -> Result<(), Error> {
    match camera {
        Camera::Source(VideoSelection::File(path) | VideoSelection::Image(path)) => {
            check_file("--camera", path)
        }
        _ => Ok(()),
    }
}

pub(crate) fn is_hardware(camera: &Camera) -> bool {
    match camera {
        Camera::None => false,
        Camera::Screen => true,
        Camera::Source(selection) => !selection.is_synthetic(),
    }
}

/// As the engine is told of it.
///
/// # Errors
/// There is no screen.
pub(crate) async fn find_camera(client: &Client, camera: &Camera) -> Result<Option<String>, Error> {
    match camera {
        Camera::None => Ok(None),
        Camera::Source(selection) => Ok(Some(selection.to_string())),
        Camera::Screen => {
            let Reply::VideoSources { sources } = client.command(Command::GetVideoSources).await? else {
                return Err(Error::new(Exit::Internal, "the engine did not list its screens"));
            };
            let screen = sources.into_iter().find(|source| source.kind == VideoSourceKind::Screen);
            let none = || Error::new(Exit::Device, "--camera screen: no screen is found on this machine");
            Ok(Some(screen.ok_or_else(none)?.selection))
        }
    }
}
