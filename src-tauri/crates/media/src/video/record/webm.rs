//! WebM with VP8 and Opus (Matroska, RFC 9559).
//!
//! The segment's size is unknown until the end, as of a live one, and each piece is a cluster. The length is written over in
//! place; where the index is, too, at the end.

use std::io;
use std::time::Duration;

use super::file::Medium;
use super::part::{Container, Kind, Piece, Sample, Tail};
use crate::video::picture::Size;

/// Element IDs (RFC 9559 section 5.1; EBML: RFC 8794 section 11.2).
mod id {
    pub(super) const EBML: u32 = 0x1A45_DFA3;
    pub(super) const EBML_VERSION: u32 = 0x4286;
    pub(super) const EBML_READ_VERSION: u32 = 0x42F7;
    pub(super) const EBML_MAX_ID_LENGTH: u32 = 0x42F2;
    pub(super) const EBML_MAX_SIZE_LENGTH: u32 = 0x42F3;
    pub(super) const DOC_TYPE: u32 = 0x4282;
    pub(super) const DOC_TYPE_VERSION: u32 = 0x4287;
    pub(super) const DOC_TYPE_READ_VERSION: u32 = 0x4285;
    pub(super) const VOID: u32 = 0xEC;
    pub(super) const SEGMENT: u32 = 0x1853_8067;
    pub(super) const SEEK_HEAD: u32 = 0x114D_9B74;
    pub(super) const SEEK: u32 = 0x4DBB;
    pub(super) const SEEK_ID: u32 = 0x53AB;
    pub(super) const SEEK_POSITION: u32 = 0x53AC;
    pub(super) const INFO: u32 = 0x1549_A966;
    pub(super) const TIMESTAMP_SCALE: u32 = 0x002A_D7B1;
    pub(super) const DURATION: u32 = 0x4489;
    pub(super) const MUXING_APP: u32 = 0x4D80;
    pub(super) const WRITING_APP: u32 = 0x5741;
    pub(super) const TRACKS: u32 = 0x1654_AE6B;
    pub(super) const TRACK_ENTRY: u32 = 0xAE;
    pub(super) const TRACK_NUMBER: u32 = 0xD7;
    pub(super) const TRACK_UID: u32 = 0x73C5;
    pub(super) const TRACK_TYPE: u32 = 0x83;
    pub(super) const FLAG_LACING: u32 = 0x9C;
    pub(super) const CODEC_ID: u32 = 0x86;
    pub(super) const CODEC_PRIVATE: u32 = 0x63A2;
    pub(super) const SEEK_PRE_ROLL: u32 = 0x56BB;
    pub(super) const VIDEO: u32 = 0xE0;
    pub(super) const PIXEL_WIDTH: u32 = 0xB0;
    pub(super) const PIXEL_HEIGHT: u32 = 0xBA;
    pub(super) const AUDIO: u32 = 0xE1;
    pub(super) const SAMPLING_FREQUENCY: u32 = 0xB5;
    pub(super) const CHANNELS: u32 = 0x9F;
    pub(super) const CLUSTER: u32 = 0x1F43_B675;
    pub(super) const TIMESTAMP: u32 = 0xE7;
    pub(super) const SIMPLE_BLOCK: u32 = 0xA3;
    pub(super) const CUES: u32 = 0x1C53_BB6B;
    pub(super) const CUE_POINT: u32 = 0xBB;
    pub(super) const CUE_TIME: u32 = 0xB3;
    pub(super) const CUE_TRACK_POSITIONS: u32 = 0xB7;
    pub(super) const CUE_TRACK: u32 = 0xF7;
    pub(super) const CUE_CLUSTER_POSITION: u32 = 0xF1;
}

const VIDEO_TRACK: u8 = 1;
const AUDIO_TRACK: u8 = 2;
/// All value bits 1: not known (RFC 8794 section 6.2).
const UNKNOWN_SIZE: [u8; 8] = [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
const KEY_FRAME: u8 = 0x80;
/// Opus decodes rightly this long after a jump, nanoseconds (RFC 7845 section 4.6).
const PRE_ROLL: u64 = 80_000_000;

pub(super) struct WebM {
    tail: Tail,
    /// Where the segment's size, its content, the index' place and the length are.
    size_at: u64,
    content: u64,
    seek_at: u64,
    duration_at: u64,
    /// Key frames: when, and their cluster from the content's beginning.
    cues: Vec<(u64, u64)>,
}

impl WebM {
    pub(super) fn begin(medium: Box<dyn Medium>, size: Size, audio: bool) -> io::Result<Self> {
        let mut head = element(id::EBML, &header());
        head.extend_from_slice(&id_bytes(id::SEGMENT));
        let size_at = head.len() as u64;
        head.extend_from_slice(&UNKNOWN_SIZE);
        let content = head.len() as u64;
        let seek_at = content;
        let room = seek_head(0).len();
        // Its ID and size take two bytes.
        head.extend_from_slice(&element(id::VOID, &vec![0; room.saturating_sub(2)]));
        let info = info();
        let before = head.len() + info.len() - 8;
        head.extend_from_slice(&info);
        let mut tracks = video_track(size);
        if audio {
            tracks.extend_from_slice(&audio_track());
        }
        head.extend_from_slice(&element(id::TRACKS, &tracks));
        let mut tail = Tail::new(medium);
        tail.append(&head)?;
        Ok(Self { tail, size_at, content, seek_at, duration_at: before as u64, cues: Vec::new() })
    }
}

impl Container for WebM {
    fn write(&mut self, piece: &Piece) -> io::Result<()> {
        let start = self.tail.length - self.content;
        let mut all: Vec<(Kind, &Sample)> = piece.video.iter().map(|sample| (Kind::Video, sample)).collect();
        all.extend(piece.audio.iter().map(|sample| (Kind::Audio, sample)));
        all.sort_by_key(|(_, sample)| sample.at);
        let mut bytes = Vec::new();
        let mut rest = all.as_slice();
        // A block's time is 16 bits from its cluster's.
        while let Some((_, first)) = rest.first() {
            let base = millis(first.at);
            let fits = |(_, sample): &&(Kind, &Sample)| millis(sample.at) - base <= i16::MAX as u64;
            let count = rest.iter().take_while(fits).count();
            let (now, later) = rest.split_at(count.max(1));
            let place = start + bytes.len() as u64;
            let mut cluster = unsigned(id::TIMESTAMP, base);
            for (kind, sample) in now {
                let at = millis(sample.at);
                if *kind == Kind::Video && sample.key {
                    self.cues.push((at, place));
                }
                cluster.extend_from_slice(&block(*kind, sample, at - base));
            }
            bytes.extend_from_slice(&element(id::CLUSTER, &cluster));
            rest = later;
        }
        self.tail.append(&bytes)?;
        let end = all.iter().map(|(_, sample)| sample.at + sample.lasts).max().unwrap_or_default();
        self.tail.patch(self.duration_at, &(millis(end) as f64).to_be_bytes())
    }

    fn finish(&mut self, written: Duration) -> io::Result<()> {
        self.tail.medium.settle(self.tail.length)?;
        let cues = self.tail.length - self.content;
        let points = self.cues.iter().flat_map(|(at, cluster)| cue(*at, *cluster));
        let index = element(id::CUES, &points.collect::<Vec<_>>());
        let has_index = !self.cues.is_empty();
        if has_index {
            self.tail.append(&index)?;
            self.tail.patch(self.seek_at, &seek_head(cues))?;
        }
        self.tail.patch(self.duration_at, &(millis(written) as f64).to_be_bytes())?;
        let size = (self.tail.length - self.content) | 0x0100_0000_0000_0000;
        self.tail.patch(self.size_at, &size.to_be_bytes())?;
        self.tail.medium.settle(self.tail.length)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// An ID carries its length in its first bits.
fn id_bytes(id: u32) -> Vec<u8> {
    id.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

/// The shortest size that can tell it (RFC 8794 section 4).
fn size_bytes(size: usize) -> Vec<u8> {
    let size = size as u64;
    let length = (1..8).find(|length| size < (1 << (7 * length)) - 1).unwrap_or(8);
    let marked = size | 1 << (7 * length);
    marked.to_be_bytes().into_iter().skip(8 - length).collect()
}

fn element(id: u32, content: &[u8]) -> Vec<u8> {
    [&id_bytes(id)[..], &size_bytes(content.len()), content].concat()
}

fn unsigned(id: u32, value: u64) -> Vec<u8> {
    let bytes: Vec<u8> = value.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    element(id, if bytes.is_empty() { &[0] } else { &bytes })
}

fn header() -> Vec<u8> {
    [
        unsigned(id::EBML_VERSION, 1),
        unsigned(id::EBML_READ_VERSION, 1),
        unsigned(id::EBML_MAX_ID_LENGTH, 4),
        unsigned(id::EBML_MAX_SIZE_LENGTH, 8),
        element(id::DOC_TYPE, b"webm"),
        unsigned(id::DOC_TYPE_VERSION, 4),
        unsigned(id::DOC_TYPE_READ_VERSION, 2),
    ]
    .concat()
}

/// Where the index is; as long for every place.
fn seek_head(cues: u64) -> Vec<u8> {
    let position = element(id::SEEK_POSITION, &cues.to_be_bytes());
    let seek = [element(id::SEEK_ID, &id_bytes(id::CUES)), position].concat();
    element(id::SEEK_HEAD, &element(id::SEEK, &seek))
}

/// The duration is its last 8 bytes.
fn info() -> Vec<u8> {
    let content = [
        unsigned(id::TIMESTAMP_SCALE, 1_000_000),
        element(id::MUXING_APP, b"Sidetone"),
        element(id::WRITING_APP, b"Sidetone"),
        element(id::DURATION, &0_f64.to_be_bytes()),
    ];
    element(id::INFO, &content.concat())
}

fn video_track(size: Size) -> Vec<u8> {
    let video =
        [unsigned(id::PIXEL_WIDTH, size.width().into()), unsigned(id::PIXEL_HEIGHT, size.height().into())];
    let content = [
        unsigned(id::TRACK_NUMBER, VIDEO_TRACK.into()),
        unsigned(id::TRACK_UID, VIDEO_TRACK.into()),
        unsigned(id::TRACK_TYPE, 1),
        unsigned(id::FLAG_LACING, 0),
        element(id::CODEC_ID, b"V_VP8"),
        element(id::VIDEO, &video.concat()),
    ];
    element(id::TRACK_ENTRY, &content.concat())
}

fn audio_track() -> Vec<u8> {
    // OpusHead: version, two channels, no pre-skip, 48 kHz, no gain, mapping family 0 (RFC 7845 section 5.1).
    let head = [&b"OpusHead\x01\x02\x00\x00"[..], &48_000_u32.to_le_bytes(), &[0, 0, 0]].concat();
    let audio =
        [element(id::SAMPLING_FREQUENCY, &48_000_f64.to_be_bytes()), unsigned(id::CHANNELS, 2)].concat();
    let content = [
        unsigned(id::TRACK_NUMBER, AUDIO_TRACK.into()),
        unsigned(id::TRACK_UID, AUDIO_TRACK.into()),
        unsigned(id::TRACK_TYPE, 2),
        unsigned(id::FLAG_LACING, 0),
        element(id::CODEC_ID, b"A_OPUS"),
        element(id::CODEC_PRIVATE, &head),
        unsigned(id::SEEK_PRE_ROLL, PRE_ROLL),
        element(id::AUDIO, &audio),
    ];
    element(id::TRACK_ENTRY, &content.concat())
}

fn block(kind: Kind, sample: &Sample, after: u64) -> Vec<u8> {
    let track = match kind {
        Kind::Video => VIDEO_TRACK,
        Kind::Audio => AUDIO_TRACK,
    };
    let flags = if sample.key { KEY_FRAME } else { 0 };
    // Within 15 bits.
    let [.., high, low] = after.to_be_bytes();
    let mut content = vec![0x80 | track, high, low, flags];
    content.extend_from_slice(&sample.data);
    element(id::SIMPLE_BLOCK, &content)
}

fn cue(at: u64, cluster: u64) -> Vec<u8> {
    let place =
        [unsigned(id::CUE_TRACK, VIDEO_TRACK.into()), unsigned(id::CUE_CLUSTER_POSITION, cluster)].concat();
    let content = [unsigned(id::CUE_TIME, at), element(id::CUE_TRACK_POSITIONS, &place)].concat();
    element(id::CUE_POINT, &content)
}

#[cfg(test)]
mod tests {
    use super::{element, id, seek_head, size_bytes};

    #[test]
    fn sizes_take_as_few_bytes_as_they_can() {
        assert_eq!(size_bytes(0), [0x80]);
        assert_eq!(size_bytes(126), [0xFE]);
        // 127 in one byte would say that it is not known.
        assert_eq!(size_bytes(127), [0x40, 0x7F]);
        assert_eq!(size_bytes(0x3FFE), [0x7F, 0xFE]);
        assert_eq!(size_bytes(0x3FFF), [0x20, 0x3F, 0xFF]);
        assert_eq!(size_bytes(1 << 30), [0x08, 0x40, 0, 0, 0]);
    }

    #[test]
    fn the_index_has_room_where_nothing_is_yet() {
        let room = seek_head(0).len();
        assert_eq!(room, seek_head(u64::MAX >> 8).len());
        assert_eq!(element(id::VOID, &vec![0; room - 2]).len(), room);
    }
}
