//! `publish STREAM`.

use super::{
    follow::Stream,
    open::{self, Opened, Use, open},
    record,
};
use crate::{
    arguments::{Camera, Input, Publish},
    client::{Client, check_file, check_folder, check_source},
    exit::{Error, Exit},
};
use sidetone_api::{
    AudioInput, AudioSettings, Command, Reply, Secret, Settings, StreamSources, VideoSettings,
    VideoSourceKind,
};
use sidetone_engine::check_video;
use sidetone_media::{Selection, device::VideoSelection};

pub(crate) async fn run(arguments: Publish) -> Result<Exit, Error> {
    check(&arguments)?;
    let hardware = needs_hardware(&arguments);
    let settings = Settings { audio: audio(&arguments), ..open::settings() };
    let opened = open(&arguments.stream, Use::Publish, &arguments.endpoint, settings, hardware).await?;
    let Opened { mut client, name, token, is_own } = opened;
    let exit = publish(&mut client, name, token, is_own, arguments).await;
    client.close().await;
    exit
}

async fn publish(
    client: &mut Client,
    name: String,
    token: Option<Secret>,
    is_own: bool,
    arguments: Publish,
) -> Result<Exit, Error> {
    let sources =
        StreamSources { video: video(client, &arguments).await?, inset: None, audio: inputs(&arguments) };
    let settings = Some(video_settings(&arguments));
    let command = Command::PublishStream { name, token, sources, settings };
    let mut stream = Stream::begin(client, command).await?;
    if is_own {
        open::serve(client).await?;
    }
    if let Some(exit) = stream.until_live(client).await? {
        stream.stop(client).await;
        return Ok(exit);
    }
    let recording = record::begin(client, &stream, arguments.record).await?;
    let exit = stream.rest(client, arguments.duration).await;
    stream.stop(client).await;
    record::end(client, recording).await?;
    exit
}

/// A wrong value or file name is told before anything starts.
fn check(arguments: &Publish) -> Result<(), Error> {
    check_video(&video_settings(arguments)).map_err(|failure| {
        let option = match failure.field.as_deref() {
            Some("video.width" | "video.height") => "--size",
            Some("video.framesPerSecond") => "--fps",
            Some("video.minKbit" | "video.startKbit" | "video.maxKbit") => "--bitrate",
            _ => return failure.into(),
        };
        let problem = failure.message.strip_prefix("video.").unwrap_or(&failure.message);
        Error::usage(format!("{option}: {problem}"))
    })?;
    if let Camera::Source(VideoSelection::File(path) | VideoSelection::Image(path)) = &arguments.camera {
        check_file("--camera", path)?;
    }
    for input in &arguments.mic {
        if let Input::Source(selection) = input {
            check_source("--mic", selection)?;
        }
    }
    if let Some(path) = &arguments.record {
        check_folder("--record", path)?;
    }
    if arguments.camera == Camera::None && !arguments.mic.iter().any(|input| *input != Input::None) {
        return Err(Error::usage("--camera none --mic none: there is nothing to publish"));
    }
    Ok(())
}

fn needs_hardware(arguments: &Publish) -> bool {
    let camera = match &arguments.camera {
        Camera::None => false,
        Camera::Screen => true,
        Camera::Source(selection) => !selection.is_synthetic(),
    };
    let is_hardware = |input: &Input| match input {
        Input::None => false,
        Input::System => true,
        Input::Source(selection) => !selection.is_synthetic(),
    };
    camera || arguments.mic.iter().any(is_hardware)
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

async fn video(client: &Client, arguments: &Publish) -> Result<Option<String>, Error> {
    match &arguments.camera {
        Camera::None => Ok(None),
        Camera::Source(selection) => Ok(Some(selection.to_string())),
        Camera::Screen => {
            let Reply::VideoSources { sources } = client.command(Command::GetVideoSources).await? else {
                return Err(Error::new(Exit::Internal, "the engine did not list its screens"));
            };
            let screen = sources.into_iter().find(|source| source.kind == VideoSourceKind::Screen);
            let none = || Error::new(Exit::Device, "--camera screen: no screen is found on this machine");
            Ok(Some(screen.ok_or_else(none)?.selection))
        }
    }
}

fn video_settings(arguments: &Publish) -> VideoSettings {
    let stored = VideoSettings::default();
    let max_kbit = arguments.bitrate;
    let mut codecs: Vec<String> = arguments.codec.iter().map(|codec| codec.name().to_owned()).collect();
    codecs.dedup();
    VideoSettings {
        codecs: if codecs.is_empty() { stored.codecs.clone() } else { codecs },
        width: arguments.size.0,
        height: arguments.size.1,
        frames_per_second: arguments.fps,
        min_kbit: stored.min_kbit.min(max_kbit),
        start_kbit: stored.start_kbit.min(max_kbit),
        max_kbit,
        ..stored
    }
}
