//! `sidetone-cli`: the headless client and server. No webview is linked.
//!
//! ```text
//! sidetone-cli call echo --mic file:in.wav --speaker file:out.wav --for 10s
//! sidetone-cli answer --aor sip:bob@example.org --password-env BOB --json
//! sidetone-cli register --account work.toml
//! sidetone-cli phone                # commands as JSON lines on stdin, events on stdout
//! sidetone-cli gateway              # registrar, streams, pages, sockets, REST API; prints its addresses and a login link
//! sidetone-cli gateway --config gateway.toml --ws-listen 0.0.0.0:8080
//! sidetone-cli sip parse invite.txt # a message as JSON
//! sidetone-cli publish tv --camera bars --mic tone --for 1m --record tv.mp4
//! sidetone-cli play tv --video file:out.y4m --speaker file:out.wav --for 10s
//! sidetone-cli snapshot https://example.org/whep/tv picture.png
//! ```
//!
//! Without an account `call`, `answer`, `register` and `phone` use the gateway that runs on this machine (the app's, or that
//! of `sidetone-cli gateway`), else they start one of their own. A stream's name is one at that gateway, or at the one of `--gateway`;
//! it goes there by WHIP and WHEP.
//!
//! # Exit codes
//! | code | meaning |
//! | --- | --- |
//! | 0 | done; for `call` and `answer`: the call was established and ended, or `--for` ran out; `publish` and `play` likewise |
//! | 1 | wrong arguments, account file or input of `sip parse` |
//! | 2 | no network: the registrar or gateway cannot be reached, or no socket can be opened |
//! | 3 | the registrar refused: wrong password, or another reason |
//! | 4 | the called party is busy (486, 600) |
//! | 5 | the call or stream failed: refused, not found, no answer, no common codec, lost |
//! | 6 | a microphone, speaker or file cannot be opened or written |
//! | 7 | the engine stopped or refused a command |
//! | 130 | interrupted (Ctrl-C, SIGTERM): hung up, unpublished and unregistered first |
//!
//! `register` (once registered), `gateway` and `phone` are ended by a signal in the normal way: they exit 0.
#![forbid(unsafe_code)]

mod account;
mod arguments;
mod client;
mod commands;
mod descriptors;
mod exit;
mod log;
mod output;
mod pages;
mod parse;
mod signals;

use arguments::{Arguments, Task};
use clap::Parser;
use exit::{Error, Exit};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done }.into();
        }
    };
    match run(arguments) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::complain(&error.to_string());
            error.exit.into()
        }
    }
}

fn run(arguments: Arguments) -> Result<Exit, Error> {
    if let Task::Sip(task) = &arguments.task {
        return parse::run(task);
    }
    log::start(arguments.log.as_deref())?;
    // One thread: the engine and the audio have their own, and there is nothing else to do at once.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .build()
        .map_err(|error| Error::new(Exit::Internal, format!("runtime: {error}")))?;
    let exit = runtime.block_on(commands::run(arguments.task));
    runtime.shutdown_background();
    exit
}
