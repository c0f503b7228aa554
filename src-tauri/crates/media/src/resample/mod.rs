//! Sample-rate conversion.

mod drift;
mod fir;

pub use drift::{DriftResampler, Processed};
