//! One call on file audio, ours and baresip's. The measuring is done by a program of the test kit, which has the peers;
//! this crate stays small.

use crate::{
    arguments,
    needs::{self, Group},
    project, shell,
};

const PEERS: [&str; 5] = ["Kamailio", "SIPp", "baresip", "tcpdump", "iproute2"];

pub(crate) fn run(options: &arguments::Bench) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Err(
            "bench call: Linux only, for its peers are Linux programs and its figures come from /proc".into(),
        );
    }
    needs::ensure(&[Group::Build], options.install)?;
    needs::ensure_named(&PEERS, options.install)?;
    shell::run(&mut shell::cargo(&["build", "--release", "--package", "sidetone-cli"]))?;
    let mut bench = shell::cargo(&["bench", "--package", "sidetone-testkit", "--bench", "call", "--"]);
    bench.arg("--phone").arg(project::target().join("release").join("sidetone-cli"));
    for (name, value) in [("--seconds", options.seconds), ("--rounds", options.rounds)] {
        if let Some(value) = value {
            bench.args([name, &value.to_string()]);
        }
    }
    shell::run(bench.args(&options.rest))
}
