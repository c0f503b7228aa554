//! `call TARGET`.

use super::follow::{Outcome, follow};
use crate::{
    arguments::CallVideo,
    client::Connected,
    exit::{Error, Exit},
};
use sidetone_api::{Command, Reply};
use std::time::Duration;

pub(super) async fn run(
    connected: &mut Connected,
    target: String,
    limit: Option<Duration>,
    video: &CallVideo,
) -> Result<Exit, Error> {
    connected.ready().await?;
    let command = Command::Call {
        callee: target,
        session_id: Some(connected.session.id.clone()),
        headers: Vec::new(),
        caller_name: None,
        anonymous: false,
        video: video.video,
    };
    let call = match connected.client.command(command).await? {
        Reply::Call { call_id } => call_id,
        other => return Err(Error::new(Exit::Internal, format!("call was answered by {other:?}"))),
    };
    match follow(&mut connected.client, &call, limit, video).await? {
        Outcome::Ended { status, established, .. } => Ok(Exit::of_call(status, established)),
        Outcome::TimeIsUp => Ok(Exit::Done),
        Outcome::Interrupted => Ok(Exit::Interrupted),
    }
}
