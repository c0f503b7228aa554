//! Which devices are wanted: no microphone is open without a reason.

use super::{
    super::{Owner, call::Call},
    Role,
};
use crate::io::media::Ask;
use sidetone_api::{Failure, Reply};
use sidetone_media::ProcessingOptions;

/// A test tone of one second.
const TEST_TONE_BEATS: u32 = 100;

impl Owner {
    /// Opens what calls, tones and tests need, closes what nobody needs.
    pub(in super::super) fn want_devices(&mut self) {
        let tone = self.tones && self.end_tone.is_some();
        let ours = || self.calls.values().filter(|call| call.is_ours());
        let speaker = ours().next().is_some() || self.streams.plays() || self.desk.testing_speaker || tone;
        let microphone = ours().any(Call::is_established)
            || self.streams.uses_microphone()
            || self.desk.testing_microphone;
        let before = self.desk.choices();
        let ringer = self.tones && self.rings();
        self.desk.set_wanted(Role::Microphone, microphone, &self.media);
        self.desk.set_wanted(Role::Speaker, speaker, &self.media);
        self.desk.set_wanted(Role::Ringer, ringer, &self.media);
        if self.desk.choices() != before {
            self.publish_devices();
        }
    }

    /// A call rings here, and as loud as the first one.
    fn rings(&self) -> bool {
        let ours = || self.calls.values().filter(|call| call.is_ours());
        ours().any(Call::is_ringing_here) && !ours().any(Call::is_established)
    }

    /// The settings name other devices.
    pub(in super::super) fn apply_devices(&mut self) {
        let audio = self.settings.get().audio.clone();
        self.desk.microphone.set(&audio.microphone, &audio.preferred_microphones);
        self.desk.speaker.set(&audio.speaker, &audio.preferred_speakers);
        self.desk.ringer.set(&audio.ringer, &audio.preferred_speakers);
        self.desk.try_again(&self.media);
        self.apply_processing();
        self.publish_devices();
    }

    /// Also in the middle of a call.
    pub(in super::super) fn apply_processing(&mut self) {
        let audio = &self.settings.get().audio;
        self.media.ask(Ask::Processing(ProcessingOptions {
            echo_cancellation: audio.echo_cancellation,
            noise_suppression: audio.noise_suppression,
            gain_control: audio.gain_control,
        }));
    }

    pub(in super::super) fn test_microphone(&mut self, on: bool) -> Result<Reply, Failure> {
        self.desk.testing_microphone = on;
        self.media.ask(Ask::MeasureMicrophone(on));
        self.want_devices();
        Ok(Reply::Done)
    }

    pub(in super::super) fn test_speaker(&mut self) -> Result<Reply, Failure> {
        self.desk.testing_speaker = true;
        self.want_devices();
        self.media.ask(Ask::TestTone { beats: TEST_TONE_BEATS });
        Ok(Reply::Done)
    }

    /// The test tone has been played, or never will be.
    pub(super) fn end_speaker_test(&mut self) {
        if std::mem::take(&mut self.desk.testing_speaker) {
            self.media.ask(Ask::TestTone { beats: 0 });
            self.want_devices();
        }
    }
}
