//! `GET /api/openapi.json`: the routes as OpenAPI describes them, made of the handlers' own descriptions.
//!
//! Open to all, keys or none: it says nothing of this installation, and tools read it before they have a key.

mod event;

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr,
    ResponseBuilder, Schema, SecurityRequirement,
};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_axum::router::OpenApiRouter;

pub(super) use event::{EventBody, EventLines, EventsBody, VisitBody};

use super::problem::ErrorBody;
use super::{Routes, keyed, open};
use crate::config::Scope;

/// The name of the security scheme of API keys.
const API_KEY: &str = "apiKey";

static JSON: LazyLock<Bytes> = LazyLock::new(|| document().into());

/// The document, as indented JSON.
pub fn document() -> String {
    let routes = Scope::ALL.into_iter().map(keyed).fold(open(), OpenApiRouter::merge);
    let mut document = frame();
    document.merge(routes.into_openapi());
    // Only a map with keys that are no text cannot be written; there is none.
    document.to_pretty_json().unwrap_or_default() + "\n"
}

/// All but the routes.
fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Signalbox")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Business events in, ad platforms told server to server, every delivery accounted for. \
             Without configured API keys, programs on the same machine need none.",
        ))
        .license(Some(utoipa::openapi::License::new(env!("CARGO_PKG_LICENSE"))))
        .build();
    let bearer = |what: &str| {
        SecurityScheme::Http(
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(what)).build(),
        )
    };
    let signature = |header: &str, what: &str| {
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(header, what)))
    };
    let components = ComponentsBuilder::new()
        .schema(ErrorBody::name(), ErrorBody::schema())
        .security_scheme(API_KEY, bearer("An API key with the scope that the route names."))
        .security_scheme("testSecret", bearer("The sink's `test_secret`."))
        .security_scheme(
            "acuitySignature",
            signature("X-Acuity-Signature", "HMAC-SHA256 of the body, in base64."),
        )
        .security_scheme("qstashSignature", signature("Upstash-Signature", "A JWT of QStash's signing keys."))
        .build();
    OpenApiBuilder::new().info(info).components(Some(components)).build()
}

/// What the guard answers, said of each of the routes that it guards.
pub(super) fn behind_key(mut routes: Routes, scope: Scope) -> Routes {
    for operation in routes.get_openapi_mut().paths.paths.values_mut().flat_map(operations) {
        operation.security = Some(vec![SecurityRequirement::new(API_KEY, [scope.name()])]);
        let refusals = [
            ("401", "The API key is missing or unknown."),
            ("429", "The address has sent too many unknown API keys."),
            ("403", "The API key lacks the scope; without configured keys, a web page asked."),
        ];
        for (status, what) in refusals {
            let content =
                ContentBuilder::new().schema(Some(Ref::from_schema_name(ErrorBody::name()))).build();
            let response =
                ResponseBuilder::new().description(what).content("application/json", content).build();
            operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
        }
    }
    routes
}

/// `conversion_core::consent::ConsentVerdict`, which knows no OpenAPI; or nothing.
pub(super) fn consent_verdict() -> Schema {
    let verdicts = ["full", "stripped", "nothing"].map(Some).into_iter().chain([None]);
    let kind = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(kind).enum_values(Some(verdicts)).build().into()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.options, &mut item.patch]
        .into_iter()
        .flatten()
}

/// This document
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "service", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object)),
)]
pub(super) async fn serve() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], JSON.clone()).into_response()
}
