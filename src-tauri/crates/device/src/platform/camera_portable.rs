use nokhwa::utils::CameraIndex;

/// The system lists nothing but cameras.
pub(crate) fn is_camera(_index: &CameraIndex) -> bool {
    true
}
