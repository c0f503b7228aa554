use std::io::Cursor;
use std::time::Instant;

use super::*;
use crate::video::bars::{Bars, read_clock};
use crate::video::codec::{EncoderOptions, MediaClock};
use crate::video::picture::{PixelFormat, Rotation, Size};
use crate::video::source::{Polled, VideoSource};

fn bars(size: Size) -> Bars {
    Bars::new(size, 25, Instant::now(), 0).unwrap()
}

fn y4m(frames: u64) -> Vec<u8> {
    y4m_of(Size::new(63, 35).unwrap(), frames)
}

fn y4m_of(size: Size, frames: u64) -> Vec<u8> {
    let bars = bars(size);
    let mut writer = Y4mWriter::new(Vec::new(), 25);
    for at in 0..frames {
        writer.write(&bars.draw(at * 40, Instant::now()).unwrap()).unwrap();
    }
    writer.finish().unwrap()
}

fn read_all(demux: &mut dyn Demux) -> Result<Vec<(u64, Option<u64>)>, VideoError> {
    let pool = FramePool::new(1);
    let mut all = Vec::new();
    while let Some(frame) = demux.next_frame(&pool)? {
        all.push(match frame {
            FileFrame::Picture(time, picture) => (time.as_millis() as u64, read_clock(&picture)),
            FileFrame::Encoded(time, ..) => (time.as_millis() as u64, None),
        });
        assert!(all.len() < 1_000);
    }
    Ok(all)
}

#[test]
fn what_is_written_as_y4m_is_read_again_also_in_odd_sizes() {
    let file = y4m(3);
    assert!(file.starts_with(b"YUV4MPEG2 W63 H35 F25:1 Ip A1:1 C420jpeg\nFRAME\n"));
    let mut reader = Y4mReader::new(Cursor::new(file)).unwrap();
    let expected = [(0, Some(0)), (40, Some(40)), (80, Some(80))];
    assert_eq!(read_all(&mut reader).unwrap(), expected);
    reader.rewind().unwrap();
    assert_eq!(read_all(&mut reader).unwrap(), expected);
}

#[test]
fn y4m_of_pictures_with_other_sizes_keeps_the_size_of_the_first() {
    let mut writer = Y4mWriter::new(Vec::new(), 30);
    let now = Instant::now();
    writer.write(&Picture::black(Size::P180, now)).unwrap();
    writer.write(&Picture::black(Size::P360, now).with_rotation(Rotation::Clockwise90)).unwrap();
    assert_eq!(writer.written(), 2);
    let file = writer.finish().unwrap();
    let mut reader = Y4mReader::new(Cursor::new(file)).unwrap();
    assert_eq!(reader.size(), Size::P180);
    assert_eq!(read_all(&mut reader).unwrap().len(), 2);
}

#[test]
fn y4m_headers_that_lie_are_refused_by_name() {
    for (header, words) in [
        ("", "empty"),
        ("RIFF\n", "does not begin"),
        ("YUV4MPEG2 W9", "cut off"),
        ("YUV4MPEG2 H9\n", "size: 0x9"),
        ("YUV4MPEG2 W99999 H99999\n", "size: 99999x99999"),
        ("YUV4MPEG2 W4294967295 H4294967295\n", "size: "),
        ("YUV4MPEG2 W-1 H9\n", "width"),
        ("YUV4MPEG2 W9 H9 F1:0\n", "frame rate"),
        ("YUV4MPEG2 W9 H9 F4000000000:1\n", "frame rate"),
        ("YUV4MPEG2 W9 H9 C444p10\n", "444p10"),
        ("YUV4MPEG2 W9 H9 It\n", "interlaced"),
    ] {
        let error = Y4mReader::new(Cursor::new(header)).err().unwrap().to_string();
        assert!(error.contains(words), "{header:?}: {error}");
    }
    let long = format!("YUV4MPEG2 {}\n", "X".repeat(5_000));
    assert!(Y4mReader::new(Cursor::new(long)).is_err());
    let mut cut = y4m(2);
    cut.truncate(cut.len() - 1);
    let error = read_all(&mut Y4mReader::new(Cursor::new(cut)).unwrap()).unwrap_err().to_string();
    assert!(error.contains("frame 1 is cut off"), "{error}");
}

#[test]
fn grey_y4m_is_read_with_grey_chroma() {
    let mut file = b"YUV4MPEG2 W2 H1 Cmono\nFRAME\n".to_vec();
    file.extend([0, 255]);
    let mut reader = Y4mReader::new(Cursor::new(file)).unwrap();
    let Some(FileFrame::Picture(_, picture)) = reader.next_frame(&FramePool::new(1)).unwrap() else {
        panic!()
    };
    assert_eq!(picture.i420(), [16, 235, 128, 128]);
}

fn ivf(codec: VideoCodec, frames: u64) -> Vec<u8> {
    let start = Instant::now();
    let bars = bars(Size::P180);
    let options = EncoderOptions::new(Size::P180, 300_000, MediaClock::new(start, u32::MAX - 9_000));
    let mut encoder = codec.encoder(&options).unwrap();
    let mut writer = IvfWriter::new(Cursor::new(Vec::new()));
    for at in 0..frames {
        let picture = bars.draw(at * 40, start + Duration::from_millis(at * 40)).unwrap();
        if let Some(encoded) = encoder.encode(&picture, false).unwrap() {
            writer.write(&encoded).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn what_is_written_as_ivf_is_read_again_over_the_wrap_of_the_timestamp() {
    for codec in [VideoCodec::H264, VideoCodec::Vp8].into_iter().filter(|codec| codec.info().encode) {
        let file = ivf(codec, 5);
        let mut reader = IvfReader::new(Cursor::new(file)).unwrap();
        assert_eq!((reader.codec(), reader.size()), (codec, Size::P180));
        let times: Vec<u64> = read_all(&mut reader).unwrap().into_iter().map(|(time, _)| time).collect();
        assert_eq!(times, [0, 40, 80, 120, 160]);
    }
}

#[test]
fn ivf_that_lies_is_refused_and_allocates_no_more_than_it_has() {
    let mut header = [0u8; 44];
    header[..4].copy_from_slice(b"DKIF");
    header[6] = 32;
    header[8..12].copy_from_slice(b"VP80");
    (header[12], header[14], header[16], header[20]) = (1, 1, 30, 1);
    let refused = |bytes: &[u8], words: &str| {
        let error = match IvfReader::new(Cursor::new(bytes.to_vec())) {
            Ok(mut reader) => read_all(&mut reader).map(|frames| frames.len()).unwrap_err(),
            Err(error) => error,
        };
        assert!(error.to_string().contains(words), "{error}");
    };
    refused(&header[..31], "header is cut off");
    refused(&header, "frame of 0 bytes");
    refused(&header[..40], "frame header is cut off");
    for (at, value, words) in [
        (0, b'X', "DKIF"),
        (6, 31, "length of its header"),
        (8, b'A', "codec"),
        (12, 0, "size: 0x1"),
        (13, 0xFF, "size: "),
        (16, 0, "time base"),
        (20, 0, "time base"),
        (35, 0x7F, "frame of"),
        (34, 0x10, "cut off"),
    ] {
        let mut wrong = header;
        wrong[at] = value;
        refused(&wrong, words);
    }
}

#[test]
fn a_file_plays_at_its_own_pace_loops_and_skips_what_was_missed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.y4m");
    std::fs::write(&path, y4m(3)).unwrap();
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    let mut file = VideoFile::open(&path, true, start).unwrap();
    let shown = |polled: Polled| match polled {
        Polled::Picture(picture) => read_clock(&picture),
        Polled::Wait(_) | Polled::Ended => None,
    };
    assert_eq!(shown(file.poll(start).unwrap()), Some(0));
    let Polled::Wait(due) = file.poll(at(39)).unwrap() else { panic!("too soon") };
    assert_eq!(due, at(40));
    assert_eq!(shown(file.poll(at(95)).unwrap()), Some(80), "the newest that is due");
    assert_eq!(shown(file.poll(at(121)).unwrap()), Some(0), "again");
    assert_eq!(shown(file.poll(at(161)).unwrap()), Some(40));
    let mut once = VideoFile::open(&path, false, start).unwrap();
    assert_eq!(shown(once.poll(at(500)).unwrap()), Some(80));
    assert!(matches!(once.poll(at(540)).unwrap(), Polled::Ended));
    assert!(matches!(once.poll(at(580)).unwrap(), Polled::Ended));
}

#[test]
fn encoded_files_are_decoded_and_what_cannot_be_played_is_told_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    for codec in [VideoCodec::H264, VideoCodec::Vp8].into_iter().filter(|codec| codec.info().encode) {
        let path = folder.path().join("bars.ivf");
        std::fs::write(&path, ivf(codec, 5)).unwrap();
        let mut file = VideoFile::open(&path, true, start).unwrap();
        for round in 0..3u64 {
            for frame in 0..5u64 {
                let now = start + Duration::from_millis(round * 200 + frame * 40 + 1);
                let Polled::Picture(picture) = file.poll(now).unwrap() else {
                    panic!("{codec} {round} {frame}")
                };
                assert_eq!(read_clock(&picture), Some(frame * 40));
            }
        }
    }
    let open = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        VideoFile::open(&path, true, start).err().unwrap().to_string()
    };
    assert!(open("a", b"").contains("neither MP4, WebM, IVF nor Y4M"));
    assert!(open("b", b"YUV4MPEG2 W9 H9\n").contains("no picture"));
    assert!(VideoFile::open(&folder.path().join("none"), true, start).is_err());
    assert!(VideoFile::open(folder.path(), true, start).is_err());
}

/// Half a second of bars with sound, made with FFmpeg.
const WEBM: &[u8] = include_bytes!("test.webm");
const MKV: &[u8] = include_bytes!("test.mkv");

#[test]
fn webm_with_vp8_and_matroska_with_h264_are_played_and_looped() {
    let folder = tempfile::tempdir().unwrap();
    for (codec, name, bytes) in [(VideoCodec::Vp8, "a.webm", WEBM), (VideoCodec::H264, "a.mkv", MKV)] {
        if !codec.info().decode {
            continue;
        }
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let start = Instant::now();
        let mut file = VideoFile::open(&path, true, start).unwrap();
        assert_eq!(file.name(), name);
        let mut shown = 0;
        for millis in 0..1_500 {
            if let Polled::Picture(picture) = file.poll(start + Duration::from_millis(millis)).unwrap() {
                assert_eq!((picture.width(), picture.height()), (64, 48));
                shown += 1;
            }
        }
        assert!((13..=17).contains(&shown), "{name}: {shown} pictures of 10 a second");
        for end in (0..bytes.len()).step_by(97) {
            std::fs::write(&path, &bytes[..end]).unwrap();
            if let Ok(mut file) = VideoFile::open(&path, false, start) {
                let _ =
                    (0..20).try_for_each(|at| file.poll(start + Duration::from_millis(at * 100)).map(drop));
            }
        }
    }
}

/// Bars with a clock, 25 a second, written by another program. `None` without that.
fn mp4(folder: &Path, arguments: &[&str]) -> Option<std::path::PathBuf> {
    if !sidetone_testkit::require(&["ffmpeg"]) {
        return None;
    }
    let (from, to) = (folder.join("bars.y4m"), folder.join("bars.mp4"));
    std::fs::write(&from, y4m_of(Size::P180, 30)).unwrap();
    let tone = ["-f", "lavfi", "-i", "sine=duration=1.2", "-c:a", "aac"];
    let status = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(&from)
        .args(tone)
        .args(["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10", "-crf", "12"])
        .args(arguments)
        .arg(&to)
        .status()
        .unwrap();
    assert!(status.success());
    Some(to)
}

#[test]
fn mp4_is_played_whole_or_in_fragments_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["-bf", "0"][..],
        &["-bf", "0", "-movflags", "+faststart"],
        &["-bf", "0", "-movflags", "+frag_keyframe+empty_moov+default_base_moof"],
    ] {
        let Some(path) = mp4(folder.path(), arguments) else { return };
        let start = Instant::now();
        let mut file = VideoFile::open(&path, true, start).unwrap();
        let mut clocks = Vec::new();
        for millis in 0..2_400 {
            if let Polled::Picture(picture) = file.poll(start + Duration::from_millis(millis)).unwrap() {
                clocks.push(read_clock(&picture).expect("a clock"));
            }
        }
        let rounds: Vec<&[u64]> = clocks.chunk_by(|a, b| a < b).collect();
        let lengths: Vec<usize> = rounds.iter().map(|round| round.len()).collect();
        assert!(
            lengths.len() == 2 && lengths.iter().all(|length| (28..=30).contains(length)),
            "{arguments:?}: {clocks:?}"
        );
        assert!(rounds[0].windows(2).all(|pair| pair[1] - pair[0] == 40), "{arguments:?}: {clocks:?}");
    }
}

#[test]
fn damaged_mp4_is_refused_and_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = crate::test_signal::Noise(77);
    for arguments in
        [&["-bf", "0"][..], &["-bf", "0", "-movflags", "+frag_keyframe+empty_moov+default_base_moof"]]
    {
        let Some(path) = mp4(folder.path(), arguments) else { return };
        let bytes = std::fs::read(&path).unwrap();
        let read = |bytes: &[u8]| -> Result<usize, VideoError> {
            let (mut reader, pool) = (Mp4Reader::new(Cursor::new(bytes))?, FramePool::new(1));
            let mut frames = 0;
            while frames < 1_000 && reader.next_frame(&pool)?.is_some() {
                frames += 1;
            }
            Ok(frames)
        };
        assert_eq!(read(&bytes).unwrap(), 30);
        for end in (0..bytes.len()).step_by(211) {
            let _ = read(&bytes[..end]);
        }
        // Where the boxes are, and not the pictures.
        let boxes: Vec<usize> = (0..bytes.len() - 4)
            .filter(|at| {
                [b"moov", b"moof", b"stsz", b"stsc", b"stco", b"trun", b"avcC"]
                    .iter()
                    .any(|name| bytes[*at..at + 4] == name[..])
            })
            .collect();
        for _ in 0..2_000 {
            let mut wrong = bytes.clone();
            for _ in 0..1 + random.next() % 3 {
                let at = boxes[random.next() as usize % boxes.len()].saturating_sub(4);
                let at = (at + random.next() as usize % 64).min(wrong.len() - 1);
                wrong[at] = random.next() as u8;
            }
            let _ = read(&wrong);
        }
    }
    let Some(path) = mp4(folder.path(), &["-bf", "2"]) else { return };
    let refused = VideoFile::open(&path, true, Instant::now()).err().unwrap().to_string();
    assert!(refused.contains("B-frames"), "{refused}");
    let empty = Mp4Reader::new(Cursor::new(b"\0\0\0\x14ftypisom\0\0\0\0isom".to_vec())).err().unwrap();
    assert!(empty.to_string().contains("ended before"), "{empty}");
}

#[test]
fn snapshots_have_the_full_resolution_and_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    for size in [Size::clamped(1, 1), Size::clamped(639, 359), Size::P1080] {
        let path = folder.path().join("snapshot.png");
        let picture = bars(size).draw(123_456, Instant::now()).unwrap();
        save_png(&picture, &path).unwrap();
        let back = open_image(&path, Size::clamped(4096, 4096), Instant::now()).unwrap();
        assert_eq!(back.size(), size);
        assert_eq!(read_clock(&back), read_clock(&picture));
    }
    let turned = Picture::black(Size::P180, Instant::now()).with_rotation(Rotation::Clockwise90);
    let back = decode_image(&encode_png(&turned).unwrap(), Size::P1080, Instant::now()).unwrap();
    assert_eq!(back.size(), Size::P180.turned());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the snapshot is left");
    let nowhere = folder.path().join("none").join("snapshot.png");
    assert!(matches!(save_png(&turned, &nowhere), Err(VideoError::File { .. })));
}

#[test]
fn large_images_are_scaled_down_with_their_shape() {
    let picture = bars(Size::clamped(3000, 1500)).draw(99, Instant::now()).unwrap();
    let png = encode_png(&picture).unwrap();
    let back = decode_image(&png, Size::P720, Instant::now()).unwrap();
    assert_eq!((back.width(), back.height()), (1280, 640));
    assert_eq!(read_clock(&back), Some(99));
}

/// 16x8 pixels of grey, as small as a baseline JPEG gets.
const JPEG: &[u8] = include_bytes!("grey.jpg");

#[test]
fn jpeg_is_read_and_damaged_images_are_refused() {
    let pool = FramePool::new(1);
    let picture = decode_jpeg(JPEG, Instant::now(), &pool).unwrap();
    assert_eq!((picture.width(), picture.height()), (16, 8));
    assert!(picture.y().iter().all(|y| y.abs_diff(126) <= 3), "{:?}", &picture.y()[..4]);
    let png = encode_png(&picture).unwrap();
    for bytes in [JPEG, &png] {
        for end in (0..bytes.len()).step_by(3) {
            let _ = decode_image(&bytes[..end], Size::P720, Instant::now());
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let _ = decode_image(&flipped, Size::P720, Instant::now());
        }
    }
    let mut huge = png.clone();
    huge[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    assert!(decode_image(&huge, Size::P720, Instant::now()).is_err());
    assert!(decode_image(b"GIF89a", Size::P720, Instant::now()).is_err());
}

#[test]
fn a_still_image_is_given_ten_times_a_second_with_shared_pixels() {
    let start = Instant::now();
    let pool = FramePool::new(1);
    let grey = Picture::from_pixels(PixelFormat::Grey, Size::clamped(1, 1), 0, &[7], start, &pool).unwrap();
    let mut still = Still::new("logo.png", grey.clone(), start);
    let mut given = 0;
    for millis in 0..1_000 {
        let now = start + Duration::from_millis(millis);
        if let Polled::Picture(picture) = still.poll(now).unwrap() {
            assert!(picture.shares_pixels(&grey) && picture.captured() == now);
            given += 1;
        }
    }
    assert_eq!(given, 10);
}
