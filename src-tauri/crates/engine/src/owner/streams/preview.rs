//! Sources that somebody looks at before they are published: streams of which nobody else hears.

use super::{
    super::{Errand, Owner},
    Stream,
    check::check_sources,
    publish::encoding,
};
use crate::{io::streams::send::Control, preview::Preview};
use sidetone_api::{Failure, FailureCode, StreamDirection, StreamId, StreamSources, StreamStatus};
use sidetone_media::Codec;
use tokio::sync::{oneshot, watch};

/// A window looks at one.
const MOST: usize = 4;

/// Who looks.
#[derive(Debug)]
pub(super) struct Looking(watch::Sender<Option<String>>);

impl Looking {
    /// Nobody is told.
    pub(super) fn nobody() -> Self {
        Self(watch::channel(None).0)
    }

    pub(super) fn tell(&self, problem: Option<String>) {
        self.0.send_if_modified(|told| std::mem::replace(told, problem.clone()) != problem);
    }
}

impl Stream {
    /// It is looked at here, and nothing of it goes anywhere.
    pub(super) fn is_shown_only(&self) -> bool {
        self.preview.is_some() && self.composed.is_none()
    }
}

impl Owner {
    pub(in super::super) fn preview(&mut self, sources: StreamSources) -> Result<Preview, Failure> {
        check_sources(&sources)?;
        if self.streams.all.values().filter(|stream| stream.is_shown_only()).count() >= MOST {
            let message = format!("{MOST} previews are open, which is the most");
            return Err(Failure::new(FailureCode::Limit, message));
        }
        let settings = self.settings.get().video.clone();
        let nothing = StreamSources::default();
        let id = self.new_stream(StreamDirection::Published, String::new(), Some(nothing), settings)?;
        let (told, problem) = watch::channel(None);
        let Ok(stream) = self.stream(&id) else { return Err(Failure::not_found("preview", id.as_str())) };
        stream.preview = Some(Looking(told));
        let pictures = stream.own.pictures();
        if let Err(failure) = self.change_preview(&id, sources) {
            self.end_preview(&id);
            return Err(failure);
        }
        let (looking, left) = oneshot::channel::<()>();
        let (errands, whose) = (self.errands.clone(), id.clone());
        tokio::spawn(async move {
            let _ = left.await;
            let _ = errands.send(Errand::PreviewLeft(whose)).await;
        });
        Ok(Preview { id, pictures, problem, looking })
    }

    pub(in super::super) fn change_preview(
        &mut self,
        id: &StreamId,
        sources: StreamSources,
    ) -> Result<(), Failure> {
        let scene = check_sources(&sources)?;
        let stream = self.stream(id)?;
        if !stream.is_shown_only() {
            return Err(Failure::not_found("preview", id.as_str()));
        }
        let (shows, hears) = (stream.sending.is_some(), stream.audio.is_some());
        let encoding = encoding(&stream.settings)?;
        // A stream cannot get a picture or a sound that it began without; a preview can.
        let (begins, is_heard) = (scene.is_some() && !shows, !sources.audio.is_empty() && !hears);
        let before = stream.sources.get_or_insert_default();
        if begins {
            (before.video, before.inset) = (sources.video.clone(), sources.inset.clone());
        }
        if is_heard {
            before.audio.clone_from(&sources.audio);
        }
        if begins {
            self.begin_sending(id, scene.map(|scene| (scene, encoding)), Control::default());
        }
        if is_heard {
            self.begin_sound(id, Codec::Opus);
        }
        if sources.video.is_none()
            && let Ok(stream) = self.stream(id)
        {
            stream.sending = None;
            stream.picture_problem = None;
        }
        self.change_sources(id, sources)?;
        self.publish_stream_view(id);
        Ok(())
    }

    pub(in super::super) fn end_preview(&mut self, id: &StreamId) {
        if self.streams.all.get(id).is_some_and(Stream::is_shown_only) {
            self.end_stream(id, StreamStatus::Unpublished, "");
        }
    }
}
