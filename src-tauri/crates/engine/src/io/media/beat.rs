//! What happens every 10 ms.

use super::{Join, LegId, News, leg::Leg, worker::Worker};
use sidetone_media::{FRAME_LEN, Frame, SILENCE};
use std::time::Instant;

impl Worker {
    /// First what is heard, which the speaker plays, then what is said: so the echo canceller knows what was played before
    /// it comes back.
    pub(super) fn beat(&mut self, now: Instant) {
        self.recordings.sound();
        self.hear(now);
        self.say(now);
        self.transcode(now);
        if !self.recordings.is_empty() {
            let legs = &self.legs;
            let said = |id: LegId| legs.get(&id).and_then(Leg::said);
            let heard = |id: LegId| legs.get(&id).and_then(Leg::heard);
            self.recordings.write(said, heard, &self.news);
        }
        self.conference.clear();
    }

    /// Decodes what the legs of the devices and of the conference received, and plays its mix.
    fn hear(&mut self, now: Instant) {
        for leg in self.legs.values_mut() {
            let joined = leg.joined();
            let listens = matches!(joined, Join::Devices | Join::Conference | Join::Room);
            leg.hear(now, listens || leg.other_ear().is_some(), &self.news);
            if joined == Join::Room {
                self.sounds.say_of(leg.id(), now, leg.heard().unwrap_or(&SILENCE));
                continue;
            }
            if let Some(sounding) = leg.sounding(now) {
                let wait = self.videos.sound_heard(leg.id(), sounding);
                leg.set_extra_delay(wait);
            }
            let Some(heard) = leg.heard() else { continue };
            if let Some(ear) = leg.other_ear() {
                ear.give(heard);
            }
            if !matches!(joined, Join::Devices | Join::Conference) {
                continue;
            }
            self.desk.mix(heard);
            if joined == Join::Conference {
                self.conference.add(heard);
            }
        }
        if !self.recordings.is_empty() {
            let mut beep: Frame = [0.0; FRAME_LEN];
            self.recordings.add_all_tones(&mut beep);
            self.desk.mix(&beep);
        }
        let desk = &mut self.desk;
        self.sounds.hear(now, |frame| desk.mix(frame));
        self.desk.play(&self.news);
    }

    /// The microphone goes to every leg of the devices and of the conference, and to no held one.
    fn say(&mut self, now: Instant) {
        let speaks = |leg: &Leg| matches!(leg.joined(), Join::Devices | Join::Conference) && leg.sends();
        let speaks = self.sounds.listens() || self.legs.values().any(speaks);
        self.desk.capture(speaks, &self.news);
        self.sounds.say(now, self.desk.captured());
        while let Some(gone) = self.sounds.take_gone() {
            self.desk.dispose(move || drop(gone));
        }
        let holds = self.legs.values().any(|leg| leg.joined() == Join::Hold && leg.sends());
        let music = if holds { Some(self.tape.play()) } else { None };
        for leg in self.legs.values_mut() {
            leg.dial(now);
            // Who is held hears our tune, and not the room that goes on.
            let is_kept_from_room = leg.joined() == Join::Hold && self.sounds.is_of_room(leg.id());
            let injected = leg.read_injected().filter(|_| !is_kept_from_room);
            if let Some(spent) = leg.take_spent() {
                self.desk.dispose(move || drop(spent));
            }
            match (leg.joined(), injected) {
                (_, Some(frame)) => leg.speak(now, &frame),
                (Join::Injected | Join::Room, None) => leg.speak(now, &SILENCE),
                (Join::Devices, None) => leg.say(now, self.desk.captured(), &self.recordings, None),
                (Join::Conference, None) => {
                    leg.say(now, self.desk.captured(), &self.recordings, Some(&self.conference));
                }
                (Join::Hold, None) => {
                    if let Some(music) = music {
                        leg.play_music(now, music);
                    }
                }
                (Join::Tone, None) => leg.tone(now),
                (Join::Nothing | Join::Echo | Join::Leg(_), None) => {}
            }
        }
    }

    /// Legs whose codecs differ from those of the leg that they are joined to.
    fn transcode(&mut self, now: Instant) {
        let mut frame: Frame = [0.0; FRAME_LEN];
        let mut from = self.next_transcoding(None);
        while let Some((id, to)) = from {
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.listen(now, &mut frame);
            }
            if let Some(other) = self.legs.get_mut(&to).filter(|other| !other.is_injected()) {
                other.speak(now, &frame);
            }
            from = self.next_transcoding(Some(id));
        }
    }

    fn next_transcoding(&self, after: Option<LegId>) -> Option<(LegId, LegId)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let start = after.map_or(Unbounded, Excluded);
        self.legs.range((start, Unbounded)).find_map(|(id, leg)| match leg.joined() {
            Join::Leg(other) if leg.is_transcoding() => Some((*id, other)),
            Join::Echo if leg.is_transcoding() => Some((*id, *id)),
            _ => None,
        })
    }

    /// RTCP, keep-alives, the figures for the screen, and what is wrong with the sound.
    pub(super) fn reports(&mut self, now: Instant) {
        self.videos.report(now, &mut self.buffer, &self.news);
        for (stream, problem) in self.sounds.look() {
            let _ = self.news.try_send(News::StreamSound { stream, problem });
        }
        let microphone = self.desk.microphone_state();
        for leg in self.legs.values_mut() {
            leg.report(now, &mut self.buffer, &self.news);
            let id = leg.id();
            leg.watch(now, &self.news, || self.videos.beside(id).map(|video| video.measure(now)));
            if let Some(problem) = leg.look(now, microphone) {
                let _ = self.news.try_send(News::Sound { leg: leg.id(), problem });
            }
        }
    }
}
