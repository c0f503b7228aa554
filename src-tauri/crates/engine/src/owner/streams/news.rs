//! What the streams' threads tell.

use super::{super::Owner, quality};
use crate::io::{
    clock,
    streams::{Key, Listed, News},
};
use sidetone_api::{
    Event, GatewayStream, NoticeLevel, StreamDirection, StreamId, StreamStatistics, StreamStatus, VideoView,
};

impl Owner {
    pub(in super::super) fn on_stream_news(&mut self, news: News) {
        match news {
            News::Ended { stream, info, .. } if self.on_client_snapshot_ended(stream, &info) => {}
            News::Ended { stream, info, .. } if self.on_injection_ended(stream, &info) => {}
            News::Ended { stream, info, .. } if self.on_spoken_ended(stream, &info) => {}
            News::Ended { stream, failed, .. } if self.on_room_call_stream_ended(stream, failed) => {}
            News::Ended { stream, info, failed } => self.on_stream_ended(stream, &info, failed),
            News::Flowing { stream } if self.on_client_flowing(stream) => {}
            News::Flowing { stream } if self.on_spoken_flowing(stream) => {}
            News::Flowing { stream } if self.on_room_call_flows(stream) => {}
            News::Flowing { stream } => self.on_stream_flowing(stream),
            News::Playing { stream, tracks } if self.on_client_snapshot_tracks(stream, &tracks) => {}
            News::Playing { stream, tracks } if self.on_injection_tracks(stream, &tracks) => {}
            News::Playing { stream, tracks } if self.on_room_call_tracks(stream, &tracks) => {}
            News::Playing { stream, tracks } => self.on_stream_tracks(stream, &tracks),
            News::Muted { stream, audio, video } if self.on_client_muted(stream, audio, video) => {}
            News::Muted { stream, audio, video } => {
                let Some(stream) = self.streams.of_key(stream) else { return };
                (stream.audio_muted, stream.video_muted) = (audio, video);
                let id = stream.id.clone();
                self.publish_stream_view(&id);
            }
            News::Candidate { stream, mid, candidate } => self.on_stream_candidate(stream, mid, candidate),
            News::GatheringDone { stream } => self.on_stream_gathered(stream),
            News::ServerFailed { stream, url, reason } => {
                if self.stream_id(stream).is_some() {
                    self.on_server_failed(&url, &reason);
                }
            }
            News::Disconnected { stream, info } => self.on_stream_disconnected(stream, &info),
            News::Left { session, info, failed } => {
                self.on_client_stream_left(session, &info, failed);
                self.on_session_left(session, &info, failed);
            }
            News::NarrowPlayer { session, kbit, most } => self.on_client_narrow(session, kbit, most),
            News::Fits { session, fits, kbit, most } => self.on_client_fits(session, fits, kbit, most),
            News::VideoRates(rates) => self.on_client_video_rates(rates),
            News::Measured { stream, statistics, size, players } => {
                self.on_stream_measured(stream, *statistics, size, players);
            }
            News::Problem { stream, problem } if self.has_call_video(stream) => {
                self.on_camera_problem(stream, problem);
            }
            News::Problem { stream, problem } => {
                let Some(stream) = self.streams.of_key(stream) else { return };
                stream.picture_problem = problem.map(|problem| super::super::text::shown(&problem));
                let (id, problem) = (stream.id.clone(), stream.picture_problem.clone());
                let is_published = stream.preview.is_none();
                if let Some(problem) = problem.filter(|_| is_published) {
                    self.notice(NoticeLevel::Warning, &problem, None);
                }
                self.publish_stream_view(&id);
            }
            News::Listed(list) => self.on_streams_listed(list),
        }
    }

    fn stream_id(&self, key: Key) -> Option<StreamId> {
        self.streams.by_key.get(&key).cloned()
    }

    fn on_stream_ended(&mut self, key: Key, info: &str, failed: bool) {
        let Some(id) = self.stream_id(key) else { return };
        let direction = self.streams.all.get(&id).map(|stream| stream.direction);
        let status = match (failed, direction) {
            (true, _) => StreamStatus::Failed,
            (false, Some(StreamDirection::Published)) => StreamStatus::Unpublished,
            (false, _) => StreamStatus::Stopped,
        };
        self.end_stream(&id, status, info);
    }

    fn on_stream_flowing(&mut self, key: Key) {
        if self.stream_id(key).is_none() {
            return self.on_guest_flowing(key);
        }
        let Some(stream) = self.streams.of_key(key).filter(|stream| !stream.paused) else { return };
        let status = if stream.is_published() { StreamStatus::Publishing } else { StreamStatus::Playing };
        let id = stream.id.clone();
        if let (Some((width, height)), Some(codec)) = (stream.own.counters.size(), &stream.video_codec) {
            stream.video = Some(VideoView { codec: codec.clone(), width, height });
        }
        stream.is_larger();
        self.set_stream_status(&id, status, "");
    }

    fn on_stream_measured(
        &mut self,
        key: Key,
        statistics: StreamStatistics,
        size: Option<(u32, u32)>,
        players: Option<u32>,
    ) {
        let Some(stream) = self.streams.of_key(key) else { return };
        let before = (stream.video.clone(), stream.players, stream.quality.clone());
        stream.quality = quality::judge(stream, &statistics);
        stream.statistics = Some(statistics);
        stream.players = players;
        if let (Some((width, height)), Some(codec)) = (size, &stream.video_codec) {
            stream.video = Some(VideoView { codec: codec.clone(), width, height });
        }
        let is_news = before != (stream.video.clone(), stream.players, stream.quality.clone());
        let status = stream.is_larger().then_some(StreamStatus::Playing).filter(|_| !stream.is_published());
        let id = stream.id.clone();
        self.publish(Event::StreamMeasured { stream_id: id.clone(), statistics });
        if is_news {
            self.publish_stream_view(&id);
        }
        if status.is_some() {
            self.on_own_room_stream(&id, status);
        }
    }

    fn on_streams_listed(&mut self, list: Vec<Listed>) {
        let now = clock::wallclock_ms();
        let before = std::mem::take(&mut self.streams.listed);
        let since = |key: Key| before.iter().find(|(other, _)| *other == key).map_or(now, |(_, it)| it.since);
        let listed = list.into_iter().map(|listed| {
            let stream = GatewayStream {
                video_codec: listed.tracks.video.map(|track| track.codec),
                audio_codec: listed.tracks.audio.map(|track| track.codec),
                players: listed.players,
                own: self.streams.by_key.contains_key(&listed.publisher),
                since: since(listed.publisher),
                name: listed.name,
            };
            (listed.publisher, stream)
        });
        self.streams.listed = listed.collect();
        if self.streams.listed != before {
            self.publish_gateway();
            self.follow_inserted_streams();
        }
    }
}
