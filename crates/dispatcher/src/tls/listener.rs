//! Connections, once their handshake is done.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Tls;

/// A caller has this long for its handshake.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most handshakes at once: some ten megabytes. Past it new connections wait to be taken.
const MAX_HANDSHAKES: usize = 1000;
/// How a TLS connection begins: the type of a handshake's record (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 22;
/// What is read of a request that came in plain HTTP, at most.
const UNREAD: u64 = 64 * 1024;

type Accepted = (TlsStream<TcpStream>, SocketAddr);

/// Takes connections, each with a handshake of its own: a slow one keeps nobody waiting.
pub(crate) struct TlsListener {
    tcp: TcpListener,
    tls: Arc<Tls>,
    handshakes: JoinSet<Option<Accepted>>,
}

impl TlsListener {
    pub(crate) fn new(tcp: TcpListener, tls: Arc<Tls>) -> Self {
        Self { tcp, tls, handshakes: JoinSet::new() }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Accepted {
        loop {
            let has_room = self.handshakes.len() < MAX_HANDSHAKES;
            tokio::select! {
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(accepted)) = done {
                        return accepted;
                    }
                }
                (stream, client) = Listener::accept(&mut self.tcp), if has_room => {
                    let acceptor = TlsAcceptor::from(self.tls.current());
                    self.handshakes.spawn(async move {
                        let shaken = tokio::time::timeout(PATIENCE, shake(stream, acceptor)).await;
                        let shaken = shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
                        // Any stranger can cause it at any rate.
                        shaken.inspect_err(|error| tracing::debug!(%client, %error, "a TLS handshake failed")).ok()
                            .map(|stream| (stream, client))
                    });
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

async fn shake(stream: TcpStream, acceptor: TlsAcceptor) -> io::Result<TlsStream<TcpStream>> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 1 && first != [HANDSHAKE_RECORD] {
        turn_away(stream).await?;
        return Err(io::Error::other("the caller does not speak TLS"));
    }
    acceptor.accept(stream).await
}

/// Tells a caller that speaks plain HTTP what to do.
async fn turn_away(mut stream: TcpStream) -> io::Result<()> {
    let body = r#"{"error":"this address speaks TLS: write https:// in place of http://"}"#;
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n\
         {body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    // Closed with a request unread, the connection would be reset, and the answer perhaps lost.
    tokio::io::copy(&mut stream.take(UNREAD), &mut tokio::io::sink()).await?;
    Ok(())
}
