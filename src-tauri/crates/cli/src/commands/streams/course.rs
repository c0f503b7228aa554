//! A stream that was begun, to its end.

use super::{follow::Stream, record};
use crate::{
    arguments::Course,
    client::{Client, check_folder},
    exit::{Error, Exit},
};

/// A wrong folder is told before anything goes out on the network.
pub(super) fn check(course: &Course) -> Result<(), Error> {
    course.record.as_deref().map_or(Ok(()), |path| check_folder("--record", path))
}

/// Until it ends, or for as long as was asked for after its media flowed; then it is stopped and its recording closed.
pub(super) async fn run(client: &mut Client, stream: &mut Stream, course: Course) -> Result<Exit, Error> {
    let mut recording = None;
    let mut exit = stream.until_live(client).await;
    if matches!(exit, Ok(None)) {
        recording = record::begin(client, stream, course.record).await?;
        exit = stream.rest(client, course.duration).await.map(Some);
    }
    stream.stop(client).await;
    record::end(client, recording).await?;
    exit.map(|exit| exit.unwrap_or(Exit::Done))
}
