//! How statuses and ends of streams are told.

use super::super::{Owner, hooks};
use crate::hooks::{Fields, Hook, Verdict};
use crate::io::{clock, media, streams::Ask};
use sidetone_api::{Event, StreamDirection, StreamId, StreamStatus};

impl Owner {
    /// Begins a stream once the backend lets it, under the name that it wants.
    pub(super) fn gate_new_stream(
        &mut self,
        hook: Hook,
        id: &StreamId,
        begin: impl FnOnce(&mut Self, &StreamId) + 'static,
    ) {
        let Some((session, fields)) = self.stream_fields(id) else { return };
        if self.must_ask(hook, &session) {
            if let Some(stream) = self.streams.all.get_mut(id) {
                stream.info = hooks::ASKING.into();
            }
            self.publish_stream_view(id);
        }
        let stream = id.clone();
        self.gate(hook, &session, id.as_str(), fields, move |owner, verdict| {
            let Some(session) = owner.streams.all.get(&stream).map(|stream| stream.session.clone()) else {
                return;
            };
            let refused = match (verdict, session.and_then(|session| owner.refusal_of(&session))) {
                (Verdict::Refused { info }, _) | (_, Some(info)) => Err(info),
                (Verdict::Go(fields), None) => owner.rename_stream(hook, &stream, &fields),
            };
            match refused {
                Ok(()) => begin(owner, &stream),
                Err(info) => owner.end_stream(&stream, StreamStatus::Failed, &info),
            }
        });
    }

    /// Of what is played, the client keeps the name that it asked for: where it really comes from is the backend's affair.
    fn rename_stream(&mut self, hook: Hook, id: &StreamId, fields: &Fields) -> Result<(), String> {
        let Some(stream) = self.streams.all.get_mut(id) else { return Ok(()) };
        let Some(name) = hooks::changed(fields, "name").filter(|name| *name != stream.name) else {
            return Ok(());
        };
        if stream.name.contains("://") {
            return Err("the backend names another stream, which an endpoint's URL cannot have".into());
        }
        crate::check_stream_name(name).map_err(|failure| format!("of the backend: {failure}"))?;
        let session = stream.session().unwrap_or_default().to_owned();
        if hook == Hook::PlayStream || self.hooks.hides(&session, hook, "name") {
            stream.real_name = Some(name.to_owned());
        } else {
            stream.name = name.to_owned();
            self.publish_stream_view(id);
        }
        Ok(())
    }

    pub(in super::super) fn publish_stream_view(&mut self, id: &StreamId) {
        if let Some(room) = self.composed_room(id) {
            self.on_composed_changed(&room);
        }
        let Some(stream) = self.streams.all.get(id) else { return };
        let view = stream.view();
        match &stream.preview {
            Some(looking) => looking.tell(view.problem),
            None => {
                self.on_own_room_stream(id, None);
                self.publish(Event::StreamChanged { stream: view });
            }
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
            self.on_own_room_stream(id, Some(status));
            if let Some(room) = self.composed_room(id).filter(|_| status.is_end()) {
                self.on_composed_ended(&room, id);
            }
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
