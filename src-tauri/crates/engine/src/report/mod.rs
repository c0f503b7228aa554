//! Bug reports: what happened, what that means, and how it is kept.

mod archive;
mod verdict;

pub(crate) use archive::{BEGIN, Folder, LONGEST_SCREENSHOT, OF_PAGE};
pub(crate) use verdict::judge;

use sidetone_api::{Failure, ReportContents};
use std::path::Path;

/// Reads a report from any file.
///
/// # Errors
/// `invalid` names `file` where it is no report, or too large to be one; `storage` where it cannot be read.
pub fn read_report(file: &Path) -> Result<ReportContents, Failure> {
    archive::read(file)
}
