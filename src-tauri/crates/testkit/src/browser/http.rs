//! Enough HTTP for a WebDriver: one JSON request, one JSON answer.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

/// A driver that has not answered by then has hung.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn request(port: u16, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    exchange(port, method, path, body).map_err(|error| format!("{method} {path}: {error}"))?
}

fn exchange(port: u16, method: &str, path: &str, body: &Value) -> std::io::Result<Result<Value, String>> {
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
    let mut length = 0;
    for line in answer.by_ref().lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body)?;
    let value: Value = serde_json::from_slice(&body).map_err(std::io::Error::other)?;
    let value = value["value"].clone();
    Ok(match value["error"].as_str() {
        Some(error) => Err(format!("{error}: {}", value["message"])),
        None => Ok(value),
    })
}
