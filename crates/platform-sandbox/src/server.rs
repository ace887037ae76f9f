//! The listener and its connections.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::exchange::{self, Call};
use crate::reply::Reply;
use crate::state::State;
use crate::{Platform, acuity, control, data_manager, google_ads, meta, qstash};

/// Room for a full batch of the largest rows; beyond it a body is refused unread.
const MAX_BODY: usize = 16 << 20;

/// So many failures of the listener in a row mean that it is gone, not that one caller hung up.
const ACCEPT_FAILURES: u32 = 100;

/// The connection is to be dropped without an answer. hyper does that when a service fails.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
pub(crate) struct Cut;

pub(crate) async fn serve(
    state: &Arc<State>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let mut background = JoinSet::new();
    background.spawn(acuity::deliver(Arc::clone(state)));
    let mut connections = JoinSet::new();
    let mut failures = 0;
    let mut shutdown = pin!(shutdown);
    let mut deliveries = pin!(qstash::drive(state));
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            never = &mut deliveries => match never {},
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    failures = 0;
                    connections.spawn(connection(Arc::clone(state), stream));
                }
                Err(error) if failures == ACCEPT_FAILURES => return Err(error),
                Err(_) => {
                    failures += 1;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            },
        }
    }
}

async fn connection(state: Arc<State>, stream: TcpStream) {
    // Small answers must not wait for more; where the option is refused, they merely come later.
    stream.set_nodelay(true).ok();
    let service = service_fn(move |request| answer(Arc::clone(&state), request));
    // A cut connection ends in an error by design, and a caller's own failure shows at the caller.
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let reply = Reply::text(StatusCode::PAYLOAD_TOO_LARGE, "the request body is too large\n");
            return Ok(reply.into_response());
        }
        Err(_) => return Err(Cut),
    };
    let call = Call { parts, body };
    let reply = match route(&call.parts.method, call.path()) {
        Route::Control => control::answer(&state, &call),
        Route::Acuity => acuity::answer(&state, &call).await,
        Route::Token => google_ads::token(&state, &call),
        Route::Status => data_manager::retrieve(&state, &call),
        Route::Platform(platform) => exchange::run(&state, platform, &call).await?,
        Route::Qstash => qstash::answer(&state, &call).await,
        Route::Unknown => unknown(&state, &call),
    };
    Ok(reply.into_response())
}

/// What a path leads to.
enum Route {
    Control,
    Acuity,
    Token,
    Platform(Platform),
    Status,
    Qstash,
    Unknown,
}

fn route(method: &Method, path: &str) -> Route {
    if path.starts_with("/__") {
        return Route::Control;
    }
    if path.starts_with("/v2/") {
        return Route::Qstash;
    }
    match path {
        _ if acuity::is_api(path) => Route::Acuity,
        data_manager::RETRIEVE if method == Method::GET => Route::Status,
        _ if method != Method::POST => Route::Unknown,
        data_manager::INGEST => Route::Platform(Platform::GoogleDataManager),
        "/token" | "/oauth2/v4/token" => Route::Token,
        "/open_api/v1.3/event/track" | "/open_api/v1.3/event/track/" => Route::Platform(Platform::TikTok),
        _ if google_ads::is_upload(path) => Route::Platform(Platform::GoogleAds),
        _ if meta::dataset(path).is_some() => Route::Platform(Platform::Meta),
        _ => Route::Unknown,
    }
}

fn unknown(state: &State, call: &Call) -> Reply {
    state.unknown_path(call.parts.method.as_str(), call.path());
    let error =
        serde_json::json!({"code": 404, "status": "NOT_FOUND", "message": "no platform has this path"});
    Reply::json(StatusCode::NOT_FOUND, &serde_json::json!({ "error": error }))
}
