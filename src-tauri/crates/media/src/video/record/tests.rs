use std::fs;
use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sidetone_testkit::require;

use super::file::{Files, Medium};
use super::{Expects, StreamRecorder};
use crate::codec::Codec;
use crate::video::codec::{Encoded, EncoderOptions, MediaClock, VideoCodec, VideoEncoder};
use crate::video::{Bars, Size};

const BOTH: Expects = Expects { video: true, audio: true };
/// 20 ms of silence in Opus.
const PACKET: Bytes = Bytes::from_static(&[0xF8, 0xFF, 0xFE]);

struct Scene {
    bars: Bars,
    encoder: Box<dyn VideoEncoder>,
    start: Instant,
    options: EncoderOptions,
}

impl Scene {
    /// `None` where this build does not have the codec.
    fn of(codec: VideoCodec, width: u32, height: u32) -> Option<Self> {
        if !codec.info().encode {
            return None;
        }
        let start = Instant::now();
        let size = Size::new(width, height).unwrap();
        let options = EncoderOptions::new(size, 400_000, MediaClock::new(start, u32::MAX - 90_000));
        let encoder = codec.encoder(&options).unwrap();
        Some(Self { bars: Bars::new(size, 25, start, 0).unwrap(), encoder, start, options })
    }

    fn picture(&mut self, millis: u64, key: bool) -> Encoded {
        let at = self.start + Duration::from_millis(millis);
        let picture = self.bars.draw(millis, at).unwrap();
        self.encoder.encode(&picture, key).unwrap().expect("no picture is left out at this rate")
    }

    fn resize(&mut self, width: u32, height: u32) {
        let size = Size::new(width, height).unwrap();
        self.options.size = size;
        self.encoder.configure(&self.options).unwrap();
        self.bars = Bars::new(size, 25, self.start, 0).unwrap();
    }

    /// Pictures at 25 a second, and sound, from one time to another.
    fn play(&mut self, recorder: &mut StreamRecorder, from: u64, to: u64) {
        for millis in (from..to).step_by(20) {
            let at = self.start + Duration::from_millis(millis);
            if millis % 40 == 0 {
                let encoded = self.picture(millis, millis % 2_000 == 0);
                recorder.video(&encoded, encoded.captured);
            }
            recorder.audio(Codec::Opus, (millis * 48) as u32, &PACKET, at);
        }
    }
}

fn ffprobe(path: &Path, select: &str, entries: &str) -> Vec<String> {
    let out = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", select, "-show_entries", entries, "-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && complaints.is_empty(), "{}: {complaints}", path.display());
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().map(|line| line.trim_end_matches(',').to_owned()).filter(|line| !line.is_empty()).collect()
}

/// When packets begin, milliseconds.
fn times(path: &Path, select: &str) -> Vec<u64> {
    let lines = ffprobe(path, select, "packet=pts_time");
    lines.iter().map(|line| (line.parse::<f64>().unwrap() * 1_000.0).round() as u64).collect()
}

fn near(a: u64, b: u64) -> bool {
    a.abs_diff(b) <= 11
}

fn records_in_time(codec: VideoCodec, ending: &str, names: [&str; 2]) {
    let Some(mut scene) = Scene::of(codec, 320, 180) else { return };
    if !require(&["ffprobe", "ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a").join("tv.x");
    let mut recorder = StreamRecorder::new(&path, BOTH);
    // Sound from before the first picture is left out: pictures begin at 1 s, in the middle of a packet.
    for millis in (0..1_000).step_by(20) {
        recorder.audio(
            Codec::Opus,
            (millis * 48) as u32,
            &PACKET,
            scene.start + Duration::from_millis(millis),
        );
    }
    scene.play(&mut recorder, 1_000, 4_000);
    let status = recorder.finish();
    let file = path.with_file_name(format!("tv.x.{ending}"));
    assert_eq!((status.files, status.problem), (vec![file.clone()], None));
    assert!((2..=3).contains(&status.seconds), "{}", status.seconds);
    assert_eq!(ffprobe(&file, "v", "stream=codec_name"), [names[0]]);
    assert_eq!(ffprobe(&file, "a", "stream=codec_name"), [names[1]]);
    let (pictures, sound) = (times(&file, "v"), times(&file, "a"));
    assert_eq!((pictures.len(), sound.len()), (75, 150));
    for (n, at) in pictures.iter().enumerate() {
        assert!(near(*at, n as u64 * 40), "picture {n} at {at}");
    }
    for (n, at) in sound.iter().enumerate() {
        assert!(near(*at, n as u64 * 20), "packet {n} at {at}");
    }
    let length: f64 = ffprobe(&file, "v", "format=duration")[0].parse().unwrap();
    assert!((length - 3.0).abs() < 0.1, "{length}");
    let decoded = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-i"])
        .arg(&file)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    assert!(decoded.status.success() && decoded.stderr.is_empty(), "{decoded:?}");
}

#[test]
fn h264_and_opus_are_recorded_in_time() {
    records_in_time(VideoCodec::H264, "mp4", ["h264", "opus"]);
}

#[test]
fn vp8_and_opus_are_recorded_in_time() {
    records_in_time(VideoCodec::Vp8, "webm", ["vp8", "opus"]);
}

#[test]
fn what_was_written_plays_when_the_recorder_is_gone() {
    for (codec, name) in [(VideoCodec::H264, "tv.mp4"), (VideoCodec::Vp8, "tv.webm")] {
        let Some(mut scene) = Scene::of(codec, 160, 90) else { continue };
        if !require(&["ffprobe"]) {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut recorder = StreamRecorder::new(&path, BOTH);
        scene.play(&mut recorder, 0, 5_000);
        // Killed: nothing more is written.
        let copy = folder.path().join(format!("copy-{name}"));
        fs::copy(&path, &copy).unwrap();
        drop(recorder);
        let pictures = times(&copy, "v");
        assert!(pictures.last().is_some_and(|last| *last > 4_000), "{pictures:?}");
        assert!(times(&copy, "a").last().is_some_and(|last| *last > 4_000));
        // Cut in the middle of what was being written.
        let bytes = fs::read(&copy).unwrap();
        fs::write(&copy, &bytes[..bytes.len() - 100]).unwrap();
        let left = packets(&copy);
        assert!(left > 80, "{left} pictures");
    }
}

/// Pictures of a file that may be damaged.
fn packets(path: &Path) -> u32 {
    let out = Command::new("ffprobe")
        .args(["-v", "quiet", "-count_packets", "-select_streams", "v"])
        .args(["-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(out.stdout).unwrap().trim().trim_end_matches(',').parse().unwrap()
}

#[test]
fn another_size_begins_another_file() {
    let Some(mut scene) = Scene::of(VideoCodec::H264, 320, 180) else { return };
    if !require(&["ffprobe"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tv.mp4");
    fs::write(folder.path().join("tv-2.mp4"), "somebody else's").unwrap();
    let mut recorder = StreamRecorder::new(&path, BOTH);
    scene.play(&mut recorder, 0, 2_000);
    scene.resize(160, 90);
    scene.play(&mut recorder, 2_000, 4_000);
    let status = recorder.finish();
    let third = folder.path().join("tv-3.mp4");
    assert_eq!(status.files, [path.clone(), third.clone()]);
    assert_eq!(status.problem, None);
    assert_eq!(ffprobe(&path, "v", "stream=width,height"), ["320,180"]);
    assert_eq!(ffprobe(&third, "v", "stream=width,height"), ["160,90"]);
    let all = times(&path, "v").len() + times(&third, "v").len();
    assert_eq!(all, 100, "no picture is lost between");
    assert_eq!(fs::read(folder.path().join("tv-2.mp4")).unwrap(), b"somebody else's");
}

#[test]
fn a_stream_without_sound_or_without_pictures_is_recorded_too() {
    let Some(mut scene) = Scene::of(VideoCodec::H264, 160, 90) else { return };
    if !require(&["ffprobe"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let silent = folder.path().join("silent.mp4");
    // Sound was said to come, and does not.
    let mut recorder = StreamRecorder::new(&silent, BOTH);
    for millis in (0..4_000).step_by(40) {
        let encoded = scene.picture(millis, millis == 0);
        recorder.video(&encoded, encoded.captured);
    }
    assert_eq!(recorder.finish().problem, None);
    assert_eq!((times(&silent, "v").len(), times(&silent, "a").len()), (100, 0));

    let blind = folder.path().join("blind");
    let mut recorder = StreamRecorder::new(&blind, Expects { video: false, audio: true });
    for millis in (0..2_000).step_by(20) {
        recorder.audio(Codec::Opus, millis as u32 * 48, &PACKET, scene.start + Duration::from_millis(millis));
    }
    let status = recorder.finish();
    assert_eq!((status.files, status.seconds), (vec![folder.path().join("blind.mp4")], 2));
    assert_eq!(times(&folder.path().join("blind.mp4"), "a").len(), 100);
}

#[test]
fn nothing_is_created_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tv.mp4");
    let status = StreamRecorder::new(&path, BOTH).finish();
    assert!(status.files.is_empty() && status.problem.is_some(), "{status:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A disk with room for so many bytes.
#[derive(Clone)]
struct SmallDisk {
    bytes: Arc<Mutex<Cursor<Vec<u8>>>>,
    room: usize,
}

impl Write for SmallDisk {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let mut bytes = self.bytes.lock().unwrap();
        let at = bytes.position() as usize;
        if at >= self.room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let fits = buffer.len().min(self.room - at);
        bytes.write(&buffer[..fits])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for SmallDisk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.lock().unwrap().seek(to)
    }
}

impl Medium for SmallDisk {
    fn settle(&mut self, length: u64) -> io::Result<()> {
        self.bytes.lock().unwrap().get_mut().truncate(length as usize);
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_whole_pieces() {
    let Some(mut scene) = Scene::of(VideoCodec::H264, 320, 180) else { return };
    if !require(&["ffprobe"]) {
        return;
    }
    let disk = SmallDisk { bytes: Arc::default(), room: 60_000 };
    let theirs = disk.clone();
    let open = Box::new(move |_: &Path| Ok(Box::new(theirs.clone()) as Box<dyn Medium>));
    let mut recorder = StreamRecorder::with(Files::with(&PathBuf::from("tv.mp4"), open), BOTH);
    scene.play(&mut recorder, 0, 20_000);
    let status = recorder.status();
    assert!(status.ended, "{status:?}");
    assert_eq!(status.problem.as_deref(), Some("the disk is full"));
    assert!(status.seconds >= 1);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.mp4");
    fs::write(&copy, disk.bytes.lock().unwrap().get_ref()).unwrap();
    assert!(times(&copy, "v").len() > 20);
}

#[test]
fn what_cannot_be_recorded_is_said_and_the_rest_recorded() {
    let Some(mut scene) = Scene::of(VideoCodec::H264, 160, 90) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = StreamRecorder::new(&folder.path().join("tv.mp4"), BOTH);
    for millis in (0..1_000).step_by(40) {
        let encoded = scene.picture(millis, millis == 0);
        recorder.audio(Codec::Pcmu, millis as u32 * 8, &Bytes::from_static(&[0; 320]), encoded.captured);
        recorder.video(&encoded, encoded.captured);
    }
    let status = recorder.finish();
    assert_eq!(status.problem.as_deref(), Some("its sound is PCMU, which is not recorded"));
    assert_eq!(status.files.len(), 1);
}

#[test]
fn damaged_media_make_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    for (n, data) in [&b""[..], b"\0\0\0\x01", b"\0\0\0\x01\x67", b"\0\0\x01\x67\x42\0\x1f\0\0\x01\x68\x01"]
        .iter()
        .enumerate()
    {
        let mut recorder = StreamRecorder::new(
            &folder.path().join(format!("{n}.mp4")),
            Expects { video: true, audio: false },
        );
        for step in 0..60_u32 {
            let at = start + Duration::from_millis(u64::from(step) * 33);
            let encoded = Encoded {
                codec: VideoCodec::H264,
                data: Bytes::copy_from_slice(data),
                key: true,
                timestamp: step.wrapping_mul(0x3FFF_FFFF),
                size: Size::new(4096, 1).unwrap(),
                captured: at,
            };
            recorder.video(&encoded, at);
        }
        let _ = recorder.finish();
    }
}
