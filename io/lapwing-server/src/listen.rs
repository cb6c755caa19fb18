//! The accept loops: bounded connections, time limits on heads and on silence, an end in good order.
//!
//! Touches: sockets, TLS, hyper. Never: looks into a request.

use crate::access::Peer;
use crate::config::Door;
use crate::limits::HEAD_BYTES_MAX;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;

/// How patient a listener is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) connections_max: usize,
    pub(crate) head: Duration,
    pub(crate) idle: Duration,
    /// For open requests, once the server is told to stop.
    pub(crate) grace: Duration,
}

impl Patience {
    pub(crate) fn of(door: &Door, grace: Duration) -> Self {
        Self {
            connections_max: door.connections_max,
            head: door.head_timeout,
            idle: door.idle_timeout,
            grace,
        }
    }
}

/// How long to wait when the system has no more sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` until `stop` says so, then lets open requests end.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    patience: Patience,
    mut stop: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(patience.connections_max));
    // Dropped last, and with it what did not end in time.
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, stream) = tokio::select! {
            () = told_to_stop(&mut stop) => break,
            next = next => match next {
                (Ok(permit), Ok((stream, _))) => (permit, stream),
                (_, Err(error)) => {
                    tracing::debug!(%error, "accepting failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
                (Err(_), _) => break,
            },
        };
        let (tls, router, watcher) = (tls.clone(), router.clone(), graceful.watcher());
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            if let Err(error) = connection(stream, tls, router, patience, watcher).await {
                tracing::debug!(%error, "connection ended");
            }
            drop(permit);
        });
    }
    drop(listener);
    drop(tokio::time::timeout(patience.grace, graceful.shutdown()).await);
}

/// Returns once the server stops.
pub(crate) async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// Answers whoever is at the other end of `stream`, which came by another way than a listener.
pub(crate) async fn answer<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    router: Router,
    patience: Patience,
) {
    // Dropped, it would end the connection.
    let graceful = GracefulShutdown::new();
    if let Err(error) = http(Lively::new(stream, patience.idle), router, patience, graceful.watcher()).await {
        tracing::debug!(%error, "connection ended");
    }
}

type ConnectionError = Box<dyn std::error::Error + Send + Sync>;

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    patience: Patience,
    watcher: Watcher,
) -> Result<(), ConnectionError> {
    drop(stream.set_nodelay(true));
    let router = router.layer(Extension(Peer(stream.peer_addr()?)));
    match tls {
        None => http(Lively::new(stream, patience.idle), router, patience, watcher).await,
        Some(tls) => {
            let stream = tokio::time::timeout(patience.head, tls.accept(stream)).await??;
            http(Lively::new(stream, patience.idle), router, patience, watcher).await
        }
    }
}

async fn http<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    router: Router,
    patience: Patience,
    watcher: Watcher,
) -> Result<(), ConnectionError> {
    // Without this it would wait for ever to see which version the first byte belongs to.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(HEAD_BYTES_MAX.max(MIN_BUFFER_BYTES));
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).into_owned();
    watcher.watch(connection).await
}

/// hyper refuses a smaller buffer.
const MIN_BUFFER_BYTES: usize = 8 << 10;

/// A stream that fails when nothing has moved on it for too long.
struct Lively<S> {
    inner: S,
    idle: Duration,
    deadline: Pin<Box<Sleep>>,
}

impl<S> Lively<S> {
    fn new(inner: S, idle: Duration) -> Self {
        Self { inner, idle, deadline: Box::pin(tokio::time::sleep(idle)) }
    }

    fn judge<T>(&mut self, moved: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        match moved {
            Poll::Ready(moved) => {
                self.deadline.as_mut().reset(Instant::now() + self.idle);
                Poll::Ready(moved)
            }
            Poll::Pending => match self.deadline.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lively<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let moved = Pin::new(&mut self.inner).poll_read(context, buffer);
        self.judge(moved, context)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lively<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.inner).poll_write(context, buffer);
        self.judge(moved, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let moved = Pin::new(&mut self.inner).poll_flush(context);
        self.judge(moved, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let moved = Pin::new(&mut self.inner).poll_shutdown(context);
        self.judge(moved, context)
    }
}
