//! What the held hear.

use super::{Errand, Owner};
use crate::io::media::{Ask, HoldMusic};
use sidetone_api::{HoldMusic as Wanted, NoticeLevel};
use sidetone_media::DeviceError;
use sidetone_media::device::{OpenedSource, Selection};
use std::sync::Arc;

/// A file of music, opened or not.
#[derive(Debug)]
pub(super) struct OpenedMusic {
    path: String,
    result: Result<OpenedSource, DeviceError>,
}

impl Owner {
    /// The settings say what it is. A file is opened on a thread of its own.
    pub(super) fn apply_hold_music(&mut self) {
        let path = match &self.settings.get().calls.hold_music {
            Wanted::Tune => return self.media.ask(Ask::HoldMusic(HoldMusic::Tune)),
            Wanted::Silence => return self.media.ask(Ask::HoldMusic(HoldMusic::Silence)),
            Wanted::File { path } => path.clone(),
        };
        let (devices, errands) = (Arc::clone(&self.desk.devices), self.errands.clone());
        tokio::task::spawn_blocking(move || {
            let selection = format!("loop:{path}").parse::<Selection>();
            let result = match selection {
                Ok(selection) => devices.open_source(&selection),
                Err(error) => Err(DeviceError::Backend { reason: error.to_string() }),
            };
            let _ = errands.blocking_send(Errand::HoldMusic(OpenedMusic { path, result }));
        });
    }

    pub(super) fn on_music_opened(&mut self, opened: OpenedMusic) {
        // Another may have been chosen meanwhile.
        if !matches!(&self.settings.get().calls.hold_music, Wanted::File { path } if *path == opened.path) {
            return;
        }
        match opened.result {
            Ok(opened) => self.media.ask(Ask::HoldMusic(HoldMusic::Source(opened.source))),
            Err(error) => {
                self.media.ask(Ask::HoldMusic(HoldMusic::Tune));
                let info = format!("the music for held calls cannot be played, our own tune is: {error}");
                self.notice(NoticeLevel::Warning, &info, None);
            }
        }
    }
}
