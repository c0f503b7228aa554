//! Files of pictures: WebM, Y4M, IVF, PNG and JPEG, by what they begin with.
#![no_main]

use std::io::Cursor;
use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use sidetone_media::video::file::{Demux, IvfReader, WebmReader, Y4mReader, decode_image};
use sidetone_media::video::{FramePool, Size};

fuzz_target!(|bytes: &[u8]| {
    let _ = decode_image(bytes, Size::P180, Instant::now());
    if let Ok(mut reader) = Y4mReader::new(Cursor::new(bytes)) {
        read(&mut reader);
    }
    if let Ok(mut reader) = WebmReader::new(Cursor::new(bytes)) {
        read(&mut reader);
    }
    if let Ok(mut reader) = IvfReader::new(Cursor::new(bytes)) {
        read(&mut reader);
    }
});

fn read(reader: &mut dyn Demux) {
    let pool = FramePool::new(1);
    let mut frames = 0;
    while let Ok(Some(_)) = reader.next_frame(&pool) {
        frames += 1;
        if frames == 1_000 {
            break;
        }
    }
    let _ = reader.rewind();
}
