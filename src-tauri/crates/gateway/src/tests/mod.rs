//! The listeners over real sockets, with a fake of the engine behind them.

mod encoded;
pub(crate) mod fake;
mod finding;
mod frames;
pub(crate) mod http;
mod network;
mod pages;
mod sharing;
mod socket;
mod whip;

use crate::{
    Asset, Network, Options, Running, Ui, mime_of,
    running::start,
    tests::{fake::Fake, http::Answer},
};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

/// A gateway with two files, on a free port.
pub(crate) async fn gateway() -> (Running, Arc<Fake>) {
    gateway_with(Network::default()).await
}

pub(crate) async fn gateway_with(network: Network) -> (Running, Arc<Fake>) {
    let fake = Arc::new(Fake::default());
    let running = start(Arc::clone(&fake) as _, Options { network, ..options(0) }).await.unwrap();
    (running, fake)
}

fn options(port: u16) -> Options {
    let (bind, network) = (IpAddr::V4(Ipv4Addr::LOCALHOST), Network::default());
    Options { bind, port, ui: Ui::embedded(asset), runtime: None, data: None, network }
}

fn asset(path: &str) -> Option<Asset> {
    let bytes = match path {
        "index.html" => "<!doctype html><title>pages</title>",
        "guest.html" => "<!doctype html><title>guest</title>",
        "assets/main-1a2b.js" => "main()",
        _ => return None,
    };
    Some(Asset { bytes: bytes.as_bytes().into(), mime: mime_of(path).into() })
}

/// Uses the login link and gives the cookie as it goes into a request.
async fn log_in(running: &Running) -> String {
    let answer = open_link(running, &running.login_url().unwrap()).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{answer:?}");
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

async fn open_link(running: &Running, url: &str) -> Answer {
    let path = url.strip_prefix(&format!("http://{}", running.address())).unwrap();
    http::get(running.address(), path, &[]).await
}
