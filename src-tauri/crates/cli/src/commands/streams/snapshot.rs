//! `snapshot STREAM FILE`.

use super::{
    follow::{Seen, Stream},
    open::{self, Opened, Use, open},
};
use crate::{
    arguments::Snapshot,
    client::{Client, check_folder},
    exit::{Error, Exit},
};
use sidetone_api::{AudioSettings, Command, Event, Settings, SnapshotFile, VideoSettings};
use sidetone_media::Selection;
use std::{fs, path::Path, time::Duration};
use tokio::time::Instant;

/// A stream that plays shows a picture within this, or has none.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn run(arguments: Snapshot) -> Result<Exit, Error> {
    check_folder("the picture", &arguments.file)?;
    let folder = arguments.file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).to_string_lossy().into_owned();
    let audio = AudioSettings {
        microphone: Selection::Silence.to_string(),
        speaker: Selection::Null.to_string(),
        ..AudioSettings::default()
    };
    let settings =
        Settings { audio, video: VideoSettings { folder, ..VideoSettings::default() }, ..open::settings() };
    let opened = open(&arguments.endpoint, Use::Play, settings, false).await?;
    let Opened { mut client, name, token, session, .. } = opened;
    let command = Command::PlayStream { name, token, session_id: session };
    let exit = take(&mut client, command, &arguments.file).await;
    client.close().await;
    exit
}

async fn take(client: &mut Client, command: Command, to: &Path) -> Result<Exit, Error> {
    let mut stream = Stream::begin(client, command).await?;
    let exit = match stream.until_live(client).await? {
        Some(exit) => Ok(exit),
        None => snapshot(client, &mut stream, to).await,
    };
    stream.stop(client).await;
    exit
}

async fn snapshot(client: &mut Client, stream: &mut Stream, to: &Path) -> Result<Exit, Error> {
    client.command(Command::Snapshot { stream_id: stream.id.clone() }).await?;
    let deadline = Some(Instant::now() + PATIENCE);
    loop {
        match stream.next(client, deadline).await? {
            Seen::Live => {}
            Seen::Event(envelope) => match &envelope.event {
                Event::SnapshotTaken { stream_id, file, info } if *stream_id == stream.id => {
                    return keep(client, file.as_ref(), info, to);
                }
                _ => {}
            },
            Seen::Ended(_) => return Ok(Exit::CallFailed),
            Seen::Deadline => return Err(Error::new(Exit::CallFailed, "the stream shows no picture")),
            Seen::Interrupted => return Ok(Exit::Interrupted),
        }
    }
}

/// The engine has chosen a name in the same folder.
fn keep(client: &mut Client, file: Option<&SnapshotFile>, info: &str, to: &Path) -> Result<Exit, Error> {
    let file = file.ok_or_else(|| Error::new(Exit::Device, info))?;
    fs::rename(&file.path, to).map_err(|error| {
        let _ = fs::remove_file(&file.path);
        Error::new(Exit::Device, format!("{}: {error}", to.display()))
    })?;
    client.say(&format!("{}  {}x{}", to.display(), file.width, file.height));
    Ok(Exit::Done)
}
