//! A stream's sound in the place of who the far end of a call speaks with.

use super::{Answer, call::wrong_state};
use crate::{
    io::{
        media::{Ask as MediaAsk, PlayedSound},
        streams::{
            Ask, Key, Own, Tracks,
            receive::{self, Outlets},
        },
    },
    owner::{Owner, rooms::Whom, text},
    rest::RestReply,
};
use sidetone_api::{CallId, CallStatus, Event, Failure, FailureCode};
use sidetone_media::{Codec, Flow, Frame, Source};
use sidetone_peer::whip::Kind;
use std::{collections::HashMap, sync::Arc, time::Instant};

#[derive(Debug, Default)]
pub(super) struct Injections(HashMap<CallId, Injection>);

/// What one call hears.
#[derive(Debug)]
struct Injection {
    key: Key,
    own: Own,
    /// Until it is known what comes.
    begins: Option<(Outlets, Answer)>,
}

/// A played stream as a source.
struct StreamSound(PlayedSound);

impl Source for StreamSound {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        if self.0.pull(Instant::now(), frame) { Flow::Live } else { Flow::Starved }
    }

    fn is_microphone(&self) -> bool {
        false
    }
}

impl Injections {
    fn of_key(&self, key: Key) -> Option<CallId> {
        self.0.iter().find(|(_, injection)| injection.key == key).map(|(call, _)| call.clone())
    }
}

impl Owner {
    pub(super) fn inject_stream(&mut self, id: &str, name: String, answer: Answer) {
        let call = match self.call_named(id).and_then(|call| self.injectable(call)) {
            Ok(call) => call,
            Err(failure) => return drop(answer.send(Err(failure))),
        };
        if self.clients.rest.injections.0.contains_key(&call) {
            return drop(answer.send(Err(wrong_state("this call hears a stream already"))));
        }
        let may = self.may_have_name(Kind::Whep, &name, Whom::Stranger);
        if crate::check_stream_name(&name).is_err() || !may {
            return drop(answer.send(Err(Failure::not_found("stream", &text::shown(&name)))));
        }
        let key = self.streams.new_key();
        let (sink, outlets) = receive::sink();
        let own = Own::default();
        let injection = Injection { key, own: own.clone(), begins: Some((outlets, answer)) };
        self.clients.rest.injections.0.insert(call, injection);
        self.stream_door.ask(Ask::Play { stream: key, name, own, sink });
    }

    /// What comes is known. False where no call hears it.
    pub(in super::super::super) fn on_injection_tracks(&mut self, key: Key, tracks: &Tracks) -> bool {
        let Some(call) = self.clients.rest.injections.of_key(key) else { return false };
        let leg = self.calls.get(&call).and_then(|call| call.leg.as_ref()).map(|leg| leg.id);
        let Some(injection) = self.clients.rest.injections.0.get_mut(&call) else { return true };
        let Some((outlets, answer)) = injection.begins.take() else { return true };
        let codec = tracks.audio.as_ref().and_then(|track| track.codec.parse::<Codec>().ok());
        let counters = Arc::clone(&injection.own.counters);
        let sound = codec.map(|codec| PlayedSound::new(codec, outlets.sound, counters, 1.0));
        let problem = match (sound, leg) {
            (Some(Ok(sound)), Some(leg)) => {
                let source = Some(Box::new(StreamSound(sound)) as Box<dyn Source>);
                self.media.ask(MediaAsk::Inject { leg, source });
                let _ = answer.send(Ok(RestReply::Done));
                return true;
            }
            (Some(Err(error)), _) => text::shown(&error.to_string()),
            (None, _) => "the stream has no sound".into(),
            (_, None) => "the call has ended".into(),
        };
        self.end_injection(&call);
        let _ = answer.send(Err(wrong_state(&problem)));
        true
    }

    /// It cannot be played, or not any more. False where no call hears it.
    pub(in super::super::super) fn on_injection_ended(&mut self, key: Key, info: &str) -> bool {
        let Some(call) = self.clients.rest.injections.of_key(key) else { return false };
        let answer = self.end_injection(&call);
        if let Some(answer) = answer {
            let _ = answer.send(Err(Failure::new(FailureCode::NotFound, text::shown(info))));
        }
        true
    }

    pub(super) fn stop_injected_stream(&mut self, id: &str) -> Result<RestReply, Failure> {
        let call = self.call_named(id)?;
        if !self.clients.rest.injections.0.contains_key(&call) {
            return Err(Failure::new(FailureCode::NotFound, "this call hears no stream"));
        }
        self.end_injection(&call);
        Ok(RestReply::Done)
    }

    /// Who was waiting for its beginning.
    fn end_injection(&mut self, call: &CallId) -> Option<Answer> {
        let injection = self.clients.rest.injections.0.remove(call)?;
        self.stream_door.ask(Ask::End { stream: injection.key });
        injection.own.close();
        if let Some(leg) = self.calls.get(call).and_then(|call| call.leg.as_ref()) {
            self.media.ask(MediaAsk::Inject { leg: leg.id, source: None });
        }
        injection.begins.map(|(_, answer)| answer)
    }

    /// A call that is over hears nothing any more.
    pub(in super::super::super) fn end_injection_with(&mut self, event: &Event) {
        use CallStatus::{Busy, Failed, Finish};
        if let Event::CallStatusEvent { status: Finish | Busy | Failed, call_id, .. } = event
            && let Some(answer) = self.end_injection(&call_id.clone())
        {
            let _ = answer.send(Err(wrong_state("the call has ended")));
        }
    }
}
