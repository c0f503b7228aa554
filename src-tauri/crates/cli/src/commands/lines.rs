//! Lines of stdin, bounded.

use std::io::{self, BufRead, Read};
use tokio::sync::mpsc;

/// Longest line, bytes.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// A line, or that one was too long or not UTF-8 and has been skipped.
pub(super) type Line = Result<String, &'static str>;

/// Reads stdin on a thread of its own, which nothing else can do without blocking. The channel ends with stdin.
pub(super) fn of_stdin() -> mpsc::Receiver<Line> {
    let (sender, receiver) = mpsc::channel(16);
    let read = move || {
        let mut stdin = io::stdin().lock();
        while let Ok(Some(line)) = next(&mut stdin) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("stdin".into()).spawn(read) {
        tracing::error!(%error, "stdin is not read");
    }
    receiver
}

/// `None` at the end.
fn next(reader: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX) + 1;
    if reader.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() > MAX_LINE && line.last() != Some(&b'\n') {
        skip_line(reader)?;
        return Ok(Some(Err("a line has at most 65536 bytes")));
    }
    Ok(Some(String::from_utf8(line).map_err(|_| "a line is UTF-8")))
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        if length == 0 {
            return Ok(());
        }
        reader.consume(length);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINE, next};

    #[test]
    fn a_line_that_is_too_long_or_not_text_is_skipped_and_the_next_one_read() {
        let mut input = [b"x".repeat(3 * MAX_LINE), b"\none\n\xff\ntwo".to_vec()].concat();
        input.extend(b"x".repeat(MAX_LINE));
        let mut reader = std::io::BufReader::new(input.as_slice());
        assert!(next(&mut reader).unwrap().unwrap().is_err());
        assert_eq!(next(&mut reader).unwrap(), Some(Ok("one\n".into())));
        assert!(next(&mut reader).unwrap().unwrap().is_err());
        assert!(next(&mut reader).unwrap().unwrap().is_err());
        assert_eq!(next(&mut reader).unwrap(), None);
    }
}
