use std::sync::mpsc::sync_channel;
use std::time::Duration;

use sidetone_media::DeviceError;

/// How long the user may think about it. Longer than what opens a camera waits, so a late answer is for the next try.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks the user once; the system remembers the answer.
pub(in crate::camera) fn ask() -> Result<(), DeviceError> {
    if nokhwa::nokhwa_check() {
        return Ok(());
    }
    let (tell, told) = sync_channel(1);
    nokhwa::nokhwa_initialize(move |granted| drop(tell.try_send(granted)));
    match told.recv_timeout(PATIENCE) {
        Ok(true) => Ok(()),
        _ => Err(DeviceError::Denied {
            device: "the camera (System Settings, Privacy & Security, Camera)".into(),
        }),
    }
}
