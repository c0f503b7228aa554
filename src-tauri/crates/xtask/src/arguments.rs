//! The command line, by hand.

use std::str::FromStr;

pub(crate) const HELP: &str = "\
cargo xtask run [--release] [-- ARGS]   build everything and start the app; on a machine without a display, serve its pages
cargo xtask test [--only STEP]…         what CI runs: fmt, ui, clippy, bindings, codecs, tests
cargo xtask bench [NAME] [--seconds N] [--rounds N] [-- ARGS]
                                        figures beside another program's, in one run
cargo xtask fuzz [TARGET] [--runs N]    feed a parser with random input (nightly Rust)
cargo xtask bindings                    write ui/src/api from the engine's vocabulary
cargo xtask setup                       only install what building and testing need

Options: --no-install                   print what the machine lacks and install nothing";

pub(crate) const STEPS: [&str; 6] = ["fmt", "ui", "clippy", "bindings", "codecs", "tests"];

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    Run(Run),
    Test(Test),
    Bench(Bench),
    Fuzz(Fuzz),
    Bindings,
    Setup { install: bool },
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) release: bool,
    pub(crate) install: bool,
    /// For the program that is started.
    pub(crate) rest: Vec<String>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) install: bool,
    /// Empty: all steps.
    pub(crate) only: Vec<String>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Bench {
    /// Empty: all.
    pub(crate) name: Option<String>,
    /// How much of each run is measured, and how many runs there are; a bench has values of its own.
    pub(crate) seconds: Option<u32>,
    pub(crate) rounds: Option<u32>,
    pub(crate) install: bool,
    /// For the program that measures.
    pub(crate) rest: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fuzz {
    pub(crate) target: Option<String>,
    pub(crate) runs: u64,
    pub(crate) install: bool,
}

pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Task, String> {
    let mut arguments = arguments;
    let Some(task) = arguments.next() else { return Ok(Task::Help) };
    let mut given = Given::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--" => {
                given.rest = Some(arguments.by_ref().collect());
            }
            "--no-install" => given.no_install = true,
            "--release" => given.release = true,
            "-h" | "--help" => return Ok(Task::Help),
            "--only" => given.only.push(value(&mut arguments, "--only")?),
            "--runs" => given.runs = Some(value(&mut arguments, "--runs")?),
            "--seconds" => given.seconds = Some(value(&mut arguments, "--seconds")?),
            "--rounds" => given.rounds = Some(value(&mut arguments, "--rounds")?),
            option if option.starts_with('-') => return Err(format!("unknown option {option:?}\n\n{HELP}")),
            _ => given.names.push(argument),
        }
    }
    given.task(&task)
}

#[derive(Default)]
struct Given {
    no_install: bool,
    release: bool,
    only: Vec<String>,
    runs: Option<String>,
    seconds: Option<String>,
    rounds: Option<String>,
    names: Vec<String>,
    rest: Option<Vec<String>>,
}

impl Given {
    fn task(mut self, name: &str) -> Result<Task, String> {
        let install = !self.no_install;
        let task = match name {
            "run" => Task::Run(Run {
                release: std::mem::take(&mut self.release),
                install,
                rest: self.rest.take().unwrap_or_default(),
            }),
            "test" => Task::Test(Test { install, only: steps(std::mem::take(&mut self.only))? }),
            "bench" => Task::Bench(Bench {
                name: self.names.pop(),
                seconds: number("--seconds", self.seconds.take())?,
                rounds: number("--rounds", self.rounds.take())?,
                install,
                rest: self.rest.take().unwrap_or_default(),
            }),
            "fuzz" => {
                let runs = number("--runs", self.runs.take())?.unwrap_or(1_000_000);
                Task::Fuzz(Fuzz { target: self.names.pop(), runs, install })
            }
            "bindings" => Task::Bindings,
            "setup" => Task::Setup { install },
            "help" | "-h" | "--help" => Task::Help,
            _ => return Err(format!("unknown task {name:?}\n\n{HELP}")),
        };
        self.nothing_left(name).map(|()| task)
    }

    fn nothing_left(&self, task: &str) -> Result<(), String> {
        let left = [
            ("--release", self.release),
            ("--only", !self.only.is_empty()),
            ("--runs", self.runs.is_some()),
            ("--seconds", self.seconds.is_some()),
            ("--rounds", self.rounds.is_some()),
            ("--", self.rest.is_some()),
        ]
        .into_iter()
        .find_map(|(option, given)| given.then(|| option.to_owned()));
        match left.or_else(|| self.names.first().cloned()) {
            Some(option) => Err(format!("`cargo xtask {task}` does not take {option:?}\n\n{HELP}")),
            None => Ok(()),
        }
    }
}

fn value(arguments: &mut impl Iterator<Item = String>, option: &str) -> Result<String, String> {
    arguments.next().ok_or_else(|| format!("{option} wants a value"))
}

fn number<T: FromStr>(option: &str, given: Option<String>) -> Result<Option<T>, String> {
    let number = |given: String| given.parse().map_err(|_| format!("{option} wants a number, not {given:?}"));
    given.map(number).transpose()
}

fn steps(only: Vec<String>) -> Result<Vec<String>, String> {
    match only.iter().find(|name| !STEPS.contains(&name.as_str())) {
        Some(unknown) => Err(format!("--only {unknown:?}: the steps are {}", STEPS.join(", "))),
        None => Ok(only),
    }
}

#[cfg(test)]
mod tests {
    use super::{Bench, Fuzz, Run, Task, parse};

    fn read(line: &str) -> Result<Task, String> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn what_follows_two_dashes_is_the_programs() {
        let run = Run { release: true, install: true, rest: vec!["--only".into(), "x".into()] };
        assert_eq!(read("run --release -- --only x"), Ok(Task::Run(run)));
    }

    #[test]
    fn an_option_of_another_task_is_refused_by_name() {
        assert!(read("run --runs 5").unwrap_err().contains("--runs"));
        assert!(read("bindings extra").unwrap_err().contains("extra"));
        assert!(read("test --only clipy").unwrap_err().contains("clipy"));
    }

    #[test]
    fn a_bench_is_told_how_long_and_how_often() {
        let bench = Bench { name: Some("call".into()), seconds: Some(5), ..Bench::default() };
        assert_eq!(read("bench call --seconds 5 --no-install"), Ok(Task::Bench(bench)));
        assert!(read("bench --rounds -1").unwrap_err().contains("--rounds"));
        assert!(read("setup --seconds 5").unwrap_err().contains("--seconds"));
    }

    #[test]
    fn fuzzing_has_a_bound_of_its_own() {
        let fuzz = Fuzz { target: Some("message".into()), runs: 1_000_000, install: true };
        assert_eq!(read("fuzz message"), Ok(Task::Fuzz(fuzz)));
        assert!(read("fuzz --runs many").unwrap_err().contains("many"));
    }
}
