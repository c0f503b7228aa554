//! What a page hears.

use base64::Engine as _;
use serde_json::Value;

use crate::audio::Wav;
use crate::error::{Result, RigError};

/// The script: `ear.listen(track)` gives what `ear.samples` takes.
pub const EAR: &str = include_str!("pages/ear.js");

/// As `ear.samples` tells it.
pub fn wav(heard: &Value) -> Result<Wav> {
    let rate = heard["rate"].as_u64().and_then(|rate| u32::try_from(rate).ok());
    let bytes = base64::prelude::BASE64_STANDARD
        .decode(heard["samples"].as_str().unwrap_or_default())
        .map_err(|error| RigError::while_doing("the browser's sound", error))?;
    let samples =
        bytes.chunks_exact(2).map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_767.0);
    Ok(Wav {
        rate: rate.ok_or_else(|| RigError::new("the browser has no sound"))?,
        samples: samples.collect(),
    })
}
