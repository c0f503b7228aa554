//! What happens every 10 ms.

use super::{Join, LegId, worker::Worker};
use sidetone_media::{FRAME_LEN, Frame};
use std::time::Instant;

impl Worker {
    /// Capture goes to every leg that is joined to the devices, what they play is mixed for the speaker; tones and
    /// transcoded legs get their frames.
    pub(super) fn beat(&mut self, now: Instant) {
        let speaks = self.legs.values().any(|leg| leg.joined() == Join::Devices && leg.sends());
        self.desk.capture(speaks, &self.news);
        let mut frame: Frame = [0.0; FRAME_LEN];
        for leg in self.legs.values_mut() {
            leg.dial(now);
            match leg.joined() {
                Join::Devices => {
                    leg.speak(now, self.desk.captured());
                    if leg.listen(now, &mut frame) {
                        self.desk.mix(&frame);
                    }
                }
                Join::Tone => leg.tone(now),
                Join::Nothing | Join::Echo | Join::Leg(_) => {}
            }
        }
        self.transcode(now, &mut frame);
        self.desk.play(&self.news);
    }

    /// Legs whose codecs differ from those of the leg that they are joined to.
    fn transcode(&mut self, now: Instant, frame: &mut Frame) {
        let mut from = self.next_transcoding(None);
        while let Some((id, to)) = from {
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.listen(now, frame);
            }
            if let Some(other) = self.legs.get_mut(&to) {
                other.speak(now, frame);
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
}
