//! The owner.

use crate::{Handle, Options};
use sidetone_api::{Failure, FailureCode};

pub(crate) async fn start(options: Options) -> Result<Handle, Failure> {
    let _ = options;
    Err(Failure::new(FailureCode::Stopped, "not built yet"))
}
