//! What an event looks like: the reader's rules, as far as JSON Schema can say them.

use std::borrow::Cow;

use conversion_core::event::{
    MAX_CLICK_ID, MAX_CLICK_IDS, MAX_CONTENTS, MAX_EVENT_NAME, MAX_ID, MAX_IDENTIFIER, MAX_PROPERTIES,
    MAX_TEXT, MAX_URL, MAX_WORD,
};
use conversion_core::money::Currency;
use conversion_core::registry;
use utoipa::openapi::schema::{AdditionalProperties, AnyOf, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{ArrayBuilder, KnownFormat, Ref, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// One event.
pub(in crate::api) struct EventBody;
/// One event, or several.
pub(in crate::api) struct EventsBody;
/// One event a line.
pub(in crate::api) struct EventLines;
/// A visit.
pub(in crate::api) struct VisitBody;

/// Characters that a text may hold: all but control characters.
const PLAIN: &str = "[^\\x00-\\x1f\\x7f-\\x9f]";

impl ToSchema for EventBody {
    fn name() -> Cow<'static, str> {
        "Event".into()
    }
}

impl PartialSchema for EventBody {
    fn schema() -> RefOr<Schema> {
        let vocabulary = registry::vocabulary();
        let mut event = ObjectBuilder::new()
            .description(Some(
                "docs/events.md is the reference. `null`, and an empty text, is an absent field.",
            ))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        for name in vocabulary.names() {
            event = event.property(name, field(name));
        }
        event.required("eventId").required("eventName").required("eventTime").into()
    }
}

impl ToSchema for EventsBody {
    fn name() -> Cow<'static, str> {
        "Events".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((EventBody::name().into(), EventBody::schema()));
    }
}

impl PartialSchema for EventsBody {
    fn schema() -> RefOr<Schema> {
        let one = Ref::from_schema_name(EventBody::name()).into();
        let items = vec![one, several("An array of events.")];
        Schema::AnyOf(AnyOf { items, ..AnyOf::default() }).into()
    }
}

impl ToSchema for EventLines {}

impl PartialSchema for EventLines {
    fn schema() -> RefOr<Schema> {
        several("One event a line.")
    }
}

/// As many as `[server] max_events` allows, which is no fact of the document.
fn several(description: &str) -> RefOr<Schema> {
    let events = ArrayBuilder::new().items(Ref::from_schema_name(EventBody::name())).min_items(Some(1));
    events.description(Some(description)).into()
}

impl ToSchema for VisitBody {
    fn name() -> Cow<'static, str> {
        "Visit".into()
    }
}

impl PartialSchema for VisitBody {
    fn schema() -> RefOr<Schema> {
        let id = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Za-z0-9_-]{16,64}$"));
        let mut visit = ObjectBuilder::new()
            .description(Some("docs/attribution.md is the reference."))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .property("id", id)
            .required("id");
        let vocabulary = registry::vocabulary();
        for name in ["clickIds", "pageUrl", "pageReferrer", "consent"].iter().chain(vocabulary.click_ids()) {
            visit = visit.property(*name, field(name));
        }
        visit.into()
    }
}

/// The schema of the field of this name; that of a click id where it is none of an event's own.
fn field(name: &str) -> RefOr<Schema> {
    match name {
        "eventId" => required(MAX_ID, "@"),
        "eventName" => required(MAX_EVENT_NAME, "=,@"),
        "eventTime" => time(),
        "conversionId" | "orderId" | "appointmentId" | "attributionId" => {
            text(MAX_ID, "^[^@\\x00-\\x1f\\x7f-\\x9f]*$")
        }
        "email" | "externalId" | "firstName" | "lastName" | "leadId" => plain(MAX_IDENTIFIER),
        "phone" | "locale" | "contentType" => plain(MAX_WORD),
        "userAgent" | "searchString" | "description" => plain(MAX_TEXT),
        "pageUrl" | "pageReferrer" => text(MAX_URL, &format!("^([Hh][Tt][Tt][Pp][Ss]?://{PLAIN}*)?$")),
        "address" => address(),
        "ip" => ip(),
        "value" => amount(),
        "currency" => currency(),
        "limitedDataUse" => nullable(Type::Boolean).into(),
        "contents" => contents(),
        "consent" => consent(),
        "clickIds" => click_ids(),
        "properties" => properties(),
        _ => plain(MAX_CLICK_ID),
    }
}

/// Of this type, or `null`.
fn nullable(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([kind, Type::Null]))
}

fn text(max: usize, pattern: &str) -> RefOr<Schema> {
    nullable(Type::String).max_length(Some(max)).pattern(Some(pattern)).into()
}

fn plain(max: usize) -> RefOr<Schema> {
    text(max, &format!("^{PLAIN}*$"))
}

/// A text that is not blank and has none of these characters.
fn required(max: usize, without: &str) -> RefOr<Schema> {
    let any = format!("[^{without}\\x00-\\x1f\\x7f-\\x9f]");
    let visible = format!("[^{without}\\s\\x00-\\x1f\\x7f-\\x9f]");
    let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(max));
    text.pattern(Some(format!("^{any}*{visible}{any}*$"))).into()
}

fn time() -> RefOr<Schema> {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some("RFC 3339, not before the year 2000, and at most 24 hours ahead."));
    let seconds = ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(946_684_800))
        .description(Some("Unix seconds, at most 24 hours ahead."));
    Schema::AnyOf(AnyOf { items: vec![text.into(), seconds.into()], ..AnyOf::default() }).into()
}

fn amount() -> RefOr<Schema> {
    let description = "With at most 9 digits after the point.";
    let amount = nullable(Type::Number).minimum(Some(0)).exclusive_maximum(Some(1_000_000_000_000_u64));
    amount.description(Some(description)).into()
}

fn ip() -> RefOr<Schema> {
    let of = |format| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.format(Some(SchemaFormat::KnownFormat(format))).into()
    };
    let empty = nullable(Type::String).max_length(Some(0)).into();
    let items = vec![of(KnownFormat::Ipv4), of(KnownFormat::Ipv6), empty];
    Schema::AnyOf(AnyOf { items, ..AnyOf::default() }).into()
}

/// Every code of ISO 4217 that is known; case does not matter.
fn currency() -> RefOr<Schema> {
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])));
    let known =
        codes.map(|code| code.iter().collect::<String>()).filter(|code| Currency::parse(code).is_some());
    let either =
        |code: String| code.chars().map(|c| format!("[{c}{}]", c.to_ascii_lowercase())).collect::<String>();
    let codes: Vec<String> = known.map(either).collect();
    let description = "An ISO 4217 code.";
    nullable(Type::String)
        .pattern(Some(format!("^({})?$", codes.join("|"))))
        .description(Some(description))
        .into()
}

fn object<'n>(parts: impl IntoIterator<Item = (&'n str, RefOr<Schema>)>) -> ObjectBuilder {
    let empty = nullable(Type::Object).additional_properties(Some(AdditionalProperties::FreeForm(false)));
    parts.into_iter().fold(empty, |object, (name, part)| object.property(name, part))
}

fn address() -> RefOr<Schema> {
    let texts = ["street", "city", "region", "postalCode"].map(|name| (name, plain(MAX_IDENTIFIER)));
    let country = text(2, "^([!-~]{2})?$");
    object(texts.into_iter().chain([("country", country)])).into()
}

fn contents() -> RefOr<Schema> {
    let texts = ["id", "name", "category", "brand"].map(|name| (name, plain(MAX_IDENTIFIER)));
    let quantity = nullable(Type::Integer).minimum(Some(0)).maximum(Some(u32::MAX));
    let numbers = [("price", amount()), ("quantity", quantity.into())];
    let content = object(texts.into_iter().chain(numbers));
    let list = ArrayBuilder::new().schema_type(SchemaType::from_iter([Type::Array, Type::Null]));
    list.items(content).max_items(Some(MAX_CONTENTS)).into()
}

fn consent() -> RefOr<Schema> {
    let said =
        || nullable(Type::String).enum_values(Some([Some("GRANTED"), Some("DENIED"), Some(""), None])).into();
    object([("adUserData", said()), ("adPersonalization", said())]).into()
}

fn click_ids() -> RefOr<Schema> {
    let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Za-z_]{2,32}$"));
    nullable(Type::Object)
        .property_names(Some(name))
        .additional_properties(Some(plain(MAX_CLICK_ID)))
        .max_properties(Some(MAX_CLICK_IDS))
        .into()
}

fn properties() -> RefOr<Schema> {
    let name = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(MAX_ID));
    let value = [plain(MAX_TEXT), amount(), nullable(Type::Boolean).into()];
    let value = Schema::AnyOf(AnyOf { items: value.into(), ..AnyOf::default() });
    nullable(Type::Object)
        .property_names(Some(name.pattern(Some(format!("^{PLAIN}*$")))))
        .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(value))))
        .max_properties(Some(MAX_PROPERTIES))
        .into()
}
