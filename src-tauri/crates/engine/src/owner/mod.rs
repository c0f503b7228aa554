//! The owner: all state, one loop. Each file beside this one holds one noun of it.

mod account;
mod agent;
mod call;
mod clients;
mod command;
mod conference;
mod connecting;
mod contacts;
mod device;
mod dialplan;
mod erase;
mod exchange;
mod farewell;
mod history;
mod hooks;
mod instance;
mod kept;
mod leg;
mod measure;
mod media_control;
mod moving;
mod music;
mod phone;
mod policy;
mod probe;
mod recording;
mod registration;
mod report;
mod rooms;
mod secrets;
mod services;
mod session;
mod settings;
mod start;
mod streams;
mod target;
#[cfg(test)]
mod tests;
mod text;
mod transfer;
mod view;
mod wcs;
mod wire;

pub use settings::check_sharing;
pub use streams::{addresses, check_video};

use crate::{
    handle::{Publisher, Request},
    io::{
        clock,
        keys::Keys,
        media::{self, LegId, News},
        sip::{FromNetwork, Stack},
        streams as stream_plane,
    },
    store,
};
use agent::Agent;
use call::Call;
use contacts::Imported;
use device::Desk;
use exchange::Exchange;
use farewell::Farewell;
use history::History;
use instance::Instance;
use session::Session;
use sidetone_api::{AccountId, CallId, Contact, ContactId, Event, NoticeLevel, Secret, SessionId, StreamId};
use sidetone_media::tone::CallProgress;
use sidetone_sip::Hop;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    time::Instant,
};
use tokio::sync::mpsc;

pub(crate) use start::start;

/// News of streams that are looked at before a request.
const MOST_NEWS_BEFORE: usize = 256;
/// Notices that wait for the first reader.
const UNREAD: usize = 16;

/// What the owner's own errands bring back.
#[derive(Debug)]
enum Errand {
    /// The hops that lead to a callee.
    Route {
        call: CallId,
        result: Result<Vec<Hop>, String>,
    },
    /// The account's STUN server, for a leg of the account.
    Stun {
        leg: LegId,
        server: Option<std::net::SocketAddr>,
    },
    Device(device::Opened),
    Devices(device::Listed),
    HoldMusic(music::OpenedMusic),
    DeviceNews(sidetone_media::DeviceNews),
    /// What the key store knows.
    Password {
        session: SessionId,
        password: Option<Secret>,
    },
    PasswordKept(Result<(), String>),
    PasswordsForgotten(Result<(), String>),
    /// The same of the settings' secrets.
    Secret(secrets::Told),
    Recording(recording::Created),
    Stored(kept::Stored),
    StreamSound(streams::OpenedSound),
    Snapshot(streams::Taken),
    /// Nobody looks at these sources any more.
    PreviewLeft(StreamId),
    StreamRecorded(streams::Recorded),
    Dialling(Box<streams::Dialling>),
    Wcs(Box<wcs::Told>),
    Negotiated(Box<streams::Negotiated>),
    Restarted(Box<streams::Restarted>),
    Hook(hooks::Answered),
    /// A session of the gateway that nobody wants.
    /// With why.
    Unserved(String, String),
    /// A client's connection has ended.
    ClientLeft(SessionId, u64),
    ClientAnswered(Box<clients::Answered>),
    ClientTaken(clients::Taken),
    ClientPictured(clients::Pictured),
    ClientLooked(clients::Looked),
    RestCall(Box<clients::Opened>),
    RestSound(clients::Injected),
}

struct Owner {
    publisher: Publisher,
    settings: settings::Store,
    instance: Instance,
    keys: Keys,
    /// Passwords of this run, whether a key store keeps them or not.
    passwords: HashMap<AccountId, Secret>,
    secrets: secrets::Secrets,
    phone: Agent,
    exchange: Exchange,
    media: media::Door,
    streams: streams::Streams,
    clients: clients::Clients,
    rooms: rooms::Rooms,
    stream_door: stream_plane::Door,
    desk: Desk,
    sessions: BTreeMap<SessionId, Session>,
    calls: BTreeMap<CallId, Call>,
    /// Callers that the backend decides on: nobody has been told of them.
    arriving: HashMap<sidetone_sip::CallId, call::Arriving>,
    /// INVITEs with Replaces that the backend has yet to decide on.
    replacing: HashSet<sidetone_sip::CallId>,
    /// When an emergency number was called last.
    called_for_help: Option<Instant>,
    hooks: hooks::Hooks,
    store: store::Store,
    history: History,
    services: services::Services,
    contacts: BTreeMap<ContactId, Contact>,
    imported: Imported,
    /// Where recordings go if the settings do not say.
    recordings: Option<PathBuf>,
    /// The same for streams, and for pictures of them.
    videos: Option<PathBuf>,
    /// Recordings that are being written, also after their call has ended, by their first file.
    recorded: HashMap<PathBuf, CallId>,
    errands: mpsc::Sender<Errand>,
    next_leg: u64,
    tones: bool,
    /// A call that is placed, answered or resumed holds the others.
    one_at_a_time: bool,
    journal: crate::journal::Journal,
    tally: crate::metrics::Tally,
    /// `None`: nothing is kept.
    reports: Option<crate::report::Folder>,
    /// A bug report that is being looked at.
    draft: Option<sidetone_api::ReportContents>,
    /// When the routes to the far ends were looked at last.
    looked: Instant,
    /// Busy or congestion, after a call that came to nothing.
    end_tone: Option<(CallProgress, Instant)>,
    /// Notices from a time when nobody read them.
    unread: Vec<Event>,
    farewell: Option<Farewell>,
}

struct Inbound {
    requests: mpsc::Receiver<Request>,
    network: mpsc::Receiver<(Stack, FromNetwork)>,
    news: mpsc::Receiver<News>,
    stream_news: mpsc::Receiver<stream_plane::News>,
    errands: mpsc::Receiver<Errand>,
}

impl Owner {
    async fn run(mut self, mut inbound: Inbound) {
        let mut has_clients = true;
        loop {
            self.drain();
            self.update_presence();
            if self.is_finished() {
                break;
            }
            let deadline = self.next_deadline();
            let sleep = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                request = inbound.requests.recv(), if has_clients => match request {
                    Some(request) => {
                        // What streams did before it comes first: who has seen it at the far end and asks must not overtake it.
                        for _ in 0..MOST_NEWS_BEFORE {
                            let Ok(news) = inbound.stream_news.try_recv() else { break };
                            self.on_stream_news(news);
                        }
                        self.on_request(request);
                    }
                    None => {
                        has_clients = false;
                        self.start_farewell(None);
                    }
                },
                Some((stack, message)) = inbound.network.recv() => self.on_network(stack, message),
                Some(news) = inbound.news.recv() => self.on_news(news),
                Some(news) = inbound.stream_news.recv() => self.on_stream_news(news),
                Some(errand) = inbound.errands.recv() => self.on_errand(errand),
                () = sleep => {
                    if let Some(deadline) = deadline {
                        self.journal.late(clock::wallclock_ms(), deadline.elapsed());
                    }
                    self.on_timeout();
                }
            }
        }
        let done = self.farewell.take().map(|farewell| farewell.done);
        self.tell_undelivered();
        self.flush_outbox();
        // Nobody takes what the database gives any more.
        drop(inbound);
        self.store.finish().await;
        drop(self);
        for done in done.into_iter().flatten() {
            let _ = done.send(());
        }
    }

    /// Carries out what the user agents decided, until nothing is left to do.
    fn drain(&mut self) {
        loop {
            let mut idle = true;
            while let Some(event) = self.phone.poll() {
                idle = false;
                self.on_phone_event(event);
            }
            while let Some(event) = self.exchange.poll() {
                idle = false;
                self.on_exchange_event(event);
            }
            idle &= self.drain_hooks();
            idle &= self.drain_rooms();
            if idle {
                return self.tell_rooms(Instant::now());
            }
        }
    }

    fn on_request(&mut self, request: Request) {
        match request {
            Request::Command(command, reply) => self.on_command(command, reply),
            Request::Attach(reply) => {
                let attached = (self.snapshot(), self.publisher.subscribe());
                if reply.send(attached).is_ok() {
                    for event in std::mem::take(&mut self.unread) {
                        self.publish(event);
                    }
                }
            }
            Request::HttpListening(address, info) => {
                self.exchange.set_http(address, info);
                self.publish_gateway();
            }
            Request::Shared(view) => {
                self.exchange.set_shared(view);
                self.publish_gateway();
            }
            Request::Pictures(stream, reply) => drop(reply.send(self.stream_pictures(&stream))),
            Request::Preview(sources, reply) => drop(reply.send(self.preview(sources))),
            Request::ChangePreview(id, sources, reply) => {
                let _ = reply.send(self.change_preview(&id, sources));
            }
            Request::Units(stream, reply) => drop(reply.send(self.stream_units(&stream))),
            Request::OfferStream(offer, reply) => self.offer_stream(offer, reply),
            Request::PatchStream(patch, reply) => self.patch_stream(patch, reply),
            Request::EndStream(resource, token, reply) => {
                let _ = reply.send(self.end_served(&resource, token.as_ref()));
            }
            Request::OpenClient(opening, reply) => self.open_client(opening, reply),
            Request::AskClient(session, connected, ask) => self.on_client_ask(&session, connected, ask),
            Request::Rest(ask, answer) => self.on_rest(ask, answer),
            Request::ShutDown(done) => self.start_farewell(Some(done)),
        }
    }

    fn on_network(&mut self, stack: Stack, message: FromNetwork) {
        let now = Instant::now();
        match stack {
            Stack::Phone => self.phone.handle(now, message),
            Stack::Gateway => self.exchange.handle(now, message),
        }
    }

    fn on_errand(&mut self, errand: Errand) {
        match errand {
            Errand::Route { call, result } => self.on_route(&call, result),
            Errand::Stun { leg, server } => self.on_stun(leg, server),
            Errand::Device(opened) => self.on_device_opened(opened),
            Errand::Devices(listed) => self.on_devices_listed(listed),
            Errand::HoldMusic(opened) => self.on_music_opened(opened),
            Errand::DeviceNews(news) => self.on_device_news(news),
            Errand::Password { session, password } => self.on_password(&session, password.as_ref()),
            Errand::PasswordKept(result) => self.on_password_kept(result),
            Errand::PasswordsForgotten(result) => self.on_passwords_forgotten(result),
            Errand::Secret(told) => self.on_secret(told),
            Errand::Recording(created) => self.on_recording_created(created),
            Errand::Stored(stored) => self.on_stored(stored),
            Errand::StreamSound(opened) => self.on_stream_sound(opened),
            Errand::PreviewLeft(id) => self.end_preview(&id),
            Errand::Snapshot(taken) => self.on_snapshot_taken(taken),
            Errand::StreamRecorded(recorded) => self.on_stream_recorded(recorded),
            Errand::Dialling(dialling) => self.on_dialling(*dialling),
            Errand::Wcs(told) => self.on_wcs_told(*told),
            Errand::Negotiated(negotiated) => self.on_negotiated(*negotiated),
            Errand::Restarted(restarted) => self.on_restarted(*restarted),
            Errand::Hook(answered) => self.on_hook_answered(answered),
            Errand::Unserved(resource, info) => self.on_unserved(&resource, &info),
            Errand::ClientLeft(session, connection) => self.on_client_left(&session, connection),
            Errand::ClientAnswered(answered) => self.on_client_answered(*answered),
            Errand::ClientTaken(taken) => self.on_client_taken(taken),
            Errand::ClientPictured(pictured) => self.on_client_pictured(pictured),
            Errand::ClientLooked(looked) => self.on_client_looked(looked),
            Errand::RestCall(opened) => self.on_rest_call(*opened),
            Errand::RestSound(injected) => self.on_rest_sound(injected),
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let farewell = self.farewell.as_ref().map(|farewell| farewell.deadline);
        let tone = self.end_tone.map(|(_, until)| until);
        let (phone, exchange) = (self.phone.poll_timeout(), self.exchange.poll_timeout());
        let (pruning, imported) = (self.history.pruning, self.imported.next);
        let (closing, hold, due) = (self.next_closing(), self.next_hold(), self.next_due());
        let probe = self.next_probe();
        let look = self.next_look();
        let hooks = self.hooks.poll_timeout();
        let (connecting, sound) = (self.next_connecting(), self.next_opening_of_sound());
        let (client, wcs, rooms) = (self.next_client_end(), self.next_wcs(), self.next_of_rooms());
        [
            phone, exchange, closing, probe, hold, due, look, tone, farewell, pruning, imported, connecting,
            sound, hooks, client, wcs, rooms,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn on_timeout(&mut self) {
        let now = Instant::now();
        self.phone.handle_timeout(now);
        self.exchange.handle_timeout(now);
        if self.exchange.has_news(now) {
            self.publish_gateway();
        }
        self.pass_holds_again(now);
        self.hang_up_leaving(now);
        self.ask_holds_again(now);
        self.do_what_is_due(now);
        self.look_at_routes(now);
        self.close_overdue(now);
        self.connect_due_streams(now);
        self.open_due_sound(now);
        self.on_hooks_due(now);
        self.close_overdue_clients(now);
        self.do_due_of_wcs(now);
        self.look_at_voices(now);
        self.do_due_of_far_rooms(now);
        if self.history.pruning.is_some_and(|due| due <= now) {
            self.prune_history();
        }
        if self.imported.next.is_some_and(|due| due <= now) {
            self.tell_some_imported();
        }
        self.probe_due(now);
        if self.end_tone.is_some_and(|(_, until)| until <= now) {
            self.end_tone = None;
            self.update_tone();
            self.want_devices();
        }
    }

    fn publish(&mut self, event: Event) {
        self.journal.note(clock::wallclock_ms(), &event);
        self.tally.note(&event);
        self.tell_backend(&event);
        self.end_injection_with(&event);
        self.note_call_of_room(&event);
        if let Some(client) = self.client_of_event(&event) {
            return self.on_client_event(&client, event);
        }
        self.publisher.publish(clock::wallclock_ms(), event);
    }

    fn notice(&mut self, level: NoticeLevel, info: &str, call_id: Option<&CallId>) {
        let notice = Event::Notice { level, info: text::shown(info), call_id: call_id.cloned() };
        if self.publisher.has_readers() || self.client_of_event(&notice).is_some() {
            self.publish(notice);
        } else if self.unread.len() < UNREAD {
            self.unread.push(notice);
        }
    }

    fn new_leg(&mut self) -> LegId {
        self.next_leg += 1;
        LegId(self.next_leg)
    }
}
