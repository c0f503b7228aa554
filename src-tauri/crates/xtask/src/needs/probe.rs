use crate::{project::find_program, shell};
use std::path::Path;

/// How to see whether a thing is there.
#[derive(Debug)]
pub(crate) enum Probe {
    /// Any of these programs.
    Program(&'static [&'static str]),
    /// A library with its headers, by the name that pkg-config knows.
    Library(&'static str),
    /// A Python 3 that can make environments; distributions leave that part out.
    PythonEnvironments,
    /// All these modules of Kamailio, wherever its distribution keeps them.
    KamailioModules(&'static [&'static str]),
}

impl Probe {
    pub(crate) fn found(&self) -> bool {
        match self {
            Self::Program(names) => names.iter().any(|name| find_program(name).is_some()),
            Self::Library(name) => {
                let mut ask = shell::command("pkg-config", &["--exists", name]);
                shell::output(&mut ask).is_some()
            }
            Self::PythonEnvironments => {
                let mut ask = shell::command("python3", &["-c", "import ensurepip, venv"]);
                shell::output(&mut ask).is_some()
            }
            Self::KamailioModules(names) => {
                let arch = std::env::consts::ARCH;
                let folders = [format!("/usr/lib/{arch}-linux-gnu"), "/usr/lib64".into(), "/usr/lib".into()];
                let has = |folder: &String, name: &str| {
                    Path::new(folder).join("kamailio/modules").join(name).with_extension("so").exists()
                };
                folders.iter().any(|folder| names.iter().all(|name| has(folder, name)))
            }
        }
    }
}
