//! `cargo xtask test`: what CI runs. Every step runs even where an earlier one failed, so that one run tells all, but for
//! steps that cannot start without it.

use crate::{
    arguments,
    needs::{self, Group},
    node::Node,
    shell, ui,
};
use std::time::{Duration, Instant};

type Outcome = Result<(), String>;

struct Report {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

pub(crate) fn run(options: &arguments::Test) -> Outcome {
    let begun = Instant::now();
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let mut reports = Vec::new();
    let mut step = |name: &'static str, work: &mut dyn FnMut() -> Outcome| {
        println!("\n==> {name}");
        let begun = Instant::now();
        let outcome = work();
        let took = begun.elapsed();
        match &outcome {
            Ok(()) => println!("<== {name}: {}", shell::duration(took)),
            Err(error) => println!("<== {name}: failed after {}: {error}", shell::duration(took)),
        }
        let passed = outcome.is_ok();
        reports.push(Report { name, took, outcome });
        passed
    };

    let mut found: Option<Node> = None;
    let ready = step("needs", &mut || {
        let groups: &[Group] = &[Group::Build, Group::Window, Group::Test];
        found = Some(needs::ensure_with_node(groups, options.install)?);
        Ok(())
    });
    if wanted("fmt") {
        step("fmt", &mut || shell::run(&mut shell::cargo(&["fmt", "--all", "--check"])));
    }
    // The app embeds the pages, so nothing of it compiles without them.
    let built = ready
        && found.as_ref().is_some_and(|node| {
            let built = step("ui build", &mut || ui::build(node));
            if built && wanted("ui") {
                step("ui check", &mut || shell::run(&mut node.npm(&["run", "check"])));
                step("ui test", &mut || shell::run(&mut node.npm(&["test"])));
            }
            built
        });
    if built {
        rust(&wanted, &mut step);
    }
    finish(&reports, begun.elapsed())
}

fn rust(
    wanted: &dyn Fn(&str) -> bool,
    step: &mut dyn FnMut(&'static str, &mut dyn FnMut() -> Outcome) -> bool,
) {
    if wanted("tests") {
        let compiled = step("compile", &mut || cargo(&["test", "--workspace", "--no-run"]));
        if compiled {
            step("tests", &mut || cargo(&["test", "--workspace", "--no-fail-fast"]));
        }
    }
    if wanted("codecs") {
        // What is built where a codec is missing: see docs/codecs.md.
        let without = ["--package", "sidetone-cli", "--no-default-features", "--features"];
        step("no VP8", &mut || {
            cargo(&[&["test"][..], &without, &["h264", "--test", "commands", "codecs::"]].concat())
        });
        step("no H.264", &mut || cargo(&[&["check", "--all-targets"][..], &without, &["vp8"]].concat()));
    }
    if wanted("bindings") {
        let features =
            ["test", "--package", "sidetone-api", "--features", "typescript", "--test", "bindings"];
        step("bindings", &mut || cargo(&features));
    }
    if wanted("clippy") {
        step("clippy", &mut || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]));
    }
}

fn cargo(arguments: &[&str]) -> Outcome {
    shell::run(&mut shell::cargo(arguments))
}

fn finish(reports: &[Report], total: Duration) -> Outcome {
    println!("\n{:<12} {:>12}", "step", "time");
    for report in reports {
        let mark = if report.outcome.is_ok() { "" } else { "  FAILED" };
        println!("{:<12} {:>12}{mark}", report.name, shell::duration(report.took));
    }
    println!("{:<12} {:>12}", "total", shell::duration(total));
    let failed: Vec<_> =
        reports.iter().filter(|report| report.outcome.is_err()).map(|report| report.name).collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}
