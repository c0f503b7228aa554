//! Streams at WHIP and WHEP endpoints.

use super::super::Owner;
use crate::io::streams::Key;
use sidetone_api::{Secret, StreamId, StreamStatus};

impl Owner {
    pub(super) fn publish_url(&mut self, id: &StreamId, _token: Option<Secret>) {
        self.end_stream(id, StreamStatus::Failed, "endpoints are not built yet");
    }

    pub(super) fn play_url(&mut self, id: &StreamId, _token: Option<Secret>) {
        self.end_stream(id, StreamStatus::Failed, "endpoints are not built yet");
    }

    pub(super) fn connect_again(&mut self, _id: &StreamId) {}

    pub(super) fn disconnect_stream(&mut self, _id: &StreamId) {}

    pub(super) fn on_stream_candidate(&mut self, _key: Key, _mid: String, _candidate: String) {}

    pub(super) fn on_stream_gathered(&mut self, _key: Key) {}

    pub(super) fn on_stream_disconnected(&mut self, _key: Key, _info: &str) {}

    pub(super) fn on_session_left(&mut self, _key: Key) {}
}
