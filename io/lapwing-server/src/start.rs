//! Starts a server from its configuration, and ends it in good order.
//!
//! Touches: everything, once. Order: keys that must not be here, store, blobs, trust, listeners last.
//! Never: listens before it could answer.

use crate::app::{App, Snapshots, load_catalogue};
use crate::blobs::Blobs;
use crate::clock::{Clock, ClockGuard, Steady};
use crate::coap::Contexts;
use crate::config::{Certificate, Config, ConfigError, Settings};
use crate::devices::Devices;
use crate::follow::{self, Place};
use crate::journal::Journal;
use crate::key_file::{KeyError, OscoreKey, online_key, refuse_foreign_keys};
use crate::limits::{FOLLOWERS_MAX, ORPHAN_AGE_S};
use crate::listen::{Patience, answer, serve};
use crate::logging::LogControl;
use crate::metrics::Metrics;
use crate::online::Online;
use crate::publish::{Deltas, Worker};
use crate::store::{Setting, Sql, Store, StoreError, blob_names, forget_blob, get_setting, orphans};
use crate::throttle::Throttle;
use crate::tls::{TlsError, identity};
use crate::trust::{Trust, TrustError};
use crate::wake::Wake;
use crate::webhooks::Post;
use crate::{coap, console, device_plane, housekeeping, management, orchestrator, wake, webhooks};
use lapwing_core::{Digest, UnixSeconds};
use std::fs::{File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error("the configuration is not usable")]
    Config(#[from] ConfigError),
    /// A key that is missing, broken, or must not be here.
    #[error("the keys are not as they must be")]
    Key(#[from] KeyError),
    /// The certificate.
    #[error("the certificate is not usable")]
    Tls(#[from] TlsError),
    /// The store.
    #[error("the store is not usable")]
    Store(#[from] StoreError),
    /// The trust documents that were kept are not believed any more.
    #[error("the stored trust documents are not believed: {0}")]
    Trust(String),
    /// Another server has the data directory. Two would sweep away each other's work.
    #[error("another server runs on {0}")]
    Busy(PathBuf),
    /// A file or socket.
    #[error("using {0}")]
    Io(PathBuf, #[source] io::Error),
    /// An address.
    #[error("listening on {0}")]
    Listen(SocketAddr, #[source] io::Error),
}

/// What a server is given besides its configuration.
#[derive(Default)]
pub struct Surroundings {
    /// Where its time comes from.
    pub clock: Clock,
    /// How its log level is changed.
    pub log: Option<LogControl>,
    /// What makes artifacts, in processes of its own; without it they are made in this one.
    pub worker: Option<Worker>,
}

/// The server.
pub struct Server;

impl Server {
    /// Starts a server. When this returns it is listening.
    ///
    /// # Errors
    /// See [`StartError`]; nothing listens then.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        Self::start_in(config, Surroundings::default()).await
    }

    /// Starts a server with another clock or log.
    ///
    /// # Errors
    /// See [`StartError`]; nothing listens then.
    pub async fn start_in(config: Config, around: Surroundings) -> Result<Running, StartError> {
        let settings = config.resolve()?;
        let dir = settings.data_dir.clone();
        std::fs::create_dir_all(&dir).map_err(|error| StartError::Io(dir.clone(), error))?;
        let lock = lock(&dir)?;
        refuse_keys(&settings)?;
        let tls = identity(&settings.door, &dir.join("tls"))?;
        let (device_listener, device_addr) = bind(settings.door.listen).await?;
        let (management_listener, management_addr) = bind(settings.management_listen).await?;
        let datagrams = bind_coap(settings.coap_listen).await?;
        let coap_addr = datagrams.as_ref().map(|(_, bound)| *bound);
        let device_url = device_url(&settings, device_addr);
        let coap_url = coap_addr.map(|bound| format!("coap://{}:{}", own_name(&settings), bound.port()));
        let (wake, called) = Wake::new();
        let own = (tls.spki, device_url, coap_url);
        let (app, place, threads) = assemble(settings, around, own, wake).await?;

        let stopped = app.stop.subscribe();
        let patience = Patience::of(&app.settings.door, app.settings.shutdown_grace);
        let mut tasks = JoinSet::new();
        let devices = device_plane::router(Arc::clone(&app));
        tasks.spawn(serve(device_listener, Some(tls.acceptor), devices, patience, stopped.clone()));
        // What is nowhere is answered by the last one merged.
        let operators = console::router().merge(management::router(Arc::clone(&app)));
        tasks.spawn(serve(management_listener, None, operators, patience, stopped.clone()));
        if app.settings.store.is_shared() {
            tasks.spawn(follow::run(Arc::clone(&app), place, stopped.clone()));
        }
        if let Some((socket, _)) = datagrams {
            tasks.spawn(coap::run(Arc::clone(&app), socket, called, stopped.clone()));
        }
        tasks.spawn(orchestrator::run(Arc::clone(&app), stopped.clone()));
        tasks.spawn(wake::run(Arc::clone(&app), stopped.clone()));
        tasks.spawn(webhooks::run(Arc::clone(&app), stopped.clone()));
        tasks.spawn(housekeeping::run(Arc::clone(&app), stopped));
        tracing::info!(%device_addr, ?coap_addr, %management_addr, "listening");
        Ok(Running { device_addr, coap_addr, management_addr, app, tasks, threads, lock })
    }
}

/// A server that listens.
pub struct Running {
    device_addr: SocketAddr,
    coap_addr: Option<SocketAddr>,
    management_addr: SocketAddr,
    app: Arc<App>,
    tasks: JoinSet<()>,
    threads: Vec<JoinHandle<()>>,
    /// On the data directory.
    lock: File,
}

impl Running {
    /// Where devices connect.
    #[must_use]
    pub fn device_addr(&self) -> SocketAddr {
        self.device_addr
    }

    /// Where devices ask by CoAP, if they can.
    #[must_use]
    pub fn coap_addr(&self) -> Option<SocketAddr> {
        self.coap_addr
    }

    /// Where operators connect.
    #[must_use]
    pub fn management_addr(&self) -> SocketAddr {
        self.management_addr
    }

    /// What devices are told to connect to.
    #[must_use]
    pub fn device_url(&self) -> &str {
        &self.app.device_url
    }

    /// SHA-256 of the device plane's SubjectPublicKeyInfo, for root documents.
    #[must_use]
    pub fn tls_spki_sha256(&self) -> Digest {
        self.app.spki
    }

    /// The file that holds the admin token.
    #[must_use]
    pub fn admin_token_path(&self) -> PathBuf {
        admin_token_path(&self.app.settings)
    }

    /// Jobs that the store was asked to write so far; idle check-ins ask for none.
    #[must_use]
    pub fn store_writes(&self) -> u64 {
        self.app.store.writes()
    }

    /// Answers a device at the other end of `stream`, which is what TLS would carry: for proofs that cut a
    /// connection at a byte of their choice. It takes no place among the connections allowed.
    pub fn answer_device<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        stream: S,
    ) -> impl Future<Output = ()> + Send + use<S> {
        let patience = Patience::of(&self.app.settings.door, self.app.settings.shutdown_grace);
        answer(stream, device_plane::router(Arc::clone(&self.app)), patience)
    }

    /// Returns once every artifact that was asked for is made, or was found to be impossible.
    pub async fn artifacts_settled(&self) {
        self.app.deltas.settled().await;
    }

    /// Looks at every rollout once, as happens by itself every few seconds.
    ///
    /// # Errors
    /// If the store could not be asked; nothing was half done.
    pub async fn look_at_rollouts(&self) -> Result<(), StoreError> {
        orchestrator::look(&self.app).await
    }

    /// Stops listening, lets open requests end, writes what is pending.
    pub async fn shutdown(self) {
        let Self { app, mut tasks, threads, lock, .. } = self;
        let grace = app.settings.shutdown_grace;
        app.stop.send_replace(true);
        app.deltas.stop();
        while tasks.join_next().await.is_some() {}
        drop(app);
        // The threads end when the last handle to their queue is gone. One in the midst of an artifact may
        // take its time; nothing is lost by leaving it.
        let (ended, all_ended) = oneshot::channel();
        let join = move || {
            let panicked = threads.into_iter().filter_map(|thread| thread.join().err()).count();
            let _ = ended.send(panicked);
        };
        if std::thread::Builder::new().spawn(join).is_ok() {
            drop(tokio::time::timeout(grace, all_ended).await);
        }
        // Closing is not enough while a child that is just being started still has the descriptor.
        drop(lock.unlock());
    }
}

/// The data directory is one server's, for as long as its process lives.
fn lock(dir: &Path) -> Result<File, StartError> {
    let failed = |error| StartError::Io(dir.to_owned(), error);
    let handle = File::open(dir).map_err(failed)?;
    match handle.try_lock() {
        Ok(()) => Ok(handle),
        Err(TryLockError::WouldBlock) => Err(StartError::Busy(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn refuse_keys(settings: &Settings) -> Result<(), KeyError> {
    let mut places = vec![settings.data_dir.as_path()];
    if let Certificate::Given { chain, key } = &settings.door.certificate {
        places.extend([chain.as_path(), key.as_path()]);
    }
    refuse_foreign_keys(&places, &settings.blobs_dir)
}

fn admin_token_path(settings: &Settings) -> PathBuf {
    settings.data_dir.join("admin-token")
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::Listen(address, error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn bind_coap(address: Option<SocketAddr>) -> Result<Option<(UdpSocket, SocketAddr)>, StartError> {
    let Some(address) = address else { return Ok(None) };
    let failed = |error| StartError::Listen(address, error);
    let socket = UdpSocket::bind(address).await.map_err(failed)?;
    let bound = socket.local_addr().map_err(failed)?;
    Ok(Some((socket, bound)))
}

fn device_url(settings: &Settings, bound: SocketAddr) -> String {
    settings.door.url.clone().unwrap_or_else(|| format!("https://{}:{}", own_name(settings), bound.port()))
}

fn own_name(settings: &Settings) -> &str {
    settings.door.names.first().map_or("localhost", String::as_str)
}

async fn assemble(
    settings: Settings,
    around: Surroundings,
    (spki, device_url, coap_url): (Digest, String, Option<String>),
    wake: Wake,
) -> Result<(Arc<App>, Place, Vec<JoinHandle<()>>), StartError> {
    let dir = &settings.data_dir;
    let io_error = |path: PathBuf| move |error| StartError::Io(path, error);
    let clock = around.clock;
    let key = online_key(&dir.join("online.key"))?;
    let oscore = settings.coap_listen.map(|_| OscoreKey::load(&dir.join("oscore.key"))).transpose()?;
    let token_path = admin_token_path(&settings);
    let admin_token = management::admin_token(&token_path).map_err(io_error(token_path))?;
    let rows = settings.store.clone();
    let opened = tokio::task::spawn_blocking(move || Store::open(&rows)).await;
    let (store, writer) = opened.map_err(|_| StoreError::Closed)??;
    let place = Place::now(&store).await?;
    let journal = Journal::open(&dir.join("reports.journal")).map_err(io_error(dir.clone()))?;
    let spared = Duration::from_secs(if settings.store.is_shared() { ORPHAN_AGE_S } else { 0 });
    let blobs =
        Blobs::open(settings.blobs_dir.clone(), spared).map_err(io_error(settings.blobs_dir.clone()))?;
    sweep_orphans(&store, &blobs, clock.now()).await?;
    let trust = Trust::load(&store).await.map_err(|error| match error {
        TrustError::Store(error) => StartError::Store(error),
        refused => StartError::Trust(refused.to_string()),
    })?;
    let catalogue = load_catalogue(&store, &trust, settings.pace.retry).await?;
    let last_signed = store.read(last_signed).await?;
    let guard = ClockGuard::new(last_signed, settings.clock_jump_s_max);
    let metrics = Metrics::new();
    let tools = (store.clone(), blobs.clone(), metrics.clone(), clock.clone());
    let (deltas, mut threads) =
        Deltas::start(tools, around.worker, settings.deltas).map_err(io_error(dir.clone()))?;
    threads.push(writer);
    let app = App {
        contexts: oscore.map(|key| Contexts::new(key, settings.devices_cached_max, store.clone())),
        online: Online::new(key, guard, clock.clone()),
        devices: Devices::new(settings.devices_cached_max, store.clone()),
        throttle: Throttle::new(&settings, metrics.clone()),
        streams: Arc::new(Semaphore::new(settings.artifact_streams_max)),
        publishing: Default::default(),
        repetitions: Default::default(),
        overviews: Default::default(),
        access: Default::default(),
        followers: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
        stop: watch::Sender::new(false),
        post: Post::new(),
        snapshots: Snapshots::new(trust, catalogue),
        log: around.log,
        settings,
        clock,
        store,
        blobs,
        journal,
        deltas,
        metrics,
        spki,
        device_url,
        coap_url,
        admin_token,
        orchestrator: Default::default(),
        wake,
    };
    // The first check-in must already find what was halted.
    orchestrator::look(&app).await?;
    Ok((Arc::new(app), place, threads))
}

/// When something was last signed, on both clocks.
fn last_signed(c: &Sql) -> Result<Option<(UnixSeconds, Option<Steady>)>, StoreError> {
    let Some(time) = get_setting(c, Setting::SignedTime)? else { return Ok(None) };
    let boot = get_setting(c, Setting::MachineRun)?;
    let seconds = get_setting(c, Setting::SteadyTime)?;
    let steady = boot.zip(seconds).map(|(boot, seconds)| Steady { boot, seconds });
    Ok(Some((UnixSeconds(time), steady)))
}

/// Forgets blobs that were uploaded long ago and never named by a release, then removes every old file that
/// no row knows. In this order a power cut leaves a file too many, never a row without its file.
async fn sweep_orphans(store: &Store, blobs: &Blobs, now: UnixSeconds) -> Result<(), StoreError> {
    let before = UnixSeconds(now.0.saturating_sub(ORPHAN_AGE_S));
    store
        .write(move |c| -> Result<(), StoreError> {
            orphans(c, before)?.into_iter().try_for_each(|digest| forget_blob(c, digest))
        })
        .await?;
    let known = store.read(blob_names).await?;
    Ok(blobs.keep_only(&known)?)
}
