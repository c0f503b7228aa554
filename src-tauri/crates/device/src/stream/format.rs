//! The format to ask a device for.

use cpal::traits::DeviceTrait;
use cpal::{ErrorKind, SampleFormat, SupportedStreamConfigRange};
use sidetone_media::{Direction, SAMPLE_RATE};

/// A format that the device offers and that we can handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) channels: u16,
    pub(super) rate: u32,
    pub(super) format: SampleFormat,
}

/// Slower devices are no use for speech.
const SLOWEST: u32 = 8_000;

/// Chooses 48 kHz mono `f32` where the device has it, else the nearest to it.
pub(super) fn choose(device: &cpal::Device, direction: Direction) -> Result<Choice, cpal::Error> {
    let offered: Vec<_> = match direction {
        Direction::Input => device.supported_input_configs()?.collect(),
        Direction::Output => device.supported_output_configs()?.collect(),
    };
    offered.iter().filter_map(rate_in).min_by_key(cost).ok_or_else(|| {
        cpal::Error::with_message(
            ErrorKind::UnsupportedConfig,
            "none of its formats is 8 kHz or more in f32, i32, i16 or u8",
        )
    })
}

/// The best rate of a range: 48 kHz, else the nearest above, else the highest below.
fn rate_in(range: &SupportedStreamConfigRange) -> Option<Choice> {
    let rate = SAMPLE_RATE.clamp(range.min_sample_rate(), range.max_sample_rate());
    let choice = Choice { channels: range.channels(), rate, format: range.sample_format() };
    (rate >= SLOWEST && format_cost(choice.format).is_some() && choice.channels > 0).then_some(choice)
}

/// Smaller is better: first the rate, then the channels, then the format.
fn cost(choice: &Choice) -> (u32, u16, u32) {
    let rate = match choice.rate {
        SAMPLE_RATE => 0,
        above if above > SAMPLE_RATE => above - SAMPLE_RATE,
        below => SAMPLE_RATE * 8 - below,
    };
    (rate, choice.channels, format_cost(choice.format).unwrap_or(u32::MAX))
}

fn format_cost(format: SampleFormat) -> Option<u32> {
    match format {
        SampleFormat::F32 => Some(0),
        SampleFormat::I32 => Some(1),
        SampleFormat::I16 => Some(2),
        SampleFormat::U8 => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use cpal::SupportedBufferSize;

    use super::*;

    fn range(channels: u16, min: u32, max: u32, format: SampleFormat) -> SupportedStreamConfigRange {
        SupportedStreamConfigRange::new(channels, min, max, SupportedBufferSize::Unknown, format)
    }

    fn best(offered: &[SupportedStreamConfigRange]) -> Option<Choice> {
        offered.iter().filter_map(rate_in).min_by_key(cost)
    }

    #[test]
    fn mono_f32_at_48_khz_is_taken_where_offered() {
        let offered = [
            range(2, 48_000, 48_000, SampleFormat::F32),
            range(1, 8_000, 96_000, SampleFormat::I16),
            range(1, 8_000, 96_000, SampleFormat::F32),
            range(1, 44_100, 44_100, SampleFormat::F32),
        ];
        assert_eq!(best(&offered), Some(Choice { channels: 1, rate: 48_000, format: SampleFormat::F32 }));
    }

    #[test]
    fn a_device_without_48_khz_gives_the_nearest() {
        let offered =
            [range(2, 44_100, 44_100, SampleFormat::I16), range(2, 16_000, 16_000, SampleFormat::F32)];
        assert_eq!(best(&offered).unwrap().rate, 44_100);
        let offered =
            [range(2, 44_100, 44_100, SampleFormat::I16), range(2, 96_000, 96_000, SampleFormat::F32)];
        assert_eq!(best(&offered).unwrap().rate, 96_000);
    }

    #[test]
    fn formats_that_cannot_be_used_are_passed_over() {
        assert_eq!(
            best(&[range(1, 48_000, 48_000, SampleFormat::F64), range(1, 4_000, 4_000, SampleFormat::F32)]),
            None
        );
    }
}
