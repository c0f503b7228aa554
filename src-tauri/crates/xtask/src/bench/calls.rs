//! Many calls in one engine.

use crate::{
    arguments,
    needs::{self, Group},
    project, shell,
};

pub(crate) fn run(options: &arguments::Bench) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Err("bench calls: Linux only, for its figures come from /proc".into());
    }
    needs::ensure(&[Group::Build], options.install)?;
    needs::ensure_named(&["SIPp", "iproute2"], options.install)?;
    shell::run(&mut shell::cargo(&["build", "--release", "--package", "sidetone-cli"]))?;
    let mut bench = shell::cargo(&["bench", "--package", "sidetone-testkit", "--bench", "calls", "--"]);
    bench.arg("--phone").arg(project::target().join("release").join("sidetone-cli"));
    if let Some(seconds) = options.seconds {
        bench.args(["--seconds", &seconds.to_string()]);
    }
    shell::run(bench.args(&options.rest))
}
