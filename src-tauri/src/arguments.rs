//! The command line. The app has no options yet: everything is in its settings, and `sidetone-cli` is the one for scripts.

const HELP: &str = "\
Sidetone: calls from one small native program.

Usage: sidetone [--help | --version]

For scripts and machines without a display there is `sidetone-cli`; `sidetone-cli gateway` serves the same pages to a browser.";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Window,
    /// Say this on stdout and end well.
    Print(String),
    /// Say this and end with code 2.
    Refuse(String),
}

pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Start {
    for argument in arguments {
        match argument.as_str() {
            "-h" | "--help" => return Start::Print(HELP.into()),
            "-V" | "--version" => return Start::Print(format!("sidetone {}", env!("CARGO_PKG_VERSION"))),
            // The macOS Finder's process serial number.
            finder if finder.starts_with("-psn_") => {}
            unknown => return Start::Refuse(format!("unknown argument {unknown:?}\n\n{HELP}")),
        }
    }
    Start::Window
}

#[cfg(test)]
mod tests {
    use super::{Start, parse};

    fn start(arguments: &[&str]) -> Start {
        parse(arguments.iter().map(ToString::to_string))
    }

    #[test]
    fn without_arguments_the_window_opens() {
        assert_eq!(start(&[]), Start::Window);
        assert_eq!(start(&["-psn_0_12345"]), Start::Window);
    }

    #[test]
    fn an_unknown_argument_is_named() {
        assert!(matches!(start(&["--hepl"]), Start::Refuse(text) if text.contains("--hepl")));
    }
}
