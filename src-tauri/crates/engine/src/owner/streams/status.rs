//! How statuses and ends of streams are told.

use super::super::Owner;
use crate::io::{clock, media, streams::Ask};
use sidetone_api::{Event, StreamDirection, StreamId, StreamStatus};

impl Owner {
    pub(super) fn publish_stream_view(&mut self, id: &StreamId) {
        let Some(stream) = self.streams.all.get(id) else { return };
        let view = stream.view();
        match &stream.preview {
            Some(looking) => looking.tell(view.problem),
            None => self.publish(Event::StreamChanged { stream: view }),
        }
    }

    pub(super) fn set_stream_status(&mut self, id: &StreamId, status: StreamStatus, info: &str) {
        let Some(stream) = self.streams.all.get_mut(id).filter(|stream| stream.preview.is_none()) else {
            return;
        };
        let is_news = stream.status.replace(status) != Some(status);
        stream.info = super::super::text::shown(info);
        if matches!(status, StreamStatus::Publishing | StreamStatus::Playing) {
            stream.live_at.get_or_insert_with(clock::wallclock_ms);
            stream.retry_at = None;
        }
        if stream.retry_at.is_none() && matches!(status, StreamStatus::Publishing | StreamStatus::Playing) {
            self.on_stream_live(id);
        }
        let Some(stream) = self.streams.all.get(id) else { return };
        let event = Event::StreamStatusEvent {
            status,
            stream_id: id.clone(),
            name: stream.name.clone(),
            info: stream.info.clone(),
        };
        if is_news {
            self.publish(event);
        }
        self.publish_stream_view(id);
    }

    /// The one place where streams end.
    pub(in super::super) fn end_stream(&mut self, id: &StreamId, status: StreamStatus, info: &str) {
        if !self.streams.all.contains_key(id) {
            return;
        }
        self.disconnect_stream(id);
        self.set_stream_status(id, status, info);
        let Some(stream) = self.streams.all.remove(id) else { return };
        self.streams.by_key.remove(&stream.key);
        self.stream_door.ask(Ask::End { stream: stream.key });
        self.media.ask(media::Ask::EndStream { stream: stream.key });
        stream.own.close();
        self.want_devices();
    }

    /// At the end of the engine, and where everything is deleted.
    pub(in super::super) fn end_streams(&mut self) {
        let all = self.streams.all.values().map(|stream| (stream.id.clone(), stream.direction));
        for (id, direction) in all.collect::<Vec<_>>() {
            let status = match direction {
                StreamDirection::Published => StreamStatus::Unpublished,
                StreamDirection::Played => StreamStatus::Stopped,
            };
            self.end_stream(&id, status, "Stopped by user");
        }
        self.end_sessions();
    }
}
