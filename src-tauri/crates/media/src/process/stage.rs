//! One part of the processing: WebRTC's audio processing module with that part alone.

use sonora::config::{
    AdaptiveDigital, GainController2, MaxProcessingRate, NoiseSuppression, NoiseSuppressionLevel, Pipeline,
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

    pub(super) fn capture(&mut self, frame: &mut Frame) {
        if self
            .processing
            .process_capture_f32(&[frame.as_slice()], &mut [self.scratch.as_mut_slice()])
            .is_ok()
        {
            *frame = *self.scratch;
        }
    }
}
