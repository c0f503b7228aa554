//! Speech must give no digit.
#![allow(clippy::unwrap_used)]

use sidetone_media::FRAME_LEN;
use sidetone_media::tone::DtmfDetector;
use sidetone_testkit::audio::{Wav, speak, speech_like};

const TEXT: &str = "Good morning, you are speaking with the service desk. Could you read me the number on the back of \
the device, please? One, two, three, four, five, six, seven, eight, nine, zero, star and hash. We will need a moment to \
look that up. Yes, I see it: it was sent out on Tuesday, and the invoice followed a week later. No, there is nothing \
that you need to do; someone will call you back between two and four in the afternoon. Who owns the yellow boat in the \
harbour? Eeny, meeny, miny, moe. Oooh, aaah, eeeh. How now, brown cow.";

fn digits(wav: &Wav) -> String {
    let mut detector = DtmfDetector::default();
    wav.samples.as_chunks::<FRAME_LEN>().0.iter().filter_map(|frame| detector.push(frame)).collect()
}

#[test]
fn speech_of_several_voices_gives_no_digit_at_any_level() {
    let mut spoken = vec![speech_like(60.0, 48_000)];
    for voice in ["en", "en+f3", "en+m7", "en+f5", "de+f2", "fr", "it+f4", "es+m3"] {
        // A machine without espeak-ng has the made-up speech alone.
        spoken.extend(speak(voice, TEXT, 48_000));
    }
    for wav in &spoken {
        for gain in [1.0, 0.3] {
            let samples = wav.samples.iter().map(|s| s * gain).collect();
            assert_eq!(digits(&Wav { rate: wav.rate, samples }), "");
        }
    }
}
