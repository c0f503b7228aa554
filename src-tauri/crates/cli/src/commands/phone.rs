//! `phone`: the engine's vocabulary over stdin and stdout.

use super::lines::{self, Line};
use crate::{
    arguments::Common,
    client::{Client, Connected, Next, Role, open},
    exit::{Error, Exit},
};
use sidetone_api::{Failure, Reply};
use sidetone_gateway::wire::{Request, answer};
use tokio::time::Instant;

pub(super) async fn run(common: Common) -> Result<Exit, Error> {
    let Connected { mut client, .. } = open(&common, None, Role::Wait).await?;
    let exit = serve(&mut client, common.duration.map(|limit| Instant::now() + limit)).await;
    client.close().await;
    exit
}

async fn serve(client: &mut Client, deadline: Option<Instant>) -> Result<Exit, Error> {
    let mut lines = lines::of_stdin();
    loop {
        tokio::select! {
            line = lines.recv() => match line {
                Some(line) => {
                    let Some(text) = carry_out(client, line).await else { continue };
                    if !client.line(&text) {
                        return Ok(Exit::Done);
                    }
                }
                None => return Ok(Exit::Done),
            },
            next = client.next(deadline) => match next {
                Next::Event(_) | Next::Behind(_) => {}
                Next::Interrupted | Next::Deadline => return Ok(Exit::Done),
                Next::Ended => return Err(Client::ended()),
            },
        }
    }
}

/// The line that answers; `None` for an empty one.
pub(super) async fn carry_out(client: &Client, line: Line) -> Option<String> {
    let text = match line {
        Ok(text) if text.trim().is_empty() => return None,
        Ok(text) => text,
        Err(why) => return Some(answer(None, &Err::<Reply, _>(Failure::invalid("line", why)))),
    };
    let request = Request::parse(&text);
    let outcome = match request.command {
        Ok(command) => client.command(command).await,
        Err(failure) => Err(failure),
    };
    Some(answer(request.id.as_ref(), &outcome))
}
