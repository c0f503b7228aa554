//! One file a subcommand.

mod answer;
mod call;
mod film;
mod follow;
mod gateway;
mod lines;
mod phone;
mod register;
mod report;
mod streams;

use crate::{
    arguments::{Common, Task},
    client::{Connected, Role, open},
    exit::{Error, Exit},
    parse,
};

pub(crate) async fn run(task: Task) -> Result<Exit, Error> {
    match task {
        Task::Call { target, common, video } => {
            let mut connected = open(&common, Some(&video), Role::Call).await?;
            let exit = call::run(&mut connected, target, common.duration, &video).await;
            close(connected, exit).await
        }
        Task::Answer { common, video } => {
            let mut connected = open(&common, Some(&video), Role::Wait).await?;
            let exit = answer::run(&mut connected, common.duration, &video).await;
            close(connected, exit).await
        }
        Task::Register { common } => {
            let mut connected = open(&common, None, Role::Wait).await?;
            let exit = register::run(&mut connected, common.duration).await;
            close(connected, exit).await
        }
        Task::Phone { common } => phone::run(Common { json: true, ..common }).await,
        Task::Gateway(arguments) => gateway::run(arguments).await,
        Task::Publish(arguments) => streams::publish(arguments).await,
        Task::Play(arguments) => streams::play(arguments).await,
        Task::Snapshot(arguments) => streams::snapshot(arguments).await,
        Task::Report { file, json, pcapng } => report::run(&file, json, pcapng.as_deref()),
        Task::Sip(task) => parse::run(&task),
    }
}

async fn close(connected: Connected, exit: Result<Exit, Error>) -> Result<Exit, Error> {
    connected.client.close().await;
    exit
}
