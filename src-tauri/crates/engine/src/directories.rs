use sidetone_api::{Failure, FailureCode};
use std::path::PathBuf;

/// Where the engine keeps files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directories {
    /// `settings.toml`.
    pub config: PathBuf,
    pub data: PathBuf,
    /// Facts about this run, read by other programs of the same user.
    pub runtime: PathBuf,
    /// Recordings, where the settings name no other folder.
    pub recordings: PathBuf,
    /// Recordings of streams, and snapshots, where the settings name no other folder.
    pub videos: PathBuf,
}

impl Directories {
    /// The platform's places: XDG on Linux, `Library` on macOS, `AppData` on Windows.
    ///
    /// # Errors
    /// [`FailureCode::Storage`] where the user has no home directory.
    pub fn of_the_platform() -> Result<Self, Failure> {
        let dirs = directories::ProjectDirs::from("app", "Sidetone", "sidetone")
            .ok_or_else(|| Failure::new(FailureCode::Storage, "this user has no home directory"))?;
        let data = dirs.data_local_dir().to_path_buf();
        let user = directories::UserDirs::new();
        let videos = user.as_ref().and_then(|user| user.video_dir().or_else(|| user.document_dir()));
        let sounds = user.as_ref().and_then(|user| user.audio_dir().or_else(|| user.document_dir()));
        Ok(Self {
            config: dirs.config_dir().to_path_buf(),
            runtime: dirs.runtime_dir().map_or_else(|| data.join("run"), PathBuf::from),
            recordings: sounds.map_or_else(|| data.join("recordings"), |sounds| sounds.join("Sidetone")),
            videos: videos.map_or_else(|| data.join("videos"), |videos| videos.join("Sidetone")),
            data,
        })
    }

    /// All of them below one folder, as tests and portable set-ups want it.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self {
            config: root.join("config"),
            data: root.join("data"),
            runtime: root.join("run"),
            recordings: root.join("recordings"),
            videos: root.join("videos"),
        }
    }
}
