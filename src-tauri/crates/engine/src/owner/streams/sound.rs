//! What a published stream's sound is mixed of.

use super::super::{Errand, Owner};
use crate::io::{
    media::{self, Fader, Input, Outlet, PublishedSound},
    streams::Key,
};
use sidetone_api::{AudioInput, CodecView, StreamId, StreamStatus};
use sidetone_media::{Codec, Devices, device::Selection};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

/// Between two tries to open what cannot be opened.
const BETWEEN_TRIES: Duration = Duration::from_secs(5);

/// The sources of a stream's sound, opened or not.
pub(in super::super) struct OpenedSound {
    key: Key,
    generation: u64,
    faders: Vec<Fader>,
    problem: Option<String>,
}

impl fmt::Debug for OpenedSound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedSound").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Owner {
    /// Starts the sound.
    pub(super) fn begin_sound(&mut self, id: &StreamId, codec: Codec) {
        let Some(stream) = self.streams.all.get_mut(id) else { return };
        let outlet = Outlet::of(self.stream_door.inlet(stream.key), &stream.own, stream.is_shown_only());
        match PublishedSound::new(codec, outlet, stream.audio_muted) {
            Ok(sound) => {
                stream.audio =
                    Some(CodecView { name: codec.name().into(), sample_rate: codec.sample_rate() });
                stream.mixed.clear();
                stream.input_problem = None;
                let ask = media::Ask::Publish { stream: stream.key, sound: Box::new(sound) };
                self.media.ask(ask);
                self.open_sound(id);
            }
            Err(error) => self.end_stream(id, StreamStatus::Failed, &error.to_string()),
        }
    }

    /// Opens what is to be mixed and is not yet, on a thread of its own, as that takes time.
    pub(super) fn open_sound(&mut self, id: &StreamId) {
        if self.open_composed_sound(id) {
            return;
        }
        let own = self.settings.get().audio.microphone.clone();
        let Some(stream) = self.streams.all.get_mut(id) else { return };
        let inputs = stream.sources.as_ref().map(|sources| sources.audio.clone()).unwrap_or_default();
        let is_own = move |input: &AudioInput| input.source == "default" || input.source == own;
        stream.uses_microphone = inputs.iter().any(&is_own);
        stream.generation += 1;
        stream.sound_due = None;
        let (key, generation) = (stream.key, stream.generation);
        let mut running = stream.mixed.clone();
        let (devices, errands) = (Arc::clone(&self.desk.devices), self.errands.clone());
        tokio::task::spawn_blocking(move || {
            let mut problem = None;
            let faders = inputs.into_iter().map(|input| {
                let is_running = running.iter().position(|name| *name == input.source);
                let opened = if is_own(&input) {
                    Ok(Input::Microphone)
                } else if let Some(at) = is_running {
                    // A file does not begin again because another fader came.
                    running.swap_remove(at);
                    Ok(Input::Running)
                } else {
                    open(&*devices, &input.source)
                };
                let AudioInput { source: name, gain } = input;
                match opened {
                    Ok(input) => Fader { name, input, gain },
                    Err(error) => {
                        problem.get_or_insert(error);
                        // It keeps its place. Without a name, it is opened again.
                        Fader { name: String::new(), input: Input::Source(media::silence()), gain }
                    }
                }
            });
            let faders = faders.collect();
            let opened = OpenedSound { key, generation, faders, problem };
            let _ = errands.blocking_send(Errand::StreamSound(opened));
        });
        self.want_devices();
    }

    pub(in super::super) fn on_stream_sound(&mut self, opened: OpenedSound) {
        let OpenedSound { key, generation, mut faders, problem } = opened;
        let Some(stream) = self.streams.of_key(key).filter(|stream| stream.generation == generation) else {
            // Nobody wants it any more, and closing it may take time.
            tokio::task::spawn_blocking(move || drop(faders));
            return;
        };
        // They may have been moved meanwhile.
        for (fader, input) in faders.iter_mut().zip(stream.sources.iter().flat_map(|sources| &sources.audio))
        {
            fader.gain = input.gain;
        }
        stream.mixed = faders.iter().map(|fader| fader.name.clone()).collect();
        stream.sound_due = problem.is_some().then(|| Instant::now() + BETWEEN_TRIES);
        let problem = problem.map(|problem| super::super::text::shown(&problem));
        let is_news = std::mem::replace(&mut stream.sound_problem, problem) != stream.sound_problem;
        let id = stream.id.clone();
        self.media.ask(media::Ask::Faders { stream: key, faders });
        if is_news {
            self.publish_stream_view(&id);
        }
    }

    /// Something that was open has a fault, or is well again.
    pub(in super::super) fn on_stream_inputs(&mut self, key: Key, problem: Option<String>) {
        let Some(stream) = self.streams.of_key(key) else { return };
        stream.input_problem = problem.map(|problem| super::super::text::shown(&problem));
        let id = stream.id.clone();
        self.publish_stream_view(&id);
    }

    pub(in super::super) fn next_opening_of_sound(&self) -> Option<Instant> {
        self.streams.all.values().filter_map(|stream| stream.sound_due).min()
    }

    pub(in super::super) fn open_due_sound(&mut self, now: Instant) {
        let due = self.streams.all.values().filter(|stream| stream.sound_due.is_some_and(|due| due <= now));
        for id in due.map(|stream| stream.id.clone()).collect::<Vec<_>>() {
            self.open_sound(&id);
        }
    }
}

fn open(devices: &dyn Devices, source: &str) -> Result<Input, String> {
    let selection = source.parse::<Selection>().map_err(|error| error.to_string())?;
    let opened = devices.open_source(&selection).map_err(|error| error.to_string())?;
    Ok(Input::Source(opened.source))
}
