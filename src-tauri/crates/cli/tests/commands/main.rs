//! The program from outside: arguments in, lines and exit codes out.
#![allow(clippy::unwrap_used)]

mod calls;
mod codecs;
mod gateway;
mod hooks;
mod listen;
mod parse;
mod phone;
mod registrar;
mod run;
mod sound;
mod usage;
