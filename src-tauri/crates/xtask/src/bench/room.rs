//! Six in one room, and one of them slow.

use crate::{
    arguments,
    needs::{self, Group},
    project, shell,
};

pub(crate) fn run(options: &arguments::Bench) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Err("bench room: Linux only, for its figures come from /proc".into());
    }
    needs::ensure(&[Group::Build], options.install)?;
    needs::ensure_named(&["iproute2"], options.install)?;
    shell::run(&mut shell::cargo(&["build", "--release", "--package", "sidetone-cli"]))?;
    let mut bench = shell::cargo(&[
        "bench",
        "--package",
        "sidetone-testkit",
        "--bench",
        "room",
        "--features",
        "sidetone-media/h264",
        "--",
    ]);
    bench.arg("--program").arg(project::target().join("release").join("sidetone-cli"));
    if let Some(seconds) = options.seconds {
        bench.args(["--seconds", &seconds.to_string()]);
    }
    shell::run(bench.args(&options.rest))
}
