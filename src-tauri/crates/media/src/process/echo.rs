//! The echo canceller: WebRTC's AEC3 on the three bands of 16 kHz that 48 kHz splits into.
//!
//! Driven here block by block and not by the library's whole pipeline, which has no way to give it other settings.

use sonora::high_pass_filter::HighPassFilter;
use sonora::three_band_filter_bank::ThreeBandFilterBank;
use sonora_aec3::block::Block;
use sonora_aec3::block_processor::BlockProcessor;
use sonora_aec3::config::EchoCanceller3Config;

use super::tame;
use crate::frame::{FRAME_LEN, Frame, SAMPLE_RATE};

const BANDS: usize = 3;
/// Samples of a frame in each band, and of a block of the canceller.
const BAND: usize = FRAME_LEN / BANDS;
const BLOCK: usize = 64;
/// The library counts in 16-bit samples.
const SCALE: f32 = 32_768.0;
/// A microphone that reaches this is overdriven.
const SATURATED: f32 = 32_700.0 / SCALE;

type Bands = [[f32; BAND]; BANDS];

pub(super) struct EchoCanceller {
    processor: BlockProcessor,
    played: Side,
    captured: Side,
    /// Processed, and not given back yet: a block ahead, so that frames of 2.5 blocks come out whole.
    done: [[f32; BAND + BLOCK]; BANDS],
    done_len: usize,
    synthesis: ThreeBandFilterBank,
    high_pass: HighPassFilter,
    low_band: [Vec<f32>; 1],
    saturated: bool,
}

/// Splits frames into bands, and bands into blocks.
struct Side {
    analysis: ThreeBandFilterBank,
    block: Block,
    filled: usize,
}

impl Side {
    fn new() -> Self {
        Self { analysis: ThreeBandFilterBank::new(), block: Block::new(BANDS, 1), filled: 0 }
    }

    fn split(&mut self, frame: &Frame) -> Bands {
        let scaled: Frame = std::array::from_fn(|n| frame[n] * SCALE);
        let mut bands = [[0.0; BAND]; BANDS];
        self.analysis.analysis(&scaled, &mut bands);
        bands
    }

    /// Cuts the bands into blocks, with what is left of the frame before.
    fn cut(&mut self, bands: &Bands, mut each: impl FnMut(&mut Block)) {
        let mut from = 0;
        while from < BAND {
            let count = (BLOCK - self.filled).min(BAND - from);
            for (n, band) in bands.iter().enumerate() {
                self.block.view_mut(n, 0)[self.filled..self.filled + count]
                    .copy_from_slice(&band[from..from + count]);
            }
            from += count;
            self.filled += count;
            if self.filled == BLOCK {
                self.filled = 0;
                each(&mut self.block);
            }
        }
    }
}

impl std::fmt::Debug for EchoCanceller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EchoCanceller").finish_non_exhaustive()
    }
}

impl EchoCanceller {
    pub(super) fn new() -> Self {
        Self {
            processor: BlockProcessor::new(&settings(), SAMPLE_RATE as usize, 1, 1),
            played: Side::new(),
            captured: Side::new(),
            done: [[0.0; BAND + BLOCK]; BANDS],
            done_len: BLOCK,
            synthesis: ThreeBandFilterBank::new(),
            high_pass: HighPassFilter::new((SAMPLE_RATE / BANDS as u32) as i32, 1),
            low_band: [vec![0.0; BAND]],
            saturated: false,
        }
    }

    pub(super) fn render(&mut self, frame: &Frame) {
        let mut frame = *frame;
        tame(&mut frame);
        let bands = self.played.split(&frame);
        let processor = &mut self.processor;
        self.played.cut(&bands, |block| processor.buffer_render(block));
    }

    pub(super) fn capture(&mut self, frame: &mut Frame) {
        self.saturated = frame.iter().any(|sample| sample.abs() >= SATURATED);
        let mut bands = self.captured.split(frame);
        self.low_band[0].copy_from_slice(&bands[0]);
        self.high_pass.process_channels(&mut self.low_band);
        bands[0].copy_from_slice(&self.low_band[0]);
        let Self { processor, done, done_len, saturated, .. } = self;
        self.captured.cut(&bands, |block| {
            processor.process_capture(false, *saturated, None, block);
            for (n, done) in done.iter_mut().enumerate() {
                done[*done_len..*done_len + BLOCK].copy_from_slice(block.view(n, 0));
            }
            *done_len += BLOCK;
        });
        for (band, done) in bands.iter_mut().zip(&mut self.done) {
            band.copy_from_slice(&done[..BAND]);
            done.copy_within(BAND.., 0);
        }
        self.done_len -= BAND;
        let mut whole = [0.0; FRAME_LEN];
        self.synthesis.synthesis(&bands, &mut whole);
        frame.iter_mut().zip(&whole).for_each(|(out, sample)| *out = sample / SCALE);
    }

    pub(super) fn delay_ms(&self) -> i32 {
        self.processor.get_metrics().delay_ms
    }
}

/// The library's own, but for rooms: its linear filter spans 52 ms and it never trusts it beyond 6 dB, so that the
/// suppressor takes the near speaker away with the echo. A filter of 104 ms and more trust where it has been seen to earn it
/// cancel as much and leave the near speaker intelligible (`cargo xtask bench echo`).
fn settings() -> EchoCanceller3Config {
    const FILTER_BLOCKS: usize = 26;
    let mut settings = EchoCanceller3Config::default();
    let filter = &mut settings.filter;
    filter.refined.length_blocks = FILTER_BLOCKS;
    filter.refined_initial.length_blocks = FILTER_BLOCKS;
    filter.coarse.length_blocks = FILTER_BLOCKS;
    filter.coarse_initial.length_blocks = FILTER_BLOCKS;
    // Power ratios, below and above 2 kHz.
    (settings.erle.max_l, settings.erle.max_h) = (16.0, 8.0);
    settings
}
