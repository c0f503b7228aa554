//! `cargo xtask`: from a fresh clone to a running or a tested program, in one command.
//!
//! It finds what the machine lacks and installs it, builds the UI, and then calls cargo. Nothing here is part of the product.
#![forbid(unsafe_code)]
// Talking to the terminal is what it is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod bench;
mod bindings;
mod fuzz;
mod needs;
mod node;
mod project;
mod run;
mod shell;
mod test;
mod ui;

use arguments::Task;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = arguments::parse(std::env::args().skip(1)).and_then(|task| match task {
        Task::Help => {
            println!("{}", arguments::HELP);
            Ok(())
        }
        Task::Run(options) => run::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Bindings => bindings::write(),
        Task::Setup { install } => needs::everything(install),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error}");
            ExitCode::FAILURE
        }
    }
}
