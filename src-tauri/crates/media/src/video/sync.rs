//! Lip synchronisation. Sender reports tell which RTP timestamps of sound and pictures were taken together (RFC 3550,
//! 6.4.1). Whichever of the two would come first waits: pictures at once, the sound as fast as its buffer can without being
//! heard to.

use std::time::{Duration, Instant};

use crate::video::codec::VIDEO_CLOCK_RATE;

/// Nobody sees or hears a difference up to this (ITU-R BT.1359 allows more).
pub const TOLERANCE: Duration = Duration::from_millis(40);

/// Larger differences are no delay but wrong reports.
const BELIEVED: f64 = 5.0;

/// Largest delay that is asked of either.
const LONGEST: Duration = Duration::from_millis(800);

/// Seconds that the pictures' delay moves at most for each second that passes, once it was found.
const SLEW: f64 = 0.05;

/// Seconds over which the sound's delay is averaged: single pictures come at any time.
const AVERAGED: f64 = 0.5;

/// Relates the RTP timestamps of one stream to the sender's clock.
#[derive(Debug, Clone, Copy)]
struct Report {
    /// Seconds of the sender's clock.
    ntp: f64,
    timestamp: u32,
    clock_rate: u32,
}

impl Report {
    fn sender_time(&self, timestamp: u32) -> f64 {
        let ticks = timestamp.wrapping_sub(self.timestamp) as i32;
        self.ntp + f64::from(ticks) / f64::from(self.clock_rate)
    }
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    timestamp: u32,
    at: Instant,
    waited: f64,
}

/// Keeps the pictures of a stream with its sound.
#[derive(Debug, Default)]
pub struct AvSync {
    audio: Option<Report>,
    video: Option<Report>,
    heard: Option<Heard>,
    video_delay: f64,
    /// What the sound would have to wait, averaged.
    audio_delay: Option<f64>,
    /// What it is asked to.
    asked: f64,
    /// Sound's lead over the picture, seconds.
    skew: Option<f64>,
    updated: Option<Instant>,
}

impl AvSync {
    /// A sender report of the sound; `ntp` is 32.32 bits as in the report.
    pub fn handle_audio_report(&mut self, ntp: u64, timestamp: u32, clock_rate: u32) {
        self.audio = report(ntp, timestamp, clock_rate);
    }

    /// A sender report of the pictures.
    pub fn handle_video_report(&mut self, ntp: u64, timestamp: u32) {
        self.video = report(ntp, timestamp, VIDEO_CLOCK_RATE);
    }

    /// The sample of `timestamp` leaves the speaker at `at`, `waited` later than the network asks for, such as for
    /// [`Self::wanted_audio_delay`]. Called a few times a second at least.
    pub fn handle_heard(&mut self, timestamp: u32, at: Instant, waited: Duration) {
        self.heard = Some(Heard { timestamp, at, waited: waited.as_secs_f64() });
    }

    /// Sound stopped: pictures need not wait for it.
    pub fn handle_silence(&mut self) {
        (self.heard, self.skew) = (None, None);
    }

    /// A picture of `timestamp` would be shown at `own` by its own buffer, without any delay from here. Gives the delay
    /// to add, for [`super::receive::VideoReceiver::set_sync_delay`].
    pub fn handle_picture(&mut self, timestamp: u32, own: Instant, now: Instant) -> Duration {
        let Some((late, waited)) = self.late(timestamp, own) else {
            return Duration::from_secs_f64(self.video_delay);
        };
        // Positive: the picture would come before its sound.
        let limit = LONGEST.as_secs_f64();
        let video = late.clamp(0.0, limit);
        let passed = self.updated.map(|updated| now.saturating_duration_since(updated).as_secs_f64());
        self.updated = Some(now);
        let far = (self.video_delay - video).abs() > TOLERANCE.as_secs_f64();
        match passed {
            // A difference that can be seen is repaired at once, a small one slowly.
            None => self.video_delay = video,
            Some(_) if far => self.video_delay = video,
            Some(passed) => {
                let step = SLEW * passed;
                self.video_delay += (video - self.video_delay).clamp(-step, step);
            }
        }
        // Of all that the sound waits, so that what it waits already is not asked for once more.
        self.ask((waited - late).clamp(0.0, limit), passed.unwrap_or(0.0));
        self.skew = Some(self.video_delay - late);
        Duration::from_secs_f64(self.video_delay)
    }

    /// What the sound's buffer has to add so that the pictures are not late. Changes in steps that can be noticed.
    pub fn wanted_audio_delay(&self) -> Duration {
        Duration::from_secs_f64(self.asked)
    }

    fn ask(&mut self, wanted: f64, passed: f64) {
        let before = self.audio_delay.unwrap_or(wanted);
        let averaged = before + (wanted - before) * passed / (passed + AVERAGED);
        self.audio_delay = Some(averaged);
        let tolerance = TOLERANCE.as_secs_f64();
        if self.asked == 0.0 && averaged <= tolerance {
            return;
        }
        if averaged < tolerance / 2.0 {
            self.asked = 0.0;
        } else if (averaged - self.asked).abs() > tolerance / 2.0 {
            self.asked = averaged;
        }
    }

    /// Sound's lead over the picture as it was shown last, in milliseconds; negative where the sound lags.
    pub fn skew_ms(&self) -> Option<f32> {
        self.skew.map(|skew| (skew * 1_000.0) as f32)
    }

    /// How much later than its picture without any delay the sound comes, and how long it has waited.
    fn late(&self, timestamp: u32, own: Instant) -> Option<(f64, f64)> {
        let (audio, video, Heard { timestamp: heard, at, waited }) = (self.audio?, self.video?, self.heard?);
        let ahead = video.sender_time(timestamp) - audio.sender_time(heard);
        let own_ahead = match own.checked_duration_since(at) {
            Some(after) => after.as_secs_f64(),
            None => -at.saturating_duration_since(own).as_secs_f64(),
        };
        let late = ahead - own_ahead;
        (late.abs() < BELIEVED).then_some((late, waited))
    }
}

fn report(ntp: u64, timestamp: u32, clock_rate: u32) -> Option<Report> {
    // Zero says that the sender has no clock (RFC 3550, 6.4.1).
    (ntp != 0 && clock_rate > 0).then(|| Report {
        ntp: (ntp >> 32) as f64 + (ntp & 0xFFFF_FFFF) as f64 / 4_294_967_296.0,
        timestamp,
        clock_rate,
    })
}

#[cfg(test)]
mod tests;
