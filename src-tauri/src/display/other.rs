pub(crate) fn prepare() {}

/// Windows and macOS always have a display where a program can start.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn check() -> Result<(), String> {
    Ok(())
}
