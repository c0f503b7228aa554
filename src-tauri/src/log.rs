//! What the app says outside its window: a log on stderr, level by the variable `SIDETONE_LOG` (`warn` where absent).

use std::{io::Write, process::ExitCode};
use tracing_subscriber::EnvFilter;

pub(crate) fn start() {
    let filter = EnvFilter::try_from_env("SIDETONE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// One text to the terminal that started the app: stdout for a wanted answer, stderr for a refusal.
pub(crate) fn say(text: &str, code: ExitCode) -> ExitCode {
    let _ = if code == ExitCode::SUCCESS {
        writeln!(std::io::stdout(), "{text}")
    } else {
        writeln!(std::io::stderr(), "{text}")
    };
    code
}
