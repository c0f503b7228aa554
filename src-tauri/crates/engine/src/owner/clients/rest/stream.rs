//! Streams for programs: those of clients, of WHIP and WHEP, and our own.

use super::{super::status::Verdict, fits};
use crate::{
    clients::{ClientNews, Json},
    owner::{Owner, text},
    rest::{RestFilter, RestReply},
};
use serde_json::{Value, json};
use sidetone_api::{
    CallId, Failure, FailureCode, SessionId, StreamDirection, StreamId, StreamStatus, StreamView,
};
use std::collections::HashSet;

const ENDED: &str = "Stopped by rest /terminate";

/// Whose stream it is.
enum Whose {
    Client(SessionId, String),
    /// Of WHIP or WHEP.
    Guest(String),
    Own(StreamId, StreamDirection),
    /// The far end of a program's call.
    Call(CallId),
}

impl Owner {
    pub(super) fn every_stream(&self) -> Vec<Value> {
        self.streams_with_owners().into_iter().map(|(_, view)| view).collect()
    }

    fn streams_with_owners(&self) -> Vec<(Whose, Value)> {
        let clients = self.clients.all.iter().flat_map(|(session, client)| {
            client.streams.keys().filter_map(move |id| {
                let view = self.client_stream_view(session, id, "")?;
                let view = serde_json::to_value(view).ok()?;
                Some((Whose::Client(session.clone(), id.clone()), view))
            })
        });
        let guests = self.streams.guest_views().into_iter().map(|(id, mut view)| {
            if let Some(view) = view.as_object_mut() {
                view.insert("nodeId".into(), json!(self.hooks.node_id()));
            }
            (Whose::Guest(id), view)
        });
        let own = self.streams.views().into_iter().map(|view| {
            (Whose::Own(view.stream_id.clone(), view.direction), own_view(&view, self.hooks.node_id()))
        });
        let calls = self.spoken_views().into_iter().map(|(call, view)| (Whose::Call(call), view));
        clients.chain(guests).chain(own).chain(calls).collect()
    }

    pub(super) fn end_found_streams(
        &mut self,
        filter: &RestFilter,
        ids: Vec<String>,
    ) -> Result<RestReply, Failure> {
        let ids: HashSet<String> = ids.into_iter().collect();
        let is_named = |view: &Value| {
            ids.is_empty() || view["mediaSessionId"].as_str().is_some_and(|id| ids.contains(id))
        };
        let all = self.streams_with_owners().into_iter();
        let found = all.filter(|(_, view)| is_named(view) && fits(view, filter));
        let found: Vec<_> = found.map(|(whose, _)| whose).collect();
        if found.is_empty() {
            return Err(no_stream());
        }
        for whose in found {
            match whose {
                Whose::Client(session, id) => self.end_client_stream(&session, &id, Verdict::ended(ENDED)),
                Whose::Guest(id) => {
                    self.end_guest_as(&id, ENDED, false);
                }
                Whose::Call(call) => self.end_spoken(&call, ENDED),
                Whose::Own(id, direction) => {
                    let status = match direction {
                        StreamDirection::Published => StreamStatus::Unpublished,
                        StreamDirection::Played => StreamStatus::Stopped,
                    };
                    self.end_stream(&id, status, ENDED);
                }
            }
        }
        Ok(RestReply::Done)
    }

    pub(super) fn record_named(&mut self, id: &str, on: bool) -> Result<RestReply, Failure> {
        let all = self.streams_with_owners().into_iter();
        let mut found = all.filter(|(_, view)| view["mediaSessionId"] == id).map(|(whose, _)| whose);
        match found.next().ok_or_else(no_stream)? {
            Whose::Own(id, _) => self.record_stream(&id, on).map(|_| RestReply::Done),
            _ => {
                let words = "only streams that this program publishes or plays itself are recorded";
                Err(Failure::new(FailureCode::WrongState, words))
            }
        }
    }

    pub(super) fn send_stream_data(&mut self, name: &str, payload: &Value) -> Result<RestReply, Failure> {
        let payload = Json::from(payload.clone());
        if payload.as_str().len() > super::super::data::LONGEST_PAYLOAD {
            return Err(Failure::invalid("payload", "payload: it is too long"));
        }
        let known = self.every_stream().iter().any(|stream| stream["name"] == name);
        let legs = self.clients.all.iter().flat_map(|(session, client)| {
            client.legs_of(name).map(move |id| (session.clone(), id.to_owned()))
        });
        let legs: Vec<_> = legs.collect();
        if legs.is_empty() && !known {
            return Err(Failure::not_found("stream", &text::shown(name)));
        }
        for (session, id) in legs {
            let news = ClientNews::StreamEvent { id, kind: "data".into(), payload: payload.clone() };
            self.tell_client(&session, news);
        }
        Ok(RestReply::Done)
    }
}

fn no_stream() -> Failure {
    Failure::new(FailureCode::NotFound, "there is no such stream")
}

fn own_view(view: &StreamView, node: &str) -> Value {
    let published = view.direction == StreamDirection::Published;
    json!({
        "nodeId": node,
        "appKey": "",
        "sessionId": "",
        "mediaSessionId": view.stream_id,
        "name": view.name,
        "published": published,
        "hasVideo": view.video.is_some(),
        "hasAudio": view.audio.is_some(),
        "status": view.status.map_or_else(|| json!("PENDING"), |status| json!(status)),
        "info": view.info,
        "audioCodec": view.audio.as_ref().map(|audio| audio.name.as_str()),
        "videoCodec": view.video.as_ref().map(|video| video.codec.as_str()),
        "record": view.recording.is_some(),
        "createDate": view.started_at,
        "mediaType": if published { "publish" } else { "play" },
        "audioState": { "muted": view.audio_muted },
        "videoState": { "muted": view.video_muted },
        "mediaProvider": "WebRTC",
    })
}
