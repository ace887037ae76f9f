//! The HTTP API.

mod access;
mod attributions;
mod connections;
mod deliveries;
mod events;
mod extract;
mod graphql;
mod health;
mod notices;
mod openapi;
mod platforms;
mod problem;
mod qstash;
mod reasons;
mod replays;
mod request_id;
mod script;
mod serve;
mod sinks;
mod sources;
mod test_event;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension};
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use deliveries::{DeliveryView, DetailView};
pub use notices::NoticeView;
pub use openapi::document;
pub(crate) use problem::FieldErrorBody;
pub use problem::Problem;
pub use reasons::ReasonView;
pub use replays::ReplayRequest;
pub use serve::serve;
pub use sinks::SinkView;
pub use sources::SourceView;

use crate::config::Scope;
use crate::graphql::schema;
use crate::service::Service;

/// What every handler sees.
pub(crate) type Shared = axum::extract::State<Arc<Service>>;

/// Routes with what the document says of them. A route comes with its description or not at all.
type Routes = OpenApiRouter<Arc<Service>>;

/// Routes for keys with this scope.
fn keyed(scope: Scope) -> Routes {
    let routes = match scope {
        Scope::Ingest => OpenApiRouter::new().routes(routes!(events::accept)),
        Scope::Read => OpenApiRouter::new()
            .routes(routes!(deliveries::list))
            .routes(routes!(deliveries::show))
            .routes(routes!(events::show))
            .routes(routes!(sinks::list))
            .routes(routes!(sinks::audit))
            .routes(routes!(platforms::list))
            .routes(routes!(sources::list))
            .routes(routes!(notices::list))
            .routes(routes!(reasons::list))
            .routes(routes!(graphql::answer)),
        Scope::Admin => OpenApiRouter::new()
            .routes(routes!(sinks::resume))
            .routes(routes!(deliveries::retry))
            .routes(routes!(replays::replay))
            .routes(routes!(sources::resume))
            .routes(routes!(sources::reconcile))
            .routes(routes!(notices::retry)),
    };
    openapi::behind_key(routes, scope)
}

/// Routes that ask for no key: they are public, or ask for another proof.
fn open() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(graphql::page))
        .routes(routes!(test_event::send))
        .routes(routes!(attributions::accept, attributions::preflight))
        .routes(routes!(script::serve))
        .routes(routes!(webhooks::receive))
        .routes(routes!(qstash::deliver))
        .routes(routes!(qstash::failed))
        .routes(routes!(openapi::serve))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
}

/// Every route.
pub fn router(service: Arc<Service>) -> Router {
    let guarded =
        |scope| keyed(scope).route_layer(from_fn_with_state((Arc::clone(&service), scope), access::guard));
    let routes = Scope::ALL.into_iter().map(guarded).fold(open(), OpenApiRouter::merge);
    let (router, _) = routes.split_for_parts();
    router
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(DefaultBodyLimit::max(service.config.server.max_body))
        .layer(Extension(schema(service.config.graphql)))
        .layer(from_fn(request_id::mark))
        .with_state(service)
}
