use sidetone_media::DeviceError;

/// The system asks by itself, or refuses when the camera is opened.
#[expect(clippy::unnecessary_wraps, reason = "another system has something to refuse")]
pub(in crate::camera) fn ask() -> Result<(), DeviceError> {
    Ok(())
}
