//! Who speaks, who has spoken most of late, and whether anything is heard of each: from how loud each is, five times a second.

use sidetone_api::{Level, ParticipantId};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// Between two looks.
pub(crate) const LOOK: Duration = Duration::from_millis(200);
/// dBFS of speech, at the least.
const SPEECH: f32 = -45.0;
/// A pause between two words.
const PAUSE: Duration = Duration::from_millis(600);
/// Microphones of rooms where nothing is said are louder; a track that is switched off is not.
const NOTHING: f32 = -85.0;
/// Nothing for so long, and it is not heard.
const SILENT: Duration = Duration::from_secs(5);
/// How fast what was said is forgotten, per look: half of it in 1.4 s.
const FADES: f32 = 0.1;
/// Another one becomes the active one where it is so much above, and no sooner than this after the last change.
const ABOVE: f32 = 3.0;
const STAYS: Duration = Duration::from_secs(2);

/// What comes of one participant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sound {
    /// `None`: it has no sound at all.
    pub(crate) level: Option<Level>,
    pub(crate) muted: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Voices {
    all: HashMap<ParticipantId, Voice>,
    active: Option<(ParticipantId, Instant)>,
}

#[derive(Debug)]
struct Voice {
    /// When it was last as loud as speech.
    spoke: Option<Instant>,
    speaking: bool,
    /// Of speech, dB above [`SPEECH`], of late.
    recent: f32,
    /// When anything at all was heard; at first, when it was looked at first.
    heard: Option<Instant>,
    since: Instant,
    audible: Option<bool>,
}

impl Voices {
    pub(crate) fn is_speaking(&self, id: &ParticipantId) -> bool {
        self.all.get(id).is_some_and(|voice| voice.speaking)
    }

    pub(crate) fn is_active(&self, id: &ParticipantId) -> bool {
        self.active.as_ref().is_some_and(|(active, _)| active == id)
    }

    /// `None` where it is muted, has no sound, or has not been listened to for long enough.
    pub(crate) fn is_heard(&self, id: &ParticipantId) -> Option<bool> {
        self.all.get(id)?.audible
    }

    /// True where something is not as it was shown.
    pub(crate) fn look(&mut self, now: Instant, sounds: &[(ParticipantId, Sound)]) -> bool {
        let mut changed = false;
        self.all.retain(|id, _| sounds.iter().any(|(other, _)| other == id));
        for (id, sound) in sounds {
            let voice = self.all.entry(id.clone()).or_insert_with(|| Voice::new(now));
            changed |= voice.look(now, *sound);
        }
        changed | self.choose(now)
    }

    fn choose(&mut self, now: Instant) -> bool {
        let gone = |(id, _): &(ParticipantId, Instant)| !self.all.contains_key(id);
        let is_gone = self.active.as_ref().is_some_and(gone);
        if is_gone {
            self.active = None;
        }
        let speaking = self.all.iter().filter(|(_, voice)| voice.speaking);
        let Some((id, loudest)) = speaking.max_by(|a, b| a.1.recent.total_cmp(&b.1.recent)) else {
            return is_gone;
        };
        if let Some((active, since)) = &self.active {
            let recent = self.all.get(active).map_or(0.0, |voice| voice.recent);
            if active == id
                || loudest.recent < recent + ABOVE
                || now.saturating_duration_since(*since) < STAYS
            {
                return is_gone;
            }
        }
        self.active = Some((id.clone(), now));
        true
    }
}

impl Voice {
    fn new(now: Instant) -> Self {
        Self { spoke: None, speaking: false, recent: 0.0, heard: None, since: now, audible: None }
    }

    fn look(&mut self, now: Instant, sound: Sound) -> bool {
        let before = (self.speaking, self.audible);
        let level = sound.level.filter(|_| !sound.muted).map(|level| level.rms);
        if level.is_some_and(|rms| rms >= SPEECH) {
            self.spoke = Some(now);
        }
        let is_recent =
            |at: Option<Instant>, time| at.is_some_and(|at| now.saturating_duration_since(at) < time);
        self.speaking = level.is_some() && is_recent(self.spoke, PAUSE);
        let above = level.map_or(0.0, |rms| (rms - SPEECH).max(0.0));
        self.recent += (above - self.recent) * FADES;
        match level {
            None => (self.heard, self.since, self.audible) = (None, now, None),
            Some(rms) => {
                if rms > NOTHING {
                    self.heard = Some(now);
                }
                let is_silent = now.saturating_duration_since(self.since) >= SILENT;
                self.audible = match self.heard {
                    Some(_) if is_recent(self.heard, SILENT) => Some(true),
                    Some(_) => Some(false),
                    None => is_silent.then_some(false),
                };
            }
        }
        before != (self.speaking, self.audible)
    }
}

#[cfg(test)]
mod tests {
    use super::{LOOK, Sound, Voices};
    use sidetone_api::{Level, ParticipantId};
    use std::time::{Duration, Instant};

    struct Scene {
        voices: Voices,
        now: Instant,
    }

    fn id(name: &str) -> ParticipantId {
        ParticipantId::new(name)
    }

    fn at(rms: f32) -> Sound {
        Sound { level: Some(Level { rms, peak: rms + 10.0 }), muted: false }
    }

    const MUTED: Sound = Sound { level: Some(Level { rms: -20.0, peak: -10.0 }), muted: true };
    const NONE: Sound = Sound { level: None, muted: false };

    impl Scene {
        fn new() -> Self {
            Self { voices: Voices::default(), now: Instant::now() }
        }

        /// How often something changed.
        fn pass(&mut self, time: Duration, sounds: &[(&str, Sound)]) -> usize {
            let sounds: Vec<_> = sounds.iter().map(|(name, sound)| (id(name), *sound)).collect();
            let end = self.now + time;
            let mut changes = 0;
            while self.now < end {
                self.now += LOOK;
                changes += usize::from(self.voices.look(self.now, &sounds));
            }
            changes
        }
    }

    #[test]
    fn speech_is_told_at_once_and_a_pause_between_words_is_none() {
        let mut scene = Scene::new();
        scene.pass(LOOK, &[("ann", at(-30.0)), ("bob", at(-60.0))]);
        assert!(scene.voices.is_speaking(&id("ann")) && !scene.voices.is_speaking(&id("bob")));
        scene.pass(LOOK * 2, &[("ann", at(-70.0)), ("bob", at(-60.0))]);
        assert!(scene.voices.is_speaking(&id("ann")));
        scene.pass(LOOK * 2, &[("ann", at(-70.0)), ("bob", at(-60.0))]);
        assert!(!scene.voices.is_speaking(&id("ann")));
        scene.pass(LOOK, &[("ann", MUTED)]);
        assert!(!scene.voices.is_speaking(&id("ann")));
    }

    #[test]
    fn the_active_one_stays_while_another_coughs_and_goes_when_another_speaks() {
        let mut scene = Scene::new();
        let second = Duration::from_secs(1);
        scene.pass(second * 3, &[("ann", at(-25.0)), ("bob", at(-70.0))]);
        assert!(scene.voices.is_active(&id("ann")));
        scene.pass(LOOK, &[("ann", at(-25.0)), ("bob", at(-5.0))]);
        assert!(scene.voices.is_active(&id("ann")));
        scene.pass(second * 2, &[("ann", at(-70.0)), ("bob", at(-70.0))]);
        assert!(scene.voices.is_active(&id("ann")), "nobody else speaks");
        scene.pass(second * 3, &[("ann", at(-70.0)), ("bob", at(-25.0))]);
        assert!(scene.voices.is_active(&id("bob")) && !scene.voices.is_active(&id("ann")));
        assert_eq!(scene.pass(LOOK, &[("ann", at(-70.0))]), 1);
        assert!(!scene.voices.is_active(&id("bob")), "it has left");
        assert_eq!(scene.pass(second, &[("ann", at(-70.0))]), 0, "nothing happens");
    }

    #[test]
    fn of_whom_nothing_comes_that_is_said_and_of_who_is_muted_it_is_not_known() {
        let mut scene = Scene::new();
        let of = |scene: &Scene, name: &str| scene.voices.is_heard(&id(name));
        let all = |quiet: f32| [("ann", at(-60.0)), ("bob", at(quiet)), ("cem", MUTED), ("dan", NONE)];
        scene.pass(LOOK, &all(-100.0));
        assert_eq!((of(&scene, "ann"), of(&scene, "bob")), (Some(true), None));
        scene.pass(Duration::from_secs(6), &all(-100.0));
        assert_eq!((of(&scene, "ann"), of(&scene, "bob")), (Some(true), Some(false)));
        assert_eq!((of(&scene, "cem"), of(&scene, "dan")), (None, None));
        scene.pass(LOOK, &all(-70.0));
        assert_eq!(of(&scene, "bob"), Some(true));
        scene.pass(Duration::from_secs(6), &all(-100.0));
        assert_eq!(of(&scene, "bob"), Some(false));
    }
}
