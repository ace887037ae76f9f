//! `docs/operations.md`, and the GraphQL schema that it names.

use std::collections::{BTreeMap, BTreeSet};

use conversion_core::Timestamp;
use conversion_core::reason;
use conversion_store::{
    Confirmation, DeliveryId, DeliveryRecord, NoticeCounts, NoticeId, NoticeRecord, NoticeStatus, Origin,
    SinkId, Status,
};
use signalbox::api::{DeliveryView, NoticeView, ReasonView, ReplayRequest, SourceView};
use signalbox::replay::{Counts, Summary};

use super::{assert_written, first_column, section, text};

#[test]
fn the_graphql_schema_is_the_one_that_is_documented() {
    let schema = signalbox::graphql::schema(signalbox::config::Graphql::default()).sdl();
    assert_written("docs/schema.graphql", &schema);
}

#[test]
fn the_openapi_document_is_the_one_that_is_documented() {
    assert_written("docs/openapi.json", &signalbox::api::document());
}

#[test]
fn operations_lists_every_route_and_no_other() {
    let page = text("docs/operations.md");
    let table = section(&page, "## HTTP API").split("\n### ").next().unwrap_or_default().to_owned();
    let listed = first_column(&table);
    let document: serde_json::Value = serde_json::from_str(&signalbox::api::document()).unwrap();
    let operations = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    // What browsers ask on their own.
    let routes = operations.filter(|operation| !operation.starts_with("OPTIONS "));
    assert_eq!(listed, routes.collect());
}

#[test]
fn operations_describes_every_field_of_a_delivery() {
    let time = Timestamp::UNIX_EPOCH;
    let record = DeliveryRecord {
        id: DeliveryId { event: 1, sink: SinkId(1) },
        event_name: String::new(),
        event_id: String::new(),
        conversion_id: String::new(),
        origin: Origin::Test,
        sink: String::new(),
        kind: String::new(),
        platform: String::new(),
        status: Status::Pending,
        confirmation: Confirmation::Awaited,
        reason: None,
        message: None,
        consent: None,
        accepted_at: time,
        settled_at: None,
        next_attempt_at: None,
        attempts: 0,
        response_code: None,
        driver: conversion_store::Driver::Builtin,
        last_attempt: None,
    };
    assert_eq!(described_fields("### `GET /api/deliveries`"), fields_of(&DeliveryView::of(&record)));
}

/// The names in the table of fields under a heading.
fn described_fields(heading: &str) -> BTreeSet<String> {
    let page = text("docs/operations.md");
    let (_, table) = section(&page, heading).split_once("| field | means |").unwrap();
    first_column(table.split("\n## ").next().unwrap_or_default())
}

fn fields_of(view: &impl serde::Serialize) -> BTreeSet<String> {
    serde_json::to_value(view).unwrap().as_object().unwrap().keys().cloned().collect()
}

#[test]
fn operations_describes_every_field_of_a_notice_and_of_a_source() {
    let record = NoticeRecord {
        id: NoticeId(1),
        source: String::new(),
        action: String::new(),
        appointment: None,
        status: NoticeStatus::Pending,
        reason: None,
        message: None,
        event: None,
        received_at: Timestamp::UNIX_EPOCH,
        due_at: None,
        tries: 0,
    };
    assert_eq!(described_fields("### `GET /api/notices`"), fields_of(&NoticeView::of(record)));
    let source = SourceView {
        name: String::new(),
        kind: "",
        state: "",
        hold_reason: None,
        hold_message: None,
        hold_fix: None,
        hold_actor: None,
        held_until: None,
        notices: NoticeCounts::default(),
    };
    assert_eq!(described_fields("### `GET /api/sources`"), fields_of(&source));
}

#[test]
fn operations_describes_what_a_replay_takes_and_answers() {
    let page = text("docs/operations.md");
    let (asked, _) = section(&page, "### `POST /api/replays`").split_once("| field | means |").unwrap();
    assert_eq!(first_column(asked), fields_of(&ReplayRequest::default()));
    let summary = Summary {
        dry_run: true,
        as_of: Timestamp::UNIX_EPOCH,
        rate: 0,
        counts: Counts::default(),
        reasons_today: BTreeMap::new(),
        groups: Vec::new(),
        removed: 0,
        busy_until: None,
        last_due_at: None,
        next_cursor: None,
    };
    assert_eq!(described_fields("### `POST /api/replays`"), fields_of(&summary));
}

#[test]
fn operations_describes_every_field_of_a_reason() {
    assert_eq!(described_fields("### `GET /api/reasons`"), fields_of(&ReasonView::of(reason::HELD)));
}
