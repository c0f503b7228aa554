//! A backend that is dead for a minute, and a run that is killed, under a load.

use crate::{
    arguments,
    needs::{self, Group},
    shell,
};

pub(crate) fn run(options: &arguments::Bench) -> Result<(), String> {
    needs::ensure(&[Group::Build], options.install)?;
    let mut tests = shell::cargo(&["test", "--release", "--package", "sidetone-engine", "--test", "engine"]);
    tests.args(["--", "hooks_load::", "--ignored", "--nocapture", "--test-threads", "1"]);
    shell::run(tests.args(&options.rest))
}
