use crate::{project::find_program, shell};

/// How to see whether a thing is there.
#[derive(Debug)]
pub(crate) enum Probe {
    /// Any of these programs.
    Program(&'static [&'static str]),
    /// A library with its headers, by the name that pkg-config knows.
    Library(&'static str),
}

impl Probe {
    pub(crate) fn found(&self) -> bool {
        match self {
            Self::Program(names) => names.iter().any(|name| find_program(name).is_some()),
            Self::Library(name) => {
                let mut ask = shell::command("pkg-config", &["--exists", name]);
                shell::output(&mut ask).is_some()
            }
        }
    }
}
