//! Packets in any order, time passing between them, into the buffer of a player. The input is a list of packets: codec
//! and marker, sequence, timestamp, delay, length.
#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use sidetone_media::video::{VideoCodec, VideoPacket, VideoReceiver, VideoReceiverOptions};

fuzz_target!(|bytes: &[u8]| {
    let Some((first, mut rest)) = bytes.split_first() else { return };
    let codec = VideoCodec::ALL[usize::from(first % 3)];
    let mut receiver = VideoReceiver::new(VideoReceiverOptions::new(codec));
    let mut now = Instant::now();
    while let Some(([flags, s0, s1, t0, t1, delay, len], after)) = rest.split_first_chunk() {
        let (payload, after) = after.split_at(usize::from(*len).min(after.len()));
        rest = after;
        now += Duration::from_millis(u64::from(*delay));
        let timestamp =
            u32::from(u16::from_be_bytes([*t0, *t1])) * if flags & 2 == 0 { 3_000 } else { 65_537 };
        receiver.handle_packet(
            now,
            VideoPacket {
                sequence: u16::from_be_bytes([*s0, *s1]),
                timestamp,
                marker: flags & 1 != 0,
                payload: bytes::Bytes::copy_from_slice(payload),
            },
        );
        if flags & 4 != 0 {
            receiver.handle_decode_error(now);
        }
        while let Some(frame) = receiver.poll_frame(now) {
            assert!(!frame.encoded.data.is_empty());
        }
        receiver.poll_key_request(now);
        receiver.poll_timeout();
    }
});
