//! libvpx behind a safe face.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::ptr::{NonNull, null};

use super::NAME;
use crate::video::error::VideoError;
use crate::video::picture::{FramePool, Picture, Size};

/// As `shim.c` has it.
#[repr(C)]
pub(super) struct Options {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) frames_per_second: u32,
    pub(super) kilobits: u32,
    pub(super) threads: u32,
    pub(super) screen: u32,
    pub(super) key_frame_interval: u32,
}

#[repr(C)]
struct RawEncoder {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawDecoder {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawPicture {
    planes: [*const u8; 3],
    strides: [u32; 3],
    width: u32,
    height: u32,
}

unsafe extern "C" {
    fn sidetone_vp8_encoder_open(options: *const Options) -> *mut RawEncoder;
    fn sidetone_vp8_encoder_close(encoder: *mut RawEncoder);
    fn sidetone_vp8_encoder_set_bitrate(encoder: *mut RawEncoder, kilobits: u32) -> c_int;
    fn sidetone_vp8_encode(
        encoder: *mut RawEncoder,
        y: *const u8,
        u: *const u8,
        v: *const u8,
        time: i64,
        duration: u32,
        key: c_int,
    ) -> c_int;
    fn sidetone_vp8_encoder_packet(
        encoder: *mut RawEncoder,
        data: *mut *const u8,
        length: *mut usize,
        key: *mut c_int,
    ) -> c_int;
    fn sidetone_vp8_decoder_open() -> *mut RawDecoder;
    fn sidetone_vp8_decoder_close(decoder: *mut RawDecoder);
    fn sidetone_vp8_decode(
        decoder: *mut RawDecoder,
        data: *const u8,
        length: u32,
        picture: *mut RawPicture,
    ) -> c_int;
}

fn failed(what: &str, code: c_int) -> VideoError {
    VideoError::Codec { codec: NAME, reason: format!("{what} failed, code {code}") }
}

pub(super) struct Encoder {
    raw: NonNull<RawEncoder>,
    size: Size,
}

// SAFETY: a context of libvpx is not bound to the thread that opened it; `&mut self` keeps it to one at a time.
unsafe impl Send for Encoder {}

impl Encoder {
    pub(super) fn open(size: Size, options: &Options) -> Result<Self, VideoError> {
        debug_assert_eq!((size.width(), size.height()), (options.width, options.height));
        // SAFETY: `options` is read during the call only.
        let raw = unsafe { sidetone_vp8_encoder_open(options) };
        let raw = NonNull::new(raw).ok_or_else(|| failed("opening the encoder", 0))?;
        Ok(Self { raw, size })
    }

    /// Gives `None` where the rate control left the picture out, else the frame and whether it is a key frame.
    pub(super) fn encode(
        &mut self,
        picture: &Picture,
        time: i64,
        duration: u32,
        key: bool,
    ) -> Result<Option<(Vec<u8>, bool)>, VideoError> {
        if picture.size() != self.size {
            return Err(failed("a picture of another size", 0));
        }
        let (y, u, v) = (picture.y().as_ptr(), picture.u().as_ptr(), picture.v().as_ptr());
        // SAFETY: the planes have the size that the encoder was opened with, rows without padding, and live until the
        // call returns; the library copies what it keeps.
        let code =
            unsafe { sidetone_vp8_encode(self.raw.as_ptr(), y, u, v, time, duration, c_int::from(key)) };
        if code != 0 {
            return Err(failed("encoding", code));
        }
        let mut whole: Option<(Vec<u8>, bool)> = None;
        loop {
            let (mut data, mut length, mut key) = (null(), 0usize, 0);
            // SAFETY: the three places are written where 1 is returned, and then `data` has `length` bytes until the
            // next call on this encoder.
            let packet = unsafe {
                if sidetone_vp8_encoder_packet(self.raw.as_ptr(), &mut data, &mut length, &mut key) != 1
                    || data.is_null()
                {
                    return Ok(whole);
                }
                std::slice::from_raw_parts(data, length)
            };
            let (bytes, is_key) = whole.get_or_insert_default();
            bytes.extend_from_slice(packet);
            *is_key |= key != 0;
        }
    }

    pub(super) fn set_bitrate(&mut self, kilobits: u32) -> Result<(), VideoError> {
        // SAFETY: the encoder is open.
        match unsafe { sidetone_vp8_encoder_set_bitrate(self.raw.as_ptr(), kilobits) } {
            0 => Ok(()),
            code => Err(failed("setting the bitrate", code)),
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unsafe { sidetone_vp8_encoder_close(self.raw.as_ptr()) }
    }
}

pub(super) struct Decoder {
    raw: NonNull<RawDecoder>,
}

// SAFETY: as of the encoder.
unsafe impl Send for Decoder {}

impl Decoder {
    pub(super) fn open() -> Result<Self, VideoError> {
        // SAFETY: no precondition.
        let raw = NonNull::new(unsafe { sidetone_vp8_decoder_open() });
        Ok(Self { raw: raw.ok_or_else(|| failed("opening the decoder", 0))? })
    }

    /// `None` where the frame shows no picture.
    pub(super) fn decode(
        &mut self,
        frame: &[u8],
        captured: std::time::Instant,
        pool: &FramePool,
    ) -> Result<Option<Picture>, VideoError> {
        let damaged = |problem: String| VideoError::Bitstream { codec: NAME, problem };
        let length = u32::try_from(frame.len()).map_err(|_| damaged("frame is too long".into()))?;
        let mut picture = RawPicture { planes: [null(); 3], strides: [0; 3], width: 0, height: 0 };
        // SAFETY: `frame` has `length` bytes, which are read during the call.
        let code = unsafe { sidetone_vp8_decode(self.raw.as_ptr(), frame.as_ptr(), length, &mut picture) };
        match code {
            1 => {}
            0 => return Ok(None),
            code => return Err(damaged(format!("frame is damaged, code {code}"))),
        }
        let size = Size::new(picture.width, picture.height)?;
        let [luma, chroma, other] = picture.strides.map(|stride| stride as usize);
        if luma < size.width() as usize || chroma != other || chroma < size.chroma_width() as usize {
            return Err(failed("a picture with short rows", 0));
        }
        let luma_len = luma * (size.height() as usize - 1) + size.width() as usize;
        let chroma_len = chroma * (size.chroma_height() as usize - 1) + size.chroma_width() as usize;
        let [y, u, v] = picture.planes;
        // SAFETY: the library gives I420 planes of the size and strides that it tells, valid until the next call on
        // this decoder; the shim refuses null and negative strides.
        let planes = unsafe {
            [
                std::slice::from_raw_parts(y, luma_len),
                std::slice::from_raw_parts(u, chroma_len),
                std::slice::from_raw_parts(v, chroma_len),
            ]
        };
        Picture::from_planes(size, planes, [luma, chroma], captured, pool).map(Some)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unsafe { sidetone_vp8_decoder_close(self.raw.as_ptr()) }
    }
}
