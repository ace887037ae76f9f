//! The beginning of a connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Tls;

/// A caller has this long for its handshake.
const PATIENCE: Duration = Duration::from_secs(10);
/// How a TLS connection begins: the type of a handshake's record (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 22;
/// What is read of a request that came in plain HTTP, at most.
const UNREAD: u64 = 64 * 1024;

impl Tls {
    /// Begins a connection with the certificate that is in use now.
    pub(crate) async fn shake(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(self.current());
        let shaken = tokio::time::timeout(PATIENCE, shake(stream, acceptor)).await;
        shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
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
