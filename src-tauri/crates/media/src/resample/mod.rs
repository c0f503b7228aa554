//! Sample-rate conversion.

mod drift;
mod fir;
mod fixed;

pub use drift::{DriftResampler, Processed};
pub use fixed::Resampler;
