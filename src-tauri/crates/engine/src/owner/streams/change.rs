//! Changes of a stream that goes on.

use super::{
    super::{Owner, kept::Answer},
    check::check_loudness,
    wrong_state,
};
use crate::io::media;
use sidetone_api::{
    Failure, FailureCode, Reply, StreamDirection, StreamId, StreamSources, VideoSourceKind, VideoSourceView,
};
use sidetone_media::device::VideoKind;
use std::{sync::Arc, time::Duration};

/// How long cameras and screens may take to be listed.
const LISTING: Duration = Duration::from_secs(5);

impl Owner {
    /// All of it, or where something of it is wrong nothing.
    pub(in super::super) fn change_stream(
        &mut self,
        id: &StreamId,
        sources: Option<StreamSources>,
        audio_muted: Option<bool>,
        video_muted: Option<bool>,
        volume: Option<f32>,
    ) -> Result<Reply, Failure> {
        if let Some(volume) = volume {
            check_loudness("volume", volume)?;
            self.stream_of(id, StreamDirection::Played)?;
        }
        let mutes = audio_muted.is_some() || video_muted.is_some();
        if sources.is_some() || mutes {
            self.stream_of(id, StreamDirection::Published)?;
        }
        if let Some(sources) = sources {
            self.change_sources(id, sources)?;
        }
        if mutes {
            self.mute_stream(id, audio_muted, video_muted)?;
        }
        if let Some(volume) = volume {
            let stream = self.stream(id)?;
            stream.volume = volume;
            let ask = media::Ask::Volume { stream: stream.key, volume };
            self.media.ask(ask);
        }
        self.publish_stream_view(id);
        Ok(Reply::Done)
    }

    pub(in super::super) fn retry_stream(&mut self, id: &StreamId) -> Result<Reply, Failure> {
        if self.stream(id)?.retry_at.is_none() {
            return Err(wrong_state("this stream does not wait for its next attempt"));
        }
        self.connect_again(id);
        Ok(Reply::Done)
    }

    /// Answered when the system has told what there is.
    pub(in super::super) fn get_video_sources(&self, answer: Answer) {
        let devices = Arc::clone(&self.desk.devices);
        tokio::spawn(async move {
            let listing = tokio::task::spawn_blocking(move || devices.list_video());
            let device = |reason: String| Err(Failure::new(FailureCode::Device, reason));
            let result = match tokio::time::timeout(LISTING, listing).await {
                Ok(Ok(Ok(list))) => {
                    let sources = list.into_iter().map(|info| VideoSourceView {
                        selection: info.selection.to_string(),
                        name: super::super::text::shown(&info.name),
                        kind: match info.kind {
                            VideoKind::Camera => VideoSourceKind::Camera,
                            VideoKind::Screen => VideoSourceKind::Screen,
                            VideoKind::Window => VideoSourceKind::Window,
                            VideoKind::Synthetic => VideoSourceKind::Synthetic,
                        },
                    });
                    Ok(Reply::VideoSources { sources: sources.collect() })
                }
                Ok(Ok(Err(error))) => device(error.to_string()),
                Ok(Err(error)) => device(error.to_string()),
                Err(_) => device(format!("cameras and screens do not answer within {} s", LISTING.as_secs())),
            };
            let _ = answer.send(result);
        });
    }
}
