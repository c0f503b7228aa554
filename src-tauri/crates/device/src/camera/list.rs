use nokhwa::utils::{ApiBackend, CameraIndex};
use sidetone_media::{DeviceError, VideoInfo, VideoKind, VideoSelection};

use crate::names::Names;
use crate::platform::is_camera;

/// A camera that is there now.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its name, which stays when it is plugged in elsewhere; numbered where two have the same.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) index: CameraIndex,
}

pub(super) fn entries() -> Result<Vec<Entry>, DeviceError> {
    let mut infos = nokhwa::query(ApiBackend::Auto)
        .map_err(|error| DeviceError::Backend { reason: format!("cameras: {error}") })?;
    infos.retain(|info| is_camera(info.index()));
    // The order of discovery, which the system gives or not.
    infos.sort_by_key(|info| info.index().as_index().unwrap_or(u32::MAX));
    let mut names = Names::default();
    let entry = |info: &nokhwa::utils::CameraInfo| {
        let id = names.unique(&info.human_name());
        Entry { name: id.clone(), id, index: info.index().clone() }
    };
    Ok(infos.iter().map(entry).collect())
}

/// Every camera, the one that is opened by default first.
pub(crate) fn list() -> Result<Vec<VideoInfo>, DeviceError> {
    let info = |entry: Entry| VideoInfo {
        selection: VideoSelection::Device(entry.id),
        name: entry.name,
        kind: VideoKind::Camera,
    };
    Ok(entries()?.into_iter().map(info).collect())
}
