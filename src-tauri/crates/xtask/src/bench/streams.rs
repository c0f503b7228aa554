//! Forwarding to many players, ours and Janus'; coding of pictures; and their way into the window.

use crate::{
    arguments,
    needs::{self, Group},
    project, shell, ui,
};

pub(crate) fn run(options: &arguments::Bench) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Err(
            "bench streams: Linux only, for Janus is a Linux program and its figures come from /proc".into(),
        );
    }
    let parts: Vec<&str> = options.rest.iter().map(String::as_str).collect();
    let chosen: Vec<&str> = parts.windows(2).filter(|pair| pair[0] == "--only").map(|pair| pair[1]).collect();
    let wanted = |part: &str| chosen.is_empty() || chosen.contains(&part);

    needs::ensure_named(&["iproute2"], options.install)?;
    if wanted("forward") {
        needs::ensure_named(&["Janus"], options.install)?;
    }
    let release = project::target().join("release");
    let mut bench = shell::cargo(&["bench", "--package", "sidetone-testkit", "--bench", "streams", "--"]);
    if wanted("window") {
        needs::ensure_named(&["Xvfb", "WebKitWebDriver", "dbus-daemon", "ImageMagick"], options.install)?;
        ui::build(&needs::ensure_with_node(&[Group::Build, Group::Window], options.install)?)?;
        shell::run(&mut shell::cargo(&["build", "--release", "--package", "sidetone"]))?;
        bench.arg("--app").arg(release.join("sidetone"));
    }
    needs::ensure(&[Group::Build], options.install)?;
    shell::run(&mut shell::cargo(&["build", "--release", "--package", "sidetone-cli"]))?;
    bench.arg("--program").arg(release.join("sidetone-cli"));
    if let Some(seconds) = options.seconds {
        bench.args(["--seconds", &seconds.to_string()]);
    }
    shell::run(bench.args(&options.rest))
}
