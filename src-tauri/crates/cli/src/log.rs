//! Logs for who looks for a fault: to stderr, off unless asked for. Nothing secret is ever logged.

use crate::exit::Error;
use tracing_subscriber::EnvFilter;

const VARIABLE: &str = "SIDETONE_LOG";

/// `filter` is `--log`, such as `debug` or `sidetone_sip=trace`; the environment variable says the same.
pub(crate) fn start(filter: Option<&str>) -> Result<(), Error> {
    let Some(filter) = filter.map(String::from).or_else(|| std::env::var(VARIABLE).ok()) else {
        return Ok(());
    };
    let filter =
        EnvFilter::try_new(&filter).map_err(|error| Error::usage(format!("--log {filter}: {error}")))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(())
}
