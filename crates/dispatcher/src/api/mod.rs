//! The HTTP API.

mod access;
mod attributions;
mod deliveries;
mod events;
mod graphql;
mod health;
mod notices;
mod problem;
mod qstash;
mod reasons;
mod replays;
mod request_id;
mod script;
mod sinks;
mod sources;
mod test_event;
mod webhooks;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use tokio::net::{TcpListener, TcpStream};

pub use deliveries::{DeliveryView, DetailView};
pub use notices::NoticeView;
pub use problem::Problem;
pub use reasons::ReasonView;
pub use replays::ReplayRequest;
pub use sinks::SinkView;
pub use sources::SourceView;

use crate::config::Scope;
use crate::graphql::schema;
use crate::service::Service;
use crate::tls::{Tls, TlsListener};

/// What every handler sees.
pub(crate) type Shared = axum::extract::State<Arc<Service>>;

/// Every route.
pub fn router(service: Arc<Service>) -> Router {
    let guard = |scope| from_fn_with_state((Arc::clone(&service), scope), access::guard);
    let ingest = Router::new().route("/api/events", post(events::accept)).route_layer(guard(Scope::Ingest));
    let read = Router::new()
        .route("/api/deliveries", get(deliveries::list))
        .route("/api/deliveries/{id}", get(deliveries::show))
        .route("/api/events/{name}/{id}", get(events::show))
        .route("/api/sinks", get(sinks::list))
        .route("/api/audit", get(sinks::audit))
        .route("/api/sources", get(sources::list))
        .route("/api/notices", get(notices::list))
        .route("/api/reasons", get(reasons::list))
        .route("/api/graphql", post(graphql::answer))
        .route_layer(guard(Scope::Read));
    let admin = Router::new()
        .route("/api/sinks/{name}/resume", post(sinks::resume))
        .route("/api/deliveries/{id}/retry", post(deliveries::retry))
        .route("/api/replays", post(replays::replay))
        .route("/api/sources/{name}/resume", post(sources::resume))
        .route("/api/sources/{name}/reconcile", post(sources::reconcile))
        .route("/api/notices/{id}/retry", post(notices::retry))
        .route_layer(guard(Scope::Admin));
    Router::new()
        .merge(ingest)
        .merge(read)
        .merge(admin)
        .route("/api/graphql", get(graphql::page))
        .route("/api/test/{sink}", post(test_event::send))
        .route("/api/attributions", post(attributions::accept).options(attributions::preflight))
        .route("/signalbox.js", get(script::serve))
        .route("/api/webhooks/{kind}/{account}", post(webhooks::receive))
        .route("/api/qstash/deliver", post(qstash::deliver))
        .route("/api/qstash/failed", post(qstash::failed))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(DefaultBodyLimit::max(service.config.server.max_body))
        .layer(Extension(schema(service.config.graphql)))
        .layer(from_fn(request_id::mark))
        .with_state(service)
}

/// Serves until `shutdown`, then finishes the requests under way. Speaks TLS where a certificate is configured.
pub async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let tls = Tls::open(&service.config.server).map_err(io::Error::other)?;
    let clock = service.clock.clone();
    let app = router(service).into_make_service_with_connect_info::<SocketAddr>();
    let Some(tls) = tls.map(Arc::new) else {
        let listener = listener.tap_io(|stream| send_at_once(stream));
        return axum::serve(listener, app).with_graceful_shutdown(shutdown).await;
    };
    let listener =
        TlsListener::new(listener, Arc::clone(&tls)).tap_io(|stream| send_at_once(stream.get_ref().0));
    let server = axum::serve(listener, app).with_graceful_shutdown(shutdown);
    tokio::select! {
        served = async { server.await } => served,
        () = tls.keep_current(&clock) => Ok(()),
    }
}

/// Small answers must not wait for more to send; without the option they are merely slower.
fn send_at_once(stream: &TcpStream) {
    drop(stream.set_nodelay(true));
}
