//! The frame of the benches: what they are asked for, and how they end. They are programs of their own, run through
//! `cargo xtask bench`; a test run of all targets starts them without arguments, and they only say what they would take.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::error::{Result, RigError};

/// The most seconds that any bench measures at a time.
pub const MOST_SECONDS: u64 = 600;

/// A program's arguments, name after name, with what is said where one is wrong.
#[derive(Debug)]
pub struct Arguments<I> {
    words: I,
    usage: &'static str,
}

impl Arguments<std::iter::Skip<std::env::Args>> {
    /// Of this program.
    pub fn of_this_program(usage: &'static str) -> Self {
        Self { words: std::env::args().skip(1), usage }
    }
}

impl<I: Iterator<Item = String>> Arguments<I> {
    pub fn new(words: I, usage: &'static str) -> Self {
        Self { words, usage }
    }

    /// The next one's name.
    pub fn name(&mut self) -> Option<String> {
        // Cargo adds its own.
        self.words.by_ref().find(|word| word != "--bench")
    }

    /// What follows `name`.
    pub fn value(&mut self, name: &str) -> Result<String> {
        self.words.next().ok_or_else(|| self.wrong(format_args!("{name} wants a value")))
    }

    /// The number that follows `name`.
    pub fn number(&mut self, name: &str, range: RangeInclusive<u64>) -> Result<u64> {
        let given = self.value(name)?;
        let number = given.parse().ok().filter(|number| range.contains(number));
        let (least, most) = range.into_inner();
        number.ok_or_else(|| {
            self.wrong(format_args!("{name} wants a number from {least} to {most}, not {given:?}"))
        })
    }

    /// The numbers that follow `name`, separated by commas.
    pub fn numbers(&mut self, name: &str, range: RangeInclusive<u32>) -> Result<Vec<u32>> {
        let given = self.value(name)?;
        let numbers = given.split(',').map(|text| text.parse().ok().filter(|number| range.contains(number)));
        let numbers = numbers.collect::<Option<Vec<u32>>>();
        let (least, most) = range.into_inner();
        numbers.ok_or_else(|| {
            self.wrong(format_args!("{name} wants numbers from {least} to {most}, not {given:?}"))
        })
    }

    pub fn unknown(&self, name: &str) -> RigError {
        self.wrong(format_args!("unknown option {name:?}"))
    }

    fn wrong(&self, what: impl Display) -> RigError {
        RigError::new(format!("{what}\n{}", self.usage))
    }
}

/// A program that is measured, by a path that holds wherever the bench goes.
///
/// # Errors
/// There is no such file.
pub fn program(path: &Path) -> Result<PathBuf> {
    std::fs::canonicalize(path).map_err(|error| RigError::while_doing(path.display(), error))
}

/// Whether an aim is met, as tables say it.
pub fn word(met: bool) -> &'static str {
    if met { "yes" } else { "no" }
}

/// Says how it went: whether the aims were met, or what went wrong.
#[expect(clippy::print_stderr, reason = "a program's last words")]
pub fn ended(outcome: Result<bool>) -> ExitCode {
    match outcome {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => eprintln!("an aim was missed"),
        Err(error) => eprintln!("{error}"),
    }
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Arguments<impl Iterator<Item = String>> {
        Arguments::new(text.split(' ').map(str::to_owned).collect::<Vec<_>>().into_iter(), "usage")
    }

    #[test]
    fn names_come_with_their_values_and_what_cargo_adds_is_passed_over() {
        let mut arguments = arguments("--bench --seconds 5 --players 1,200 --bench");
        assert_eq!(arguments.name().as_deref(), Some("--seconds"));
        assert_eq!(arguments.number("--seconds", 1..=600).unwrap(), 5);
        assert_eq!(arguments.name().as_deref(), Some("--players"));
        assert_eq!(arguments.numbers("--players", 1..=400).unwrap(), [1, 200]);
        assert_eq!(arguments.name(), None);
    }

    #[test]
    fn what_is_out_of_range_is_named_with_the_range() {
        let error = arguments("601").number("--seconds", 1..=600).unwrap_err().to_string();
        assert_eq!(error, "--seconds wants a number from 1 to 600, not \"601\"\nusage");
        let error = arguments("1,0").numbers("--players", 1..=400).unwrap_err().to_string();
        assert_eq!(error, "--players wants numbers from 1 to 400, not \"1,0\"\nusage");
        assert!(arguments("").unknown("--x").to_string().contains("--x"));
    }
}
