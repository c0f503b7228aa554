//! One part of the processing: WebRTC's audio processing module with that part alone.

use sonora::config::{
    AdaptiveDigital, EchoCanceller, GainController2, MaxProcessingRate, NoiseSuppression,
    NoiseSuppressionLevel, Pipeline,
};
use sonora::{AudioProcessing, Config, StreamConfig};

use crate::frame::{Frame, SAMPLE_RATE, SILENCE};

pub(super) struct Stage {
    processing: AudioProcessing,
    scratch: Box<Frame>,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").finish_non_exhaustive()
    }
}

impl Stage {
    pub(super) fn echo_canceller() -> Self {
        Self::new(Config { echo_canceller: Some(EchoCanceller::default()), ..Config::default() })
    }

    pub(super) fn noise_suppressor() -> Self {
        let suppression =
            NoiseSuppression { level: NoiseSuppressionLevel::High, ..NoiseSuppression::default() };
        Self::new(Config { noise_suppression: Some(suppression), ..Config::default() })
    }

    pub(super) fn gain_controller() -> Self {
        let adaptive =
            AdaptiveDigital { max_gain_db: 30.0, initial_gain_db: 6.0, ..AdaptiveDigital::default() };
        let controller = GainController2 { adaptive_digital: Some(adaptive), ..GainController2::default() };
        Self::new(Config { gain_controller2: Some(controller), ..Config::default() })
    }

    fn new(config: Config) -> Self {
        let pipeline = Pipeline {
            maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
            multi_channel_render: false,
            multi_channel_capture: false,
            ..Pipeline::default()
        };
        let stream = StreamConfig::new(SAMPLE_RATE, 1);
        let processing = AudioProcessing::builder()
            .config(Config { pipeline, ..config })
            .capture_config(stream)
            .render_config(stream)
            .build();
        Self { processing, scratch: Box::new(SILENCE) }
    }

    pub(super) fn render(&mut self, frame: &Frame) {
        let mut input = *frame;
        tame(&mut input);
        // It fails for a wrong format only, and ours is fixed.
        let _ = self.processing.process_render_f32(&[&input], &mut [self.scratch.as_mut_slice()]);
    }

    pub(super) fn capture(&mut self, frame: &mut Frame) {
        tame(frame);
        if self
            .processing
            .process_capture_f32(&[frame.as_slice()], &mut [self.scratch.as_mut_slice()])
            .is_ok()
        {
            *frame = *self.scratch;
        }
    }

    pub(super) fn delay_ms(&self) -> Option<i32> {
        self.processing.statistics().delay_ms
    }
}

/// One sample that is no number would stay in the filters for ever.
fn tame(frame: &mut Frame) {
    for sample in frame.iter_mut() {
        *sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
    }
}
