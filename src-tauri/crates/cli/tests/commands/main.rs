//! The program from outside: arguments in, lines and exit codes out.

mod parse;
mod run;
mod usage;
