use crate::{project::find_program, shell};
use std::path::{Path, PathBuf};

/// How to see whether a thing is there.
#[derive(Debug)]
pub(crate) enum Probe {
    /// Any of these programs.
    Program(&'static [&'static str]),
    /// A library with its headers, by the name that pkg-config knows, and the oldest version that will do: `name >= 1.2`.
    Library(&'static str),
    /// A Python 3 that can make environments; distributions leave that part out.
    PythonEnvironments,
    /// A library that is opened at build time, by the start of its file's name, wherever its distribution keeps it.
    SharedLibrary(&'static str),
    /// All these modules of Kamailio, wherever its distribution keeps them.
    KamailioModules(&'static [&'static str]),
    /// All these modules of baresip.
    BaresipModules(&'static [&'static str]),
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
            Self::SharedLibrary(name) => has_shared_library(name),
            Self::KamailioModules(names) => has_modules("kamailio", names),
            Self::BaresipModules(names) => has_modules("baresip", names),
        }
    }
}

fn has_modules(program: &str, names: &[&str]) -> bool {
    let arch = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let folders = [&arch, "/usr/lib64", "/usr/lib", "/usr/local/lib64", "/usr/local/lib"];
    let mut folders = folders.iter().map(|folder| Path::new(folder).join(program).join("modules"));
    folders.any(|folder| names.iter().all(|name| folder.join(name).with_extension("so").exists()))
}

/// Compilers are installed side by side, each in a folder of its own.
fn has_shared_library(name: &str) -> bool {
    let arch = std::env::consts::ARCH;
    let mut folders: Vec<PathBuf> =
        [format!("/usr/lib/{arch}-linux-gnu"), "/usr/lib64".into(), "/usr/lib".into()]
            .map(PathBuf::from)
            .into();
    let versions =
        folders.clone().into_iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten());
    let versions = versions.flatten().map(|entry| entry.path());
    let is_llvm =
        |path: &PathBuf| path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("llvm"));
    let compilers: Vec<PathBuf> = versions.filter(is_llvm).collect();
    folders.extend(compilers.into_iter().flat_map(|folder| [folder.join("lib"), folder.join("lib64")]));
    folders.extend(std::env::var_os("LIBCLANG_PATH").map(PathBuf::from));
    let is_it = |entry: &std::fs::DirEntry| is_shared_library(&entry.file_name().to_string_lossy(), name);
    folders.iter().flat_map(std::fs::read_dir).any(|folder| folder.flatten().any(|entry| is_it(&entry)))
}

/// `NAME.so`, and a version behind either part: `libclang-14.so.1` is libclang, `libclang-cpp.so.14` is another library.
fn is_shared_library(file: &str, name: &str) -> bool {
    let Some((stem, version)) = file.split_once(".so") else { return false };
    let is_whole = version.is_empty() || version.starts_with('.');
    let rest = stem.strip_prefix(name);
    is_whole
        && rest.is_some_and(|rest| {
            rest.is_empty()
                || rest.strip_prefix('-').is_some_and(|rest| rest.starts_with(|it: char| it.is_ascii_digit()))
        })
}

#[cfg(test)]
mod tests {
    use super::is_shared_library;

    #[test]
    fn a_library_is_known_with_its_versions_and_not_taken_for_another() {
        for file in
            ["libclang.so", "libclang.so.1", "libclang-14.so", "libclang-14.so.1", "libclang-14.0.6.so.1"]
        {
            assert!(is_shared_library(file, "libclang"), "{file}");
        }
        for file in [
            "libclang-cpp.so.14",
            "libclang-cpp.so",
            "libclang.a",
            "libclang.sock",
            "libclangd.so",
            "libclang-.so",
        ] {
            assert!(!is_shared_library(file, "libclang"), "{file}");
        }
    }
}
