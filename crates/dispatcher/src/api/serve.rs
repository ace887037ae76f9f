//! The listener: how many connections there may be, and how long one may take over its request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

use super::connections::{Connection, Connections};
use super::router;
use crate::seldom::Seldom;
use crate::service::Service;
use crate::tls::Tls;

/// Longest head of a request, its line and headers together, in bytes. More is answered with 431.
const MAX_HEAD: usize = 64 * 1024;
/// Most headers of a request. More are answered with 431.
const MAX_HEADERS: usize = 100;
/// An answer that is made has this long to be written where its connection must go.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// After this, what could not be accepted is tried again.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves until `shutdown`, then finishes the requests under way. Speaks TLS where a certificate is configured.
pub async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let tls = Tls::open(&service.config.server).map_err(std::io::Error::other)?.map(Arc::new);
    let door = Door {
        places: Arc::new(Semaphore::new(service.config.server.max_connections)),
        idle_timeout: service.config.server.idle_timeout,
        connections: Connections::default(),
        stop: CancellationToken::new(),
        complaints: Seldom::default(),
        router: router(Arc::clone(&service)),
        tls,
        service,
    };
    let conversations = TaskTracker::new();
    tokio::select! {
        () = shutdown => {}
        () = door.accept(listener, &conversations) => {}
        () = door.keep_certificate() => {}
    }
    door.stop.cancel();
    conversations.close();
    conversations.wait().await;
    Ok(())
}

struct Door {
    places: Arc<Semaphore>,
    idle_timeout: Duration,
    connections: Connections,
    stop: CancellationToken,
    complaints: Seldom,
    router: Router,
    tls: Option<Arc<Tls>>,
    service: Arc<Service>,
}

impl Door {
    /// Accepts for ever. The listener is closed when this is dropped.
    async fn accept(&self, listener: TcpListener, conversations: &TaskTracker) {
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    self.refused(&error).await;
                    continue;
                }
            };
            let Some(place) = self.place().await else { return };
            // Small answers must not wait for more to send; without the option they are merely slower.
            drop(stream.set_nodelay(true));
            conversations.spawn(self.converse(stream, peer, place));
        }
    }

    /// Takes up a renewed certificate, for ever.
    async fn keep_certificate(&self) {
        match &self.tls {
            Some(tls) => tls.keep_current(&self.service.clock).await,
            None => std::future::pending().await,
        }
    }

    /// A place for one connection, where need be that of another.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        if self.may_complain() {
            tracing::warn!(
                connections = self.service.config.server.max_connections,
                "there are as many connections as [server] max_connections allows: the one that has waited longest is closed"
            );
        }
        self.connections.make_room();
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// A caller who is gone again is nobody's trouble; without files to open, those who wait give theirs.
    async fn refused(&self, error: &std::io::Error) {
        use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted) {
            return;
        }
        if self.may_complain() {
            tracing::error!(%error, "no connection can be accepted");
        }
        self.connections.make_room();
        tokio::time::sleep(ACCEPT_AGAIN).await;
    }

    fn may_complain(&self) -> bool {
        self.complaints.may_say(self.service.clock.now())
    }

    /// Answers one connection's requests until it ends, gives way to another, or the service stops.
    fn converse(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
    ) -> impl Future<Output = ()> + Send + 'static {
        let conversation = Conversation {
            connection: Arc::new(self.connections.enter()),
            peer,
            router: self.router.clone(),
            stop: self.stop.clone(),
        };
        let mut protocol = http1::Builder::new();
        protocol
            .timer(TokioTimer::new())
            .header_read_timeout(self.idle_timeout)
            .max_headers(MAX_HEADERS)
            .max_header_size(MAX_HEAD);
        let tls = self.tls.clone();
        async move {
            match tls {
                None => conversation.hold(&protocol, stream).await,
                Some(tls) => {
                    if let Some(stream) = conversation.shake(&tls, stream).await {
                        conversation.hold(&protocol, stream).await;
                    }
                }
            }
            drop(place);
        }
    }
}

/// What is said on one connection.
struct Conversation {
    connection: Arc<Connection>,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
}

impl Conversation {
    /// The connection after its handshake; nothing where that fails, or must end before it is done.
    async fn shake(&self, tls: &Tls, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let shaken = tokio::select! {
            shaken = tls.shake(stream) => shaken,
            () = self.connection.gives_way.cancelled() => return None,
            () = self.stop.cancelled() => return None,
        };
        // Any stranger can cause it at any rate.
        shaken
            .inspect_err(|error| tracing::debug!(client = %self.peer, %error, "a TLS handshake failed"))
            .ok()
    }

    /// Answers requests until the caller ends it, it gives way to another, or the service stops.
    async fn hold<S>(&self, protocol: &http1::Builder, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let answer = service_fn(|request| {
            answer(self.router.clone(), Arc::clone(&self.connection), self.peer, request)
        });
        let mut conversation = std::pin::pin!(protocol.serve_connection(TokioIo::new(stream), answer));
        tokio::select! {
            // How it ended is the caller's doing.
            ended = conversation.as_mut() => drop(ended),
            () = self.connection.gives_way.cancelled() => {
                if self.connection.was_asked() {
                    // The last answer may not be written yet.
                    conversation.as_mut().graceful_shutdown();
                    drop(tokio::time::timeout(LAST_WORDS, conversation).await);
                }
            }
            () = self.stop.cancelled() => {
                conversation.as_mut().graceful_shutdown();
                drop(conversation.await);
            }
        }
    }
}

async fn answer(
    mut router: Router,
    connection: Arc<Connection>,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    connection.works();
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.call(request).await;
    connection.waits();
    response
}
