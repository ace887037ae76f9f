//! A service that webhooks are sent to.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// A webhook that arrived.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) body: String,
    pub(crate) signature: String,
    pub(crate) content_type: String,
    /// No other of the same appointment was being answered when it arrived.
    pub(crate) alone: bool,
}

impl Told {
    pub(crate) fn action(&self) -> &str {
        self.body.split('&').find_map(|pair| pair.strip_prefix("action=")).unwrap()
    }

    pub(crate) fn id(&self) -> u64 {
        self.body.split('&').find_map(|pair| pair.strip_prefix("id=")).unwrap().parse().unwrap()
    }
}

/// What is left to answer with, and the appointments whose webhooks are being answered.
#[derive(Default)]
struct Desk {
    statuses: VecDeque<u16>,
    under_way: HashSet<u64>,
}

/// Answers until it is dropped.
pub(crate) struct Receiver {
    pub(crate) url: String,
    told: UnboundedReceiver<Told>,
    _server: JoinSet<()>,
}

impl Receiver {
    /// Answers with these statuses in turn, then with 200.
    pub(crate) async fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/webhooks/acuity/main", listener.local_addr().unwrap());
        let (tell, told) = unbounded_channel();
        let desk = Desk { statuses: statuses.iter().copied().collect(), ..Desk::default() };
        let mut server = JoinSet::new();
        server.spawn(serve(listener, tell, Arc::new(Mutex::new(desk))));
        Self { url, told, _server: server }
    }

    /// The next so many.
    pub(crate) async fn take(&mut self, many: usize) -> Vec<Told> {
        let mut taken = Vec::new();
        while taken.len() < many {
            let next = tokio::time::timeout(Duration::from_secs(120), self.told.recv()).await;
            taken.push(next.unwrap_or_else(|_| panic!("only {} of {many} came", taken.len())).unwrap());
        }
        taken
    }

    pub(crate) async fn hears_within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.told.recv()).await.is_ok()
    }
}

async fn serve(listener: TcpListener, tell: UnboundedSender<Told>, desk: Arc<Mutex<Desk>>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (tell, desk) = (tell.clone(), Arc::clone(&desk));
        connections.spawn(async move {
            let service = service_fn(move |request| answer(request, tell.clone(), Arc::clone(&desk)));
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    tell: UnboundedSender<Told>,
    desk: Arc<Mutex<Desk>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    assert_eq!((parts.method.as_str(), parts.uri.path()), ("POST", "/api/webhooks/acuity/main"));
    let header = |name: &str| parts.headers[name].to_str().unwrap().to_owned();
    let (signature, content_type) = (header("x-acuity-signature"), header("content-type"));
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let mut told = Told { body, signature, content_type, alone: true };
    let id = told.id();
    told.alone = desk.lock().unwrap().under_way.insert(id);
    // As long as a service takes to store it.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let status = {
        let mut desk = desk.lock().unwrap();
        desk.under_way.remove(&id);
        desk.statuses.pop_front().unwrap_or(200)
    };
    tell.send(told).ok();
    Ok(Response::builder().status(status).body(Full::default()).unwrap())
}
