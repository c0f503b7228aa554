use super::*;
use crate::synthetic::wav::test_file::TestFile;

/// A wav file of `samples` in the given format.
fn wav(tag: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    let align = channels * bits.div_ceil(8);
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    file.extend(tag.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(align)).to_le_bytes());
    file.extend(align.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

fn read_all(bytes: &[u8]) -> Result<Vec<f32>, MediaError> {
    let file = TestFile::with(bytes);
    let mut reader = WavReader::open(file.path(), Repeat::Once)?;
    let mut samples = Vec::new();
    while reader.read(&mut samples)? {}
    Ok(samples)
}

#[test]
fn every_sample_format_gives_the_same_sound() {
    let signal: Vec<f64> = (0..4800).map(|n| (f64::from(n) * 0.05).sin() * 0.5).collect();
    let of = |f: &dyn Fn(f64) -> Vec<u8>| signal.iter().flat_map(|s| f(*s)).collect::<Vec<u8>>();
    let s32 = |s: f64| (s * 2_147_483_647.0) as i32;
    let forms: Vec<(u16, u16, Vec<u8>, f32)> = vec![
        (1, 8, of(&|s| vec![(s * 127.0 + 128.0) as u8]), 0.02),
        (1, 16, of(&|s| ((s * 32_767.0) as i16).to_le_bytes().to_vec()), 1e-4),
        (1, 24, of(&|s| s32(s).to_le_bytes()[1..].to_vec()), 1e-6),
        (1, 32, of(&|s| s32(s).to_le_bytes().to_vec()), 1e-6),
        (3, 32, of(&|s| (s as f32).to_le_bytes().to_vec()), 1e-6),
        (3, 64, of(&|s| s.to_le_bytes().to_vec()), 1e-6),
    ];
    for (tag, bits, data, tolerance) in forms {
        let samples = read_all(&wav(tag, 1, 48_000, bits, &data)).unwrap();
        for (got, want) in samples.iter().zip(&signal) {
            assert!((got - *want as f32).abs() <= tolerance, "{tag} {bits}: {got} {want}");
        }
        assert!(samples.len() >= signal.len());
    }
}

#[test]
fn channels_are_averaged_and_rates_converted() {
    let data: Vec<u8> =
        [8_000i16, -4_000].iter().flat_map(|s| s.to_le_bytes()).collect::<Vec<_>>().repeat(8_000);
    let samples = read_all(&wav(1, 2, 8_000, 16, &data)).unwrap();
    assert!(samples.len().abs_diff(48_000) < 400, "{}", samples.len());
    assert!((samples[24_000] - 2_000.0 / 32_768.0).abs() < 1e-4);
}

#[test]
fn a_looped_file_goes_on_without_a_gap() {
    let data: Vec<u8> = (0..1_000u16).flat_map(|n| (n as i16).to_le_bytes()).collect();
    let file = TestFile::with(&wav(1, 1, 48_000, 16, &data));
    let mut reader = WavReader::open(file.path(), Repeat::Forever).unwrap();
    let mut samples = Vec::new();
    while samples.len() < 5_000 {
        assert!(reader.read(&mut samples).unwrap());
    }
    for (n, sample) in samples.iter().enumerate() {
        assert_eq!((sample * 32_768.0).round() as usize, n % 1_000);
    }
}

#[test]
fn a_file_left_by_a_killed_recorder_plays_to_its_end() {
    let data = [0u8, 64].repeat(960);
    let whole = wav(1, 1, 48_000, 16, &data);
    for length in [0u32, u32::MAX, 1_000_000] {
        let mut bytes = whole.clone();
        bytes[40..44].copy_from_slice(&length.to_le_bytes());
        let samples = read_all(&bytes).unwrap();
        assert_eq!(samples[..960], [0.5; 960]);
    }
}

#[test]
fn odd_chunks_and_the_extensible_form_are_read() {
    let data = [0u8, 64].repeat(480);
    let mut bytes = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x28\0\0\0".to_vec();
    bytes.extend(0xFFFEu16.to_le_bytes());
    bytes.extend([1, 0, 0x80, 0xBB, 0, 0, 0, 0x77, 1, 0, 2, 0, 16, 0, 22, 0, 16, 0, 0, 0, 0, 0]);
    bytes.extend([1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
    bytes.extend(b"data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(&data);
    assert_eq!(read_all(&bytes).unwrap()[..480], [0.5; 480]);
}

#[test]
fn a_bad_file_gives_an_error_that_names_the_problem() {
    let good = wav(1, 1, 48_000, 16, &[0; 100]);
    let with = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    for (file, problem) in [
        (Vec::new(), "RIFF header"),
        (b"RIFF".to_vec(), "RIFF header"),
        (vec![0xFF; 100], "RIFF"),
        (with(8, b"AVI "), "WAVE"),
        (good[..20].to_vec(), "fmt chunk"),
        (good[..36].to_vec(), "data chunk"),
        (good[..44].to_vec(), "no samples"),
        (with(12, b"xxxx"), "data chunk comes before"),
        (with(16, &[4, 0, 0, 0]), "fmt chunk of 4 bytes"),
        (with(20, &[85, 0]), "format tag 0x0055"),
        (with(22, &[0, 0]), "channels: 0"),
        (with(22, &[255, 255]), "channels: 65535"),
        (with(24, &[0, 0, 0, 0]), "sample rate: 0"),
        (with(24, &[255, 255, 255, 255]), "sample rate: 4294967295"),
        (with(32, &[0, 0]), "bits per sample"),
        (with(34, &[64, 0]), "bits per sample: 64"),
        (with(34, &[0, 0]), "bits per sample: 0"),
    ] {
        let error = read_all(&file).unwrap_err().to_string();
        assert!(error.contains(problem), "{error:?} does not contain {problem:?}");
    }
    let error = WavReader::open(Path::new("/nowhere/x.wav"), Repeat::Once).err().unwrap().to_string();
    assert!(error.contains("/nowhere/x.wav"), "{error}");
    let error = WavReader::open(&std::env::temp_dir(), Repeat::Once).err().unwrap().to_string();
    assert!(error.contains(std::env::temp_dir().to_str().unwrap()), "{error}");
}

#[test]
fn a_damaged_header_never_panics() {
    let good = wav(1, 2, 44_100, 16, &[7; 200]);
    let mut seed = 1u32;
    for _ in 0..2_000 {
        let mut file = good.clone();
        for _ in 0..3 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (seed >> 8) as usize % 48;
            file[at] = (seed >> 24) as u8;
        }
        if let Ok(samples) = read_all(&file) {
            assert!(samples.iter().all(|s| s.is_finite()));
        }
    }
}
