//! `publish STREAM`.

use super::{
    course,
    follow::Stream,
    open::{self, Opened, Use, open},
};
use crate::{
    arguments::{Camera, Input, Publish},
    client::{Client, check_camera, check_source, find_camera, is_hardware as is_camera_hardware},
    exit::{Error, Exit},
};
use sidetone_api::{AudioInput, AudioSettings, Command, Secret, SessionId, Settings, StreamSources};
use sidetone_media::Selection;

pub(crate) async fn run(arguments: Publish) -> Result<Exit, Error> {
    check(&arguments)?;
    let hardware = needs_hardware(&arguments);
    let settings = Settings { audio: audio(&arguments), ..open::settings() };
    let opened = open(&arguments.endpoint, Use::Publish, settings, hardware).await?;
    let Opened { mut client, name, token, session, is_own } = opened;
    let exit = publish(&mut client, (name, session), token, is_own, arguments).await;
    client.close().await;
    exit
}

async fn publish(
    client: &mut Client,
    (name, session_id): (String, Option<SessionId>),
    token: Option<Secret>,
    is_own: bool,
    arguments: Publish,
) -> Result<Exit, Error> {
    let video = find_camera(client, &arguments.camera).await?;
    let sources = StreamSources { video, inset: None, audio: inputs(&arguments) };
    let settings = Some(arguments.encoding.settings(&arguments.codec));
    let command = Command::PublishStream { name, token, sources, settings, session_id };
    let mut stream = Stream::begin(client, command).await?;
    if is_own {
        open::serve(client).await?;
    }
    course::run(client, &mut stream, arguments.course).await
}

/// A wrong value or file name is told before anything starts.
fn check(arguments: &Publish) -> Result<(), Error> {
    arguments.encoding.check(&arguments.codec)?;
    check_camera(&arguments.camera)?;
    for input in &arguments.mic {
        if let Input::Source(selection) = input {
            check_source("--mic", selection)?;
        }
    }
    course::check(&arguments.course)?;
    if arguments.camera == Camera::None && !arguments.mic.iter().any(|input| *input != Input::None) {
        return Err(Error::usage("--camera none --mic none: there is nothing to publish"));
    }
    Ok(())
}

fn needs_hardware(arguments: &Publish) -> bool {
    let is_hardware = |input: &Input| match input {
        Input::None => false,
        Input::System => true,
        Input::Source(selection) => !selection.is_synthetic(),
    };
    is_camera_hardware(&arguments.camera) || arguments.mic.iter().any(is_hardware)
}

/// Only `default` is the microphone that an engine opens by itself.
fn audio(arguments: &Publish) -> AudioSettings {
    let own = arguments.mic.contains(&Input::Source(Selection::Default));
    let microphone = if own { Selection::Default } else { Selection::Silence };
    AudioSettings {
        microphone: microphone.to_string(),
        speaker: Selection::Null.to_string(),
        ..AudioSettings::default()
    }
}

fn inputs(arguments: &Publish) -> Vec<AudioInput> {
    let named = arguments.mic.iter().filter_map(|input| match input {
        Input::None => None,
        Input::System => Some("system".to_owned()),
        Input::Source(selection) => Some(selection.to_string()),
    });
    named.map(|source| AudioInput { source, gain: 1.0 }).collect()
}
