//! `sip parse`: what a message says, as JSON.

use crate::{
    arguments::Sip,
    exit::{Error, Exit},
    output::Output,
};
use sidetone_sip::message::{HeaderError, Headers, Message, to_json};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Far more than the parser takes: what is longer gives the parser's own error.
const MAX_INPUT: u64 = 1024 * 1024;

pub(crate) fn run(task: &Sip) -> Result<Exit, Error> {
    let Sip::Parse { file } = task;
    let bytes = read(file.as_deref())?;
    let message = Message::parse(&bytes).map_err(|error| Error::usage(error.to_string()))?;
    check_mandatory(message.headers()).map_err(|error| Error::usage(error.to_string()))?;
    check_cseq(&message)?;
    let text = format!("{:#}", to_json(&message));
    Output::new(true).line(&text).map_err(|error| Error::usage(format!("stdout: {error}")))?;
    Ok(Exit::Done)
}

/// What every message must have (RFC 3261 section 8.1.1), and a Contact that can be read where there is one.
fn check_mandatory(headers: &Headers) -> Result<(), HeaderError> {
    headers.via()?;
    headers.from()?;
    headers.to()?;
    headers.call_id()?;
    headers.contacts().map(|_| ())
}

/// RFC 3261 section 8.1.1.5.
fn check_cseq(message: &Message) -> Result<(), Error> {
    let Message::Request(request) = message else { return Ok(()) };
    match request.headers.cseq() {
        Ok(cseq) if cseq.method != request.method => Err(Error::usage(format!(
            "CSeq: the method {} is not that of the request line, {}",
            cseq.method, request.method
        ))),
        Ok(_) => Ok(()),
        Err(error) => Err(Error::usage(error.to_string())),
    }
}

fn read(file: Option<&Path>) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let (name, result) = match file {
        Some(path) => {
            let result = File::open(path).and_then(|file| file.take(MAX_INPUT).read_to_end(&mut bytes));
            (path.display().to_string(), result)
        }
        None => ("stdin".into(), io::stdin().lock().take(MAX_INPUT).read_to_end(&mut bytes)),
    };
    result.map_err(|error| Error::usage(format!("{name}: {error}")))?;
    Ok(bytes)
}
