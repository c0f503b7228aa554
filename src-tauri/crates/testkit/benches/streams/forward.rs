//! One stream to many players, by our gateway and by Janus.

use std::path::Path;
use std::time::Duration;

use sidetone_testkit::Result;

use crate::arguments::Arguments;
use crate::crowd::Crowd;
use crate::server::{Ours, Server, Theirs};
use crate::table::{self, Cost, Row};

/// Whether the aims are met.
pub(crate) fn run(dir: &Path, arguments: &Arguments) -> Result<bool> {
    let measured = arguments.forwarded();
    println!("\n{}", table::FORWARD_HEAD);
    let mut rows = Vec::new();
    for players in &arguments.players {
        // In turn, each afresh, so that the machine's mood is the same for both.
        let ours = measure(&mut Ours::start(dir, &arguments.program)?, *players, measured)?;
        let theirs = measure(&mut Theirs::start(dir)?, *players, measured)?;
        let row = Row { players: *players, ours, theirs };
        println!("{}", table::forward_line(&row));
        rows.push(row);
    }
    let (text, met) = table::forward_end(&rows, measured);
    println!("{text}");
    Ok(met)
}

fn measure(server: &mut dyn Server, players: u32, measured: Duration) -> Result<Cost> {
    Crowd::gather(server, players)?.measure(server.process(), measured)
}
