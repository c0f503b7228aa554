//! Enough HTTP for a WebDriver and its like: one JSON request, one JSON answer.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

/// A driver that has not answered by then has hung.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn request(port: u16, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    let answer = json(port, method, path, body).map_err(|error| format!("{method} {path}: {error}"))?;
    let value = &answer["value"];
    match value["error"].as_str() {
        Some(error) => Err(format!("{error}: {}", value["message"])),
        None => Ok(value.clone()),
    }
}

pub(crate) fn json(port: u16, method: &str, path: &str, body: &Value) -> std::io::Result<Value> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = if method == "POST" { body.to_string() } else { String::new() };
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = BufReader::new(stream);
    let (mut length, mut chunked) = (0, false);
    for line in answer.by_ref().lines() {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        chunked |= line.strip_prefix("transfer-encoding:").is_some_and(|coding| coding.trim() == "chunked");
    }
    let body = if chunked { read_chunks(&mut answer)? } else { read_exactly(&mut answer, length)? };
    serde_json::from_slice(&body).map_err(std::io::Error::other)
}

fn read_exactly(answer: &mut impl Read, length: usize) -> std::io::Result<Vec<u8>> {
    let mut body = vec![0; length];
    answer.read_exact(&mut body)?;
    Ok(body)
}

/// RFC 9112 section 7.1.
fn read_chunks(answer: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        answer.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(std::io::Error::other)?;
        if size == 0 {
            return Ok(body);
        }
        body.extend(read_exactly(answer, size)?);
        answer.read_line(&mut String::new())?;
    }
}
