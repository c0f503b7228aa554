use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::medium::{Medium, Open};
use super::*;
use crate::device::Source;
use crate::frame::SILENCE;
use crate::tone::TestTone;

/// The samples of all channels, interleaved.
fn read(path: &Path) -> (u16, Vec<i16>) {
    let mut wav = hound::WavReader::open(path).unwrap();
    assert_eq!((wav.spec().sample_rate, wav.spec().bits_per_sample), (48_000, 16));
    (wav.spec().channels, wav.samples::<i16>().map(Result::unwrap).collect())
}

fn wait(mut what: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !what() {
        assert!(Instant::now() < deadline, "it does not happen");
        thread::yield_now();
    }
}

#[test]
fn each_party_has_a_channel_and_the_file_its_exact_length() {
    let dir = tempfile::tempdir().unwrap();
    for channels in [1, 2, 5, MAX_CHANNELS] {
        let path = dir.path().join("deep").join(format!("{channels}.wav"));
        let mut recorder = Recorder::create(&path, channels).unwrap();
        let frames: Vec<Frame> = (0..channels).map(|n| [f32::from(n) / 64.0; FRAME_LEN]).collect();
        let parties: Vec<&Frame> = frames.iter().collect();
        for _ in 0..100 {
            recorder.write(&parties);
        }
        let recorded = recorder.finish();
        assert_eq!(recorded, Recorded { files: vec![path.clone()], seconds: 1, problem: None });
        let (read_channels, samples) = read(&path);
        assert_eq!(read_channels, channels);
        assert_eq!(samples.len(), 48_000 * usize::from(channels));
        for (n, sample) in samples.iter().enumerate() {
            let party = (n % usize::from(channels)) as f32;
            assert!((f32::from(*sample) / 32_767.0 - party / 64.0).abs() < 1e-4);
        }
    }
}

#[test]
fn a_missing_party_is_silent_and_one_too_many_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.wav");
    let mut recorder = Recorder::create(&path, 2).unwrap();
    recorder.write(&[&[0.5; FRAME_LEN]]);
    recorder.write(&[&SILENCE, &[0.5; FRAME_LEN], &[0.9; FRAME_LEN]]);
    recorder.finish();
    let (_, samples) = read(&path);
    assert_eq!(samples.len(), 4 * FRAME_LEN);
    assert_eq!((samples[0], samples[1]), (16_384, 0));
    assert_eq!((samples[2 * FRAME_LEN], samples[2 * FRAME_LEN + 1]), (0, 16_384));
}

#[test]
fn a_file_left_in_the_middle_plays_up_to_the_last_half_second() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.wav");
    let mut recorder = Recorder::create(&path, 2).unwrap();
    for _ in 0..150 {
        recorder.write(&[&[0.25; FRAME_LEN], &[-0.25; FRAME_LEN]]);
    }
    wait(|| recorder.status().seconds >= 1);
    // What a killed program leaves is what is in the file now: read it while it is being written.
    let copy = dir.path().join("copy.wav");
    wait(|| {
        std::fs::copy(&path, &copy).unwrap();
        hound::WavReader::open(&copy).is_ok_and(|wav| wav.duration() >= 48_000)
    });
    let (_, samples) = read(&copy);
    assert!(samples.chunks_exact(2).all(|pair| pair == [8_192, -8_192]));
    drop(recorder);
}

#[test]
fn nothing_of_a_pause_is_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.wav");
    let mut recorder = Recorder::create(&path, 1).unwrap();
    recorder.write(&[&[0.1; FRAME_LEN]]);
    recorder.set_paused(true);
    assert!(recorder.status().paused);
    for _ in 0..50 {
        recorder.write(&[&[0.9; FRAME_LEN]]);
    }
    recorder.set_paused(false);
    recorder.write(&[&[0.2; FRAME_LEN]]);
    recorder.finish();
    let (_, samples) = read(&path);
    assert_eq!(samples.len(), 2 * FRAME_LEN);
    assert!(samples.iter().all(|sample| *sample < 8_000));
}

#[test]
fn an_existing_file_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.wav");
    std::fs::write(&path, b"precious").unwrap();
    let error = Recorder::create(&path, 2).unwrap_err().to_string();
    assert!(error.contains("x.wav") && error.contains("exists"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    assert!(Recorder::create(&dir.path().join("y.wav"), 0).unwrap_err().to_string().contains("channels"));
    assert!(Recorder::create(&dir.path().join("y.wav"), 33).is_err());
}

#[test]
fn before_the_limit_it_goes_on_in_a_part_without_losing_a_sample() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("call.wav");
    // Somebody else's file has the next name.
    std::fs::write(dir.path().join("call-2.wav"), b"other").unwrap();
    // No multiple of a frame, nor of a sample of both channels.
    let parts = Parts::create(&path, 2, 100_002).unwrap();
    let mut recorder = Recorder::with_parts(parts, 2).unwrap();
    let mut tone = TestTone::new(440.0);
    let mut expected = Vec::new();
    for _ in 0..150 {
        let mut frame = SILENCE;
        tone.read(&mut frame);
        expected.extend(frame.iter().map(|s| to_i16(*s)));
        recorder.write(&[&frame, &SILENCE]);
    }
    let recorded = recorder.finish();
    assert_eq!(recorded.problem, None);
    let names: Vec<_> = recorded.files.iter().map(|f| f.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["call.wav", "call-3.wav", "call-4.wav"]);
    let all: Vec<i16> = recorded.files.iter().flat_map(|file| read(file).1).collect();
    assert!(all.chunks_exact(2).map(|pair| pair[0]).eq(expected));
    assert_eq!(std::fs::read(dir.path().join("call-2.wav")).unwrap(), b"other");
}

/// A disk with so much room.
struct Disk {
    bytes: Arc<Mutex<Vec<u8>>>,
    at: usize,
    room: usize,
}

impl Write for Disk {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut bytes = self.bytes.lock().unwrap();
        let fits = data.len().min(self.room - self.at);
        if fits == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let end = self.at + fits;
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[self.at..end].copy_from_slice(&data[..fits]);
        self.at = end;
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(at) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        self.at = at as usize;
        Ok(at)
    }
}

impl Medium for Disk {
    fn settle(&mut self, length: u64) -> io::Result<()> {
        self.bytes.lock().unwrap().truncate(length as usize);
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_in_words_and_leaves_a_whole_file() {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let disk = Arc::clone(&bytes);
    // Ends in the middle of a sample.
    let open: Open = Box::new(move |_| Ok(Box::new(Disk { bytes: Arc::clone(&disk), at: 0, room: 50_001 })));
    let parts = Parts::with(Path::new("x.wav"), 2, u32::MAX, open).unwrap();
    let mut recorder = Recorder::with_parts(parts, 2).unwrap();
    for _ in 0..100 {
        recorder.write(&[&[0.25; FRAME_LEN], &[-0.25; FRAME_LEN]]);
    }
    wait(|| recorder.status().ended);
    assert_eq!(recorder.status().problem.as_deref(), Some("the disk is full"));
    // Later frames are swallowed.
    recorder.write(&[&SILENCE, &SILENCE]);
    assert_eq!(recorder.finish().problem.as_deref(), Some("the disk is full"));
    let bytes = bytes.lock().unwrap().clone();
    let mut wav = hound::WavReader::new(io::Cursor::new(bytes)).unwrap();
    let samples: Vec<i16> = wav.samples().map(Result::unwrap).collect();
    assert_eq!(samples.len(), (50_001 - 44) / 4 * 2);
    assert!(samples.chunks_exact(2).all(|pair| pair == [8_192, -8_192]));
}

/// A file that waits for its gate.
struct Gated(std::fs::File, Arc<AtomicBool>);

impl Write for Gated {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        while !self.1.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        self.0.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Gated {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Medium for Gated {
    fn settle(&mut self, length: u64) -> io::Result<()> {
        self.0.settle(length)
    }
}

#[test]
fn a_disk_that_hangs_leaves_silence_where_sound_was_lost_and_the_rest_in_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.wav");
    let gate = Arc::new(AtomicBool::new(true));
    let theirs = Arc::clone(&gate);
    let open: Open = Box::new(move |path| {
        let file = std::fs::File::create_new(path)?;
        Ok(Box::new(Gated(file, Arc::clone(&theirs))) as Box<dyn Medium>)
    });
    let parts = Parts::with(&path, 1, u32::MAX, open).unwrap();
    let mut recorder = Recorder::with_parts(parts, 1).unwrap();
    gate.store(false, Ordering::Relaxed);
    // Up to two rings fit: one is on its way to the disk.
    let hanging = 3 * RING_FRAMES;
    for _ in 0..hanging {
        recorder.write(&[&[0.25; FRAME_LEN]]);
    }
    let problem = recorder.status().problem.unwrap();
    assert!(problem.contains("too slow"), "{problem}");
    assert!(!recorder.status().ended);
    gate.store(true, Ordering::Relaxed);
    let mut after = 0;
    while after == 0 || recorder.owed > 0 {
        wait(|| recorder.ring.slots() == RING_FRAMES * FRAME_LEN);
        recorder.write(&[&[0.5; FRAME_LEN]]);
        after += 1;
    }
    recorder.finish();
    let (_, samples) = read(&path);
    assert_eq!(samples.len(), (hanging + after) * FRAME_LEN);
    assert_eq!((samples[0], samples[samples.len() - 1]), (8_192, 16_384));
    assert!(samples.contains(&0));
}
