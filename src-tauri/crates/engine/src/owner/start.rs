//! The beginning: settings, sockets, the media thread, the gateway, and then the loop.

use super::{
    Inbound, Owner, agent::Agent, contacts::Imported, device::Desk, exchange::Exchange, history,
    history::History, instance::Instance, settings,
};
use crate::{
    Handle, Options,
    handle::{Publisher, Request},
    io::{
        dns::Names,
        keys::Keys,
        media,
        sip::{self, Stack},
        streams,
    },
    store::Store,
};
use sidetone_api::{Failure, FailureCode};
use sidetone_sip::Config;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};
use tokio::sync::{mpsc, oneshot};

/// Commands that may wait for the owner; it answers each at once.
const REQUESTS: usize = 64;
const ERRANDS: usize = 256;
/// For names, devices and the key store: some may hang for long, the others must go on.
const BLOCKING_THREADS: usize = 16;

/// Opens everything on a thread of the engine's own, and leaves the loop running there.
pub(crate) async fn start(options: Options) -> Result<Handle, Failure> {
    let (requests, inward) = mpsc::channel(REQUESTS);
    let (ready, started) = oneshot::channel();
    let run = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING_THREADS)
            .build()
        {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = ready.send(Err(Failure::new(FailureCode::Network, format!("runtime: {error}"))));
                return;
            }
        };
        runtime.block_on(async move {
            match Owner::open(options, inward).await {
                Ok((owner, inbound)) => {
                    let _ = ready.send(Ok(()));
                    owner.run(inbound).await;
                }
                Err(failure) => {
                    let _ = ready.send(Err(failure));
                }
            }
        });
        // A device that hangs while it is opened must not keep the process.
        runtime.shutdown_background();
    };
    std::thread::Builder::new()
        .name("engine".into())
        .spawn(run)
        .map_err(|error| Failure::new(FailureCode::Limit, format!("no thread for the engine: {error}")))?;
    started.await.map_err(|_| Failure::new(FailureCode::Stopped, "the engine stopped while starting"))??;
    Ok(Handle::new(requests))
}

impl Owner {
    pub(super) async fn open(
        options: Options,
        requests: mpsc::Receiver<Request>,
    ) -> Result<(Self, Inbound), Failure> {
        let network_failure = |what: &str, error: &dyn std::fmt::Display| {
            Failure::new(FailureCode::Network, format!("{what}: {error}"))
        };
        let settings = settings::Store::open(options.directories.as_ref(), options.settings)?;
        let folder = options.directories.as_ref().map(|directories| directories.data.clone());
        let is_kept = folder.is_some();
        let reports = folder.as_deref().map(crate::report::Folder::below);
        let journal = crate::journal::Journal::default();
        let instance = Instance::open(folder.as_deref())?;
        let (store, opened) = Store::start(folder, history::LATEST).map_err(|error| no_database(&error))?;
        let (inbox, network) = sip::inbox();
        let (errands, errands_in) = mpsc::channel(ERRANDS);
        let (media, news) = media::start().map_err(|error| network_failure("media thread", &error))?;
        let (stream_door, stream_news) =
            streams::start().map_err(|error| network_failure("stream thread", &error))?;
        let sip_port = settings.get().network.sip_port;
        let servers = settings::check_network(&settings.get().network)?;
        let names = Arc::new(Names::new(&servers));
        let config = Config::default();
        let phone = Agent::open(
            Stack::Phone,
            options.sip_bind,
            sip_port,
            config,
            Arc::clone(&names),
            (inbox.clone(), journal.tap()),
        )
        .await
        .map_err(|error| network_failure(&format!("SIP port {sip_port}"), &error))?;
        let mut opened = opened.await.map_err(|_| no_database(&"it ended"))?;
        let videos = options.directories.as_ref().map(|directories| directories.videos.clone());
        let recordings = options.directories.map(|directories| directories.recordings);
        let exchange = Exchange::open(
            &settings.get().gateway,
            options.exchange,
            Arc::clone(&names),
            (inbox, journal.tap()),
        )
        .await;
        let device = instance.device();
        let hooks = super::hooks::Hooks::new(std::mem::take(&mut opened.outbox), &device, is_kept);
        let desk = Desk::new(options.devices, &settings.get().audio, errands.clone());
        let mut owner = Self {
            publisher: Publisher::default(),
            settings,
            instance,
            keys: Keys::start(options.secrets),
            passwords: HashMap::new(),
            secrets: super::secrets::Secrets::default(),
            arriving: HashMap::new(),
            replacing: HashSet::new(),
            called_for_help: None,
            hooks,
            phone,
            exchange,
            media,
            streams: super::streams::Streams::default(),
            clients: super::clients::Clients::default(),
            rooms: super::rooms::Rooms::default(),
            stream_door,
            desk,
            sessions: BTreeMap::new(),
            calls: BTreeMap::new(),
            store,
            services: super::services::Services::default(),
            history: History::new(&mut opened),
            contacts: opened.contacts.into_iter().map(|contact| (contact.id.clone(), contact)).collect(),
            imported: Imported::default(),
            recordings,
            videos,
            recorded: HashMap::new(),
            errands,
            next_leg: 0,
            tones: options.tones,
            one_at_a_time: options.one_at_a_time,
            journal,
            tally: crate::metrics::Tally::default(),
            reports,
            draft: None,
            looked: std::time::Instant::now(),
            end_tone: None,
            unread: Vec::new(),
            farewell: None,
        };
        for (level, info) in opened.notices {
            owner.notice(level, &info, None);
        }
        owner.prune_history();
        owner.apply_hooks();
        owner.give_hook_secret(options.hook_secret);
        owner.ask_for_secrets();
        owner.open_streams(names, options.media)?;
        owner.apply_processing();
        owner.desk.watch();
        owner.apply_hold_music();
        owner.connect_enabled_accounts();
        Ok((owner, Inbound { requests, network, news, stream_news, errands: errands_in }))
    }
}

fn no_database(reason: &dyn std::fmt::Display) -> Failure {
    Failure::new(FailureCode::Storage, format!("the database does not start: {reason}"))
}
