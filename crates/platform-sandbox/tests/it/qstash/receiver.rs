//! A small server that messages are delivered to.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// One delivery.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) method: String,
    /// With the query.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) at: Instant,
}

impl Delivery {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A status and headers; without a status there is no answer at all.
pub(super) type Answer = (Option<u16>, Vec<(&'static str, &'static str)>);

type Deliveries = Arc<Mutex<Vec<Delivery>>>;

/// Answers until it is dropped.
pub(super) struct Receiver {
    base: String,
    deliveries: Deliveries,
    _server: JoinSet<()>,
}

impl Receiver {
    /// Answers each delivery with what the function says about it and its number, counted from 0.
    pub(super) async fn start(answer: impl Fn(&Delivery, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let deliveries = Deliveries::default();
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&deliveries), Arc::new(answer)));
        Self { base, deliveries, _server: server }
    }

    /// Takes everything.
    pub(super) async fn good() -> Self {
        Self::start(|_, _| (Some(200), Vec::new())).await
    }

    /// Answers with one status.
    pub(super) async fn always(status: u16) -> Self {
        Self::start(move |_, _| (Some(status), Vec::new())).await
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(super) fn deliveries(&self) -> Vec<Delivery> {
        self.deliveries.lock().unwrap().clone()
    }

    /// Waits until so many have arrived.
    pub(super) async fn wait_for(&self, count: usize) -> Vec<Delivery> {
        super::until(|| self.deliveries.lock().unwrap().len() >= count).await;
        self.deliveries()
    }

    /// What has arrived at one path.
    pub(super) fn at(&self, path: &str) -> Vec<Delivery> {
        self.deliveries().into_iter().filter(|delivery| delivery.path == path).collect()
    }
}

async fn serve(
    listener: TcpListener,
    deliveries: Deliveries,
    answer: Arc<impl Fn(&Delivery, usize) -> Answer + Send + Sync + 'static>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (deliveries, answer) = (Arc::clone(&deliveries), Arc::clone(&answer));
        let service = service_fn(move |request: Request<Incoming>| {
            let (deliveries, answer) = (Arc::clone(&deliveries), Arc::clone(&answer));
            async move {
                let (parts, body) = request.into_parts();
                let delivery = Delivery {
                    method: parts.method.to_string(),
                    path: parts.uri.to_string(),
                    headers: parts.headers,
                    body: body.collect().await.unwrap().to_bytes(),
                    at: Instant::now(),
                };
                let number = {
                    let mut deliveries = deliveries.lock().unwrap();
                    deliveries.push(delivery.clone());
                    deliveries.len() - 1
                };
                Ok::<_, Infallible>(respond(answer(&delivery, number)).await)
            }
        });
        connections.spawn(async move {
            // A sender that gives up is part of the tests.
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

async fn respond((status, headers): Answer) -> Response<Full<Bytes>> {
    let Some(status) = status else { return std::future::pending().await };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Full::from("answer")).unwrap()
}
