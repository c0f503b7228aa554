//! `play STREAM`.

use super::super::film::Film;
use super::{
    course,
    follow::Stream,
    open::{self, Opened, Use, open},
};
use crate::{
    arguments::{Play, Screen},
    client::{Client, check_folder, check_sink},
    exit::{Error, Exit},
};
use sidetone_api::{AudioSettings, Command, Settings};
use sidetone_media::Selection;

pub(crate) async fn run(arguments: Play) -> Result<Exit, Error> {
    check_sink("--speaker", &arguments.speaker)?;
    if let Screen::File(path) = &arguments.video {
        check_folder("--video", path)?;
    }
    course::check(&arguments.course)?;
    let audio = AudioSettings {
        microphone: Selection::Silence.to_string(),
        speaker: arguments.speaker.to_string(),
        ..AudioSettings::default()
    };
    let hardware = !arguments.speaker.is_synthetic();
    let settings = Settings { audio, ..open::settings() };
    let opened = open(&arguments.endpoint, Use::Play, settings, hardware).await?;
    let Opened { mut client, name, token, session, .. } = opened;
    let command = Command::PlayStream { name, token, session_id: session };
    let exit = play(&mut client, command, arguments).await;
    client.close().await;
    exit
}

async fn play(client: &mut Client, command: Command, arguments: Play) -> Result<Exit, Error> {
    let mut stream = Stream::begin(client, command).await?;
    let film = match arguments.video {
        Screen::Null => None,
        // From the first picture on, which comes before PLAYING is told.
        Screen::File(path) => match client.handle().pictures(stream.id.clone()).await {
            Ok(pictures) => Some(Film::begin(path, pictures)?),
            // It has ended already, and says why.
            Err(_) => None,
        },
    };
    let exit = course::run(client, &mut stream, arguments.course).await;
    if let Some(film) = film {
        film.end().await?;
    }
    exit
}
