//! Who wants a stream's pictures or its encoded media.

use super::super::Owner;
use crate::io::streams::{Pictures, Units};
use sidetone_api::{Failure, FailureCode, StreamId};

impl Owner {
    pub(in super::super) fn stream_pictures(&mut self, id: &StreamId) -> Result<Pictures, Failure> {
        if let Some(pictures) = self.call_pictures(id.as_str()) {
            return Ok(pictures);
        }
        self.stream(id).map(|stream| stream.own.pictures())
    }

    pub(in super::super) fn stream_units(&mut self, id: &StreamId) -> Result<Units, Failure> {
        let stream = self.stream(id)?;
        let has_video = stream.video_codec.is_some();
        let units = stream.own.taps.open(has_video, stream.audio.is_some());
        let (key, is_published) = (stream.key, stream.is_published());
        if !is_published {
            self.stream_door.inlet(key).want_key_frame();
        }
        let message = "this stream has as many readers as it can have";
        units.ok_or_else(|| Failure::new(FailureCode::Limit, message))
    }
}
