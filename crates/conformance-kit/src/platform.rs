//! The platform, played: a server on a port of its own that answers, breaks off or stays silent as it is told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::profile::{Profile, Reply};
use crate::rule::{Verdict, broken};

/// Tokens are granted here; every other path takes conversions.
const TOKEN_PATH: &str = "/kit/token";

/// What to do with a request.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Reply(Reply),
    /// The same, once so many conversions' requests are there.
    ReplyTogether(usize, Reply),
    /// Head and first half of the body, then the end of the connection.
    Cut(Reply),
    /// The same, then nothing.
    Stall(Reply),
    HangUp,
    Silence,
    /// An answer of this status whose body is the whole request.
    Echo(u16),
}

/// One request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Seen {
    fn asks_for_token(&self) -> bool {
        self.path == TOKEN_PATH
    }
}

/// The platform. It falls silent for good when it is dropped.
pub(crate) struct Platform {
    address: SocketAddr,
    state: Arc<State>,
    _listener: JoinSet<()>,
}

struct State {
    /// What to do with the next requests; the last one stays.
    uploads: Mutex<VecDeque<Action>>,
    tokens: Mutex<VecDeque<Action>>,
    seen: watch::Sender<Vec<Seen>>,
}

impl Platform {
    /// One that takes single items and grants tokens.
    pub(crate) async fn start(profile: &dyn Profile) -> Verdict<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(broken)?;
        let address = listener.local_addr().map_err(broken)?;
        let grants = (1..=3).filter_map(|number| profile.grant(&access_token(number)));
        let state = Arc::new(State {
            uploads: Mutex::new([Action::Reply(profile.taken(1))].into()),
            tokens: Mutex::new(grants.map(Action::Reply).collect()),
            seen: watch::Sender::new(Vec::new()),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(listener, Arc::clone(&state)));
        Ok(Self { address, state, _listener: tasks })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on requests with conversions are answered so, one after the other.
    pub(crate) fn answers(&self, actions: impl IntoIterator<Item = Action>) {
        *self.state.uploads.lock().unwrap_or_else(PoisonError::into_inner) = actions.into_iter().collect();
    }

    /// The same of requests for tokens.
    pub(crate) fn answers_tokens(&self, actions: impl IntoIterator<Item = Action>) {
        *self.state.tokens.lock().unwrap_or_else(PoisonError::into_inner) = actions.into_iter().collect();
    }

    /// The requests with conversions so far.
    pub(crate) fn uploads(&self) -> Vec<Seen> {
        self.seen(false)
    }

    /// How many tokens were asked for so far.
    pub(crate) fn tokens_asked(&self) -> usize {
        self.seen(true).len()
    }

    fn seen(&self, tokens: bool) -> Vec<Seen> {
        self.state.seen.borrow().iter().filter(|seen| seen.asks_for_token() == tokens).cloned().collect()
    }

    /// Waits until a request has come in since there were `before`, of whatever kind.
    pub(crate) async fn request_after(&self, before: usize) {
        // The sender lives in the state, so that the wait ends with a request alone.
        drop(self.state.seen.subscribe().wait_for(|seen| seen.len() > before).await);
    }

    /// How many requests have come in, of whatever kind.
    pub(crate) fn requests(&self) -> usize {
        self.state.seen.borrow().len()
    }
}

/// Where tokens are granted at the platform with that address.
pub(crate) fn token_url(url: &str) -> String {
    format!("{url}{TOKEN_PATH}")
}

/// The text of the access token that is granted first, second, …
pub(crate) fn access_token(number: usize) -> String {
    format!("kit-access-token-{number}")
}

/// An address at which nobody listens, for as long as this lives.
pub(crate) struct Nobody {
    pub(crate) url: String,
    /// Bound, so that nobody else gets the port.
    _socket: TcpSocket,
}

impl Nobody {
    pub(crate) fn new() -> Verdict<Self> {
        let socket = TcpSocket::new_v4().map_err(broken)?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).map_err(broken)?;
        let url = format!("http://{}", socket.local_addr().map_err(broken)?);
        Ok(Self { url, _socket: socket })
    }
}

async fn listen(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move {
            // A caller that hangs up is one of the things that are tried.
            drop(serve(stream, &state).await);
        });
    }
}

async fn serve(mut stream: TcpStream, state: &State) -> std::io::Result<()> {
    let Some(seen) = read(&mut stream).await? else { return Ok(()) };
    let queue = if seen.asks_for_token() { &state.tokens } else { &state.uploads };
    let action = {
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }
    };
    let echo = [seen.head.as_str(), "\r\n\r\n", &seen.body].concat();
    state.seen.send_modify(|all| all.push(seen));
    match action {
        Some(Action::Reply(reply)) => stream.write_all(&http(&reply)).await?,
        Some(Action::ReplyTogether(uploads, reply)) => {
            let together =
                |all: &Vec<Seen>| all.iter().filter(|seen| !seen.asks_for_token()).count() >= uploads;
            drop(state.seen.subscribe().wait_for(together).await);
            stream.write_all(&http(&reply)).await?;
        }
        Some(Action::Cut(reply)) => stream.write_all(half(&http(&reply))).await?,
        Some(Action::Stall(reply)) => {
            stream.write_all(half(&http(&reply))).await?;
            std::future::pending::<()>().await;
        }
        Some(Action::Silence) => std::future::pending().await,
        Some(Action::Echo(status)) => stream.write_all(&http(&Reply::new(status, echo))).await?,
        Some(Action::HangUp) | None => {}
    }
    stream.shutdown().await
}

/// All but the last byte of an answer: its length is stated, so that it is not whole.
fn half(bytes: &[u8]) -> &[u8] {
    bytes.split_last().map_or(bytes, |(_, most)| most)
}

fn http(reply: &Reply) -> Vec<u8> {
    let headers: String = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let Reply { status, body, .. } = reply;
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
        .into_bytes()
}

/// The whole request; nothing where the caller hung up before its end.
async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Seen>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(seen) = parse(&bytes) {
            return Ok(Some(seen));
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}

fn parse(bytes: &[u8]) -> Option<Seen> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut words = head.split(' ');
    let lengths = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = lengths.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = lengths.next().map_or(Some(0), |(_, length)| length.trim().parse().ok())?;
    (body.len() >= length).then_some(())?;
    Some(Seen {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
