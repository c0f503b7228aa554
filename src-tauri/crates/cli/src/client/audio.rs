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
    if let Selection::File(path) | Selection::LoopedFile(path) = &audio.mic {
        File::open(path)
            .map_err(|error| Error::new(Exit::Device, format!("--mic {}: {error}", path.display())))?;
    }
    if let Selection::File(path) = &audio.speaker {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            let message = format!("--speaker {}: there is no folder {}", path.display(), folder.display());
            return Err(Error::new(Exit::Device, message));
        }
    }
    Ok(())
}
