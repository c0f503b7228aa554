//! Which devices a run needs.

use crate::{
    arguments::Audio,
    exit::{Error, Exit},
};
use sidetone_api::AudioSettings;
use sidetone_device::Hardware;
use sidetone_media::{Devices, Selection, Synthetic};
use std::{fs::File, path::Path, sync::Arc};

/// The machine's devices only where they are meant: files and tones need no sound system and no memory for one.
pub(crate) fn devices(hardware: bool) -> Arc<dyn Devices> {
    if hardware { Arc::new(Hardware::new()) } else { Arc::new(Synthetic) }
}

pub(super) fn needs_hardware(audio: &Audio) -> bool {
    !(audio.mic.is_synthetic() && audio.speaker.is_synthetic())
}

pub(super) fn settings(audio: &Audio) -> AudioSettings {
    let mut settings = AudioSettings {
        microphone: audio.mic.to_string(),
        speaker: audio.speaker.to_string(),
        ..AudioSettings::default()
    };
    if !audio.codec.is_empty() {
        settings.codecs = audio.codec.iter().map(|codec| codec.name().to_owned()).collect();
        settings.codecs.dedup();
    }
    settings
}

/// A wrong file name is told before anything goes out on the network.
pub(super) fn check(audio: &Audio) -> Result<(), Error> {
    check_source("--mic", &audio.mic)?;
    check_sink("--speaker", &audio.speaker)
}

pub(crate) fn check_source(option: &str, source: &Selection) -> Result<(), Error> {
    match source {
        Selection::File(path) | Selection::LoopedFile(path) => check_file(option, path),
        _ => Ok(()),
    }
}

/// It can be read.
pub(crate) fn check_file(option: &str, path: &Path) -> Result<(), Error> {
    let opened = File::open(path);
    opened
        .map(drop)
        .map_err(|error| Error::new(Exit::Device, format!("{option} {}: {error}", path.display())))
}

pub(crate) fn check_sink(option: &str, sink: &Selection) -> Result<(), Error> {
    match sink {
        Selection::File(path) => check_folder(option, path),
        _ => Ok(()),
    }
}

/// There is a folder that a file can be in.
pub(crate) fn check_folder(option: &str, path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(());
    }
    let message = format!("{option} {}: there is no folder {}", path.display(), folder.display());
    Err(Error::new(Exit::Device, message))
}
