//! The echo canceller in simulated rooms.

use crate::{
    arguments,
    needs::{self, Group},
    shell,
};

pub(crate) fn run(options: &arguments::Bench) -> Result<(), String> {
    needs::ensure(&[Group::Build], options.install)?;
    needs::ensure_named(&["eSpeak NG"], options.install)?;
    let mut bench =
        shell::cargo(&["bench", "--package", "sidetone-testkit", "--bench", "echo", "--", "--run"]);
    shell::run(bench.args(&options.rest))
}
