//! PNG and JPEG.

use std::fs::{self, File};
use std::io::{BufReader, Cursor, Read, Write};
use std::path::Path;
use std::time::Instant;

use fast_image_resize::images::Image;
use fast_image_resize::{PixelType, Resizer};
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::file_error;
use crate::video::error::VideoError;
use crate::video::picture::{FramePool, Picture, PixelFormat, Size};

/// Most pixels and longest side of an image file. What is above 4096x4096 is scaled down.
const MAX_PIXELS: u64 = 64 << 20;
const MAX_SIDE: usize = 16_384;
/// Longest image file.
const MAX_FILE: u64 = 128 << 20;

const PNG_MAGIC: &[u8] = &[0x89, b'P', b'N', b'G'];
const JPEG_MAGIC: &[u8] = &[0xFF, 0xD8, 0xFF];

struct Rgb {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

/// Opens a PNG or JPEG file and scales it down to fit in `bounds`.
pub fn open_image(path: &Path, bounds: Size, captured: Instant) -> Result<Picture, VideoError> {
    let file = File::open(path).map_err(file_error(path))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(file_error(path))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(VideoError::Format { format: "image", problem: "more than 128 MiB".into() });
    }
    decode_image(&bytes, bounds, captured)
}

/// Decodes a PNG or JPEG image and scales it down to fit in `bounds`.
pub fn decode_image(bytes: &[u8], bounds: Size, captured: Instant) -> Result<Picture, VideoError> {
    let rgb = if bytes.starts_with(PNG_MAGIC) {
        decode_png(bytes)?
    } else if bytes.starts_with(JPEG_MAGIC) {
        decode_jpeg_rgb(bytes)?
    } else {
        return Err(VideoError::Format { format: "image", problem: "neither PNG nor JPEG".into() });
    };
    fitted(rgb, bounds, captured, &FramePool::new(1))
}

/// Decodes one picture of a camera that gives JPEG, in the size that it has.
pub fn decode_jpeg(bytes: &[u8], captured: Instant, pool: &FramePool) -> Result<Picture, VideoError> {
    let rgb = decode_jpeg_rgb(bytes)?;
    let size = Size::new(rgb.width, rgb.height)?;
    Picture::from_pixels(PixelFormat::Rgb, size, 0, &rgb.pixels, captured, pool)
}

/// The picture, upright and in its full resolution, as a PNG file has it.
pub fn encode_png(picture: &Picture) -> Result<Vec<u8>, VideoError> {
    let failed = |error: png::EncodingError| VideoError::Format { format: "PNG", problem: error.to_string() };
    let upright = picture.upright(&FramePool::new(1))?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, upright.width(), upright.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&upright.to_rgb()?).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

/// Writes the picture to a PNG file, which is there whole or not at all.
pub fn save_png(picture: &Picture, path: &Path) -> Result<(), VideoError> {
    let bytes = encode_png(picture)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = File::create(&part).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.sync_all()
    });
    let moved = written.and_then(|()| fs::rename(&part, path));
    moved.map_err(|error| {
        // What cannot be removed either stays as it is.
        let _ = fs::remove_file(&part);
        file_error(path)(error)
    })
}

fn check(format: &'static str, width: usize, height: usize) -> Result<(), VideoError> {
    let pixels = width as u64 * height as u64;
    if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE || pixels > MAX_PIXELS {
        let problem = format!("size {width}x{height}");
        return Err(VideoError::Format { format, problem });
    }
    Ok(())
}

fn decode_png(bytes: &[u8]) -> Result<Rgb, VideoError> {
    let failed = |error: png::DecodingError| VideoError::Format { format: "PNG", problem: error.to_string() };
    let limits = png::Limits { bytes: 8 << 20 };
    let mut decoder = png::Decoder::new_with_limits(BufReader::new(Cursor::new(bytes)), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let header = decoder.read_header_info().map_err(failed)?;
    let (width, height) = (header.width, header.height);
    check("PNG", width as usize, height as usize)?;
    // Its own limit counts the picture, whose size is known to be bounded now.
    decoder.set_limits(png::Limits { bytes: 512 << 20 });
    let mut reader = decoder.read_info().map_err(failed)?;
    let too_large = || VideoError::Format { format: "PNG", problem: "size".into() };
    let mut data = vec![0; reader.output_buffer_size().ok_or_else(too_large)?];
    let info = reader.next_frame(&mut data).map_err(failed)?;
    data.truncate(info.buffer_size());
    let over_black = |value: u8, alpha: u8| (u16::from(value) * u16::from(alpha) / 255) as u8;
    let pixels = match info.color_type {
        png::ColorType::Rgb => data,
        png::ColorType::Rgba => data
            .as_chunks::<4>()
            .0
            .iter()
            .flat_map(|[r, g, b, a]| [r, g, b].map(|value| over_black(*value, *a)))
            .collect(),
        png::ColorType::Grayscale => data.iter().flat_map(|grey| [*grey; 3]).collect(),
        png::ColorType::GrayscaleAlpha => {
            data.as_chunks::<2>().0.iter().flat_map(|[grey, a]| [over_black(*grey, *a); 3]).collect()
        }
        png::ColorType::Indexed => return Err(too_large()),
    };
    Ok(Rgb { width, height, pixels })
}

fn decode_jpeg_rgb(bytes: &[u8]) -> Result<Rgb, VideoError> {
    let failed = |problem: String| VideoError::Format { format: "JPEG", problem };
    let options = DecoderOptions::default()
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE)
        .jpeg_set_max_scans(64)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    decoder.decode_headers().map_err(|error| failed(format!("{error:?}")))?;
    let info = decoder.info().ok_or_else(|| failed("no header".into()))?;
    check("JPEG", info.width.into(), info.height.into())?;
    let pixels = decoder.decode().map_err(|error| failed(format!("{error:?}")))?;
    Ok(Rgb { width: info.width.into(), height: info.height.into(), pixels })
}

fn fitted(rgb: Rgb, bounds: Size, captured: Instant, pool: &FramePool) -> Result<Picture, VideoError> {
    let failed = |problem: String| VideoError::Pixels { field: "scale", problem };
    if rgb.width <= bounds.width() && rgb.height <= bounds.height() {
        let size = Size::new(rgb.width, rgb.height)?;
        return Picture::from_pixels(PixelFormat::Rgb, size, 0, &rgb.pixels, captured, pool);
    }
    let (w, h) = (f64::from(rgb.width), f64::from(rgb.height));
    let factor = (f64::from(bounds.width()) / w).min(f64::from(bounds.height()) / h);
    let size = Size::clamped((w * factor).round() as u32, (h * factor).round() as u32);
    let source = Image::from_vec_u8(rgb.width, rgb.height, rgb.pixels, PixelType::U8x3)
        .map_err(|error| failed(error.to_string()))?;
    let mut target = Image::new(size.width(), size.height(), PixelType::U8x3);
    Resizer::new().resize(&source, &mut target, None).map_err(|error| failed(error.to_string()))?;
    Picture::from_pixels(PixelFormat::Rgb, size, 0, target.buffer(), captured, pool)
}
