//! What is on record, by GraphQL.

use platform_sandbox::Platform;
use serde_json::{Value, json};

use crate::harness::{Api, SPEC_QUERY, Setup, World, booked, event, tiktok_verdict, until};

/// The only error's message.
async fn refusal(api: &Api, query: &str) -> String {
    let answer = api.post_query(query).await;
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{answer}");
    answer["errors"][0]["message"].as_str().unwrap().to_owned()
}

fn of_appointment(name: &str, id: &str, appointment: &str) -> Value {
    let mut event = event(name, id);
    event["appointmentId"] = appointment.into();
    event
}

#[tokio::test]
async fn the_specs_query_shows_what_became_of_each_appointment() {
    let world = World::start().await;
    let moved = of_appointment("TRIAL_RESCHEDULED", "b1-moved", "77");
    let canceled = json!({
        "eventId": "b1-canceled", "eventName": "TRIAL_CANCELED", "eventTime": 1_768_046_500, "appointmentId": "77",
    });
    world.report(&[of_appointment("TRIAL_BOOKED", "b1", "77"), moved, canceled, booked("apart")]).await;
    world.report(&[of_appointment("TRIAL_BOOKED", "b2", "78")]).await;
    for id in ["b1", "b1-moved", "b1-canceled", "b2"] {
        world.settled("tiktok", id).await;
        world.settled("google-ads", id).await;
    }
    let data = world.ask(SPEC_QUERY).await;
    let appointments = data["appointments"].as_array().unwrap();
    let ids: Vec<&Value> = appointments.iter().map(|appointment| &appointment["id"]).collect();
    assert_eq!(ids, ["78", "77"], "the latest first, and no event without an appointment");
    let first = &appointments[1];
    // The latest word on the person; what a later event does not say stays.
    assert_eq!(first["email"], "b1-moved@example.com");
    assert_eq!(first["ttclid"], "ttclid-b1-moved");
    let events = first["canonicalEvents"].as_array().unwrap();
    let names: Vec<&Value> = events.iter().map(|event| &event["name"]).collect();
    assert_eq!(names, ["TRIAL_BOOKED", "TRIAL_RESCHEDULED", "TRIAL_CANCELED"]);
    assert_eq!(events[0]["eventTime"], booked("b1")["eventTime"]);
    let tiktok = &events[0]["deliveries"][0];
    assert_eq!((&tiktok["platform"], &tiktok["status"]), (&json!("TIKTOK"), &json!("DELIVERED")));
    assert_eq!(tiktok["responseCode"], 200);
    let sent: Value = serde_json::from_str(tiktok["requestBody"].as_str().unwrap()).unwrap();
    assert_eq!(sent["data"][0]["event_id"], "b1");
    assert!(tiktok["responseBody"].as_str().unwrap().contains("\"code\":0"));
    assert_eq!(events[2]["deliveries"][0]["status"], "SKIPPED");
}

#[tokio::test]
async fn deliveries_and_events_are_filtered_and_paged() {
    let world = World::start().await;
    let refused = tiktok_verdict("c", 40002, "Invalid value for ttclid");
    let settings = platform_sandbox::Settings { verdicts: [refused].into(), ..Default::default() };
    world.platforms.sandbox.configure(Platform::TikTok, settings);
    for id in ["a", "b", "c"] {
        world.report(&[booked(id)]).await;
        world.settled("tiktok", id).await;
        world.settled("google-ads", id).await;
    }
    let page =
        world.ask("{ deliveries(sink: \"tiktok\", limit: 2) { items { eventId status } nextCursor } }").await;
    assert_eq!(
        page["deliveries"]["items"],
        json!([{ "eventId": "c", "status": "FAILED" }, { "eventId": "b", "status": "DELIVERED" }])
    );
    let cursor = page["deliveries"]["nextCursor"].as_str().unwrap();
    let query = format!(
        "{{ deliveries(sink: \"tiktok\", limit: 2, after: \"{cursor}\") {{ items {{ eventId }} nextCursor }} }}"
    );
    let rest = world.ask(&query).await;
    assert_eq!(rest["deliveries"], json!({ "items": [{ "eventId": "a" }], "nextCursor": null }));
    let failed =
        world.ask("{ deliveries(status: FAILED, reason: \"rejected\") { items { eventId sink } } }").await;
    assert_eq!(failed["deliveries"]["items"], json!([{ "eventId": "c", "sink": "tiktok" }]));
    let later = world.time_in(std::time::Duration::from_secs(3600));
    let none = world.ask(&format!("{{ deliveries(since: \"{later}\") {{ items {{ id }} }} }}")).await;
    assert_eq!(none["deliveries"]["items"], json!([]));

    let page = world.ask("{ events(limit: 2) { items { eventId deliveries { sink } } nextCursor } }").await;
    assert_eq!(
        page["events"]["items"][0],
        json!({ "eventId": "c", "deliveries": [{ "sink": "tiktok" }, { "sink": "google-ads" }] })
    );
    let cursor = page["events"]["nextCursor"].as_str().unwrap();
    let rest = world
        .ask(&format!("{{ events(after: \"{cursor}\") {{ items {{ name eventId }} nextCursor }} }}"))
        .await;
    assert_eq!(
        rest["events"],
        json!({ "items": [{ "name": "TRIAL_BOOKED", "eventId": "a" }], "nextCursor": null })
    );

    let sinks = world.ask("{ sinks { name state delivered failed } }").await;
    assert_eq!(
        sinks["sinks"][0],
        json!({ "name": "tiktok", "state": "ACTIVE", "delivered": 2, "failed": 1 })
    );
}

#[tokio::test]
async fn a_query_that_is_too_deep_or_too_large_is_refused() {
    let world = World::start().await;
    let deep = format!(
        "{{ __schema {{ types {{ fields {{ type {{ {} name {} }} }} }} }} }}",
        "ofType {".repeat(13),
        "}".repeat(13)
    );
    assert_eq!(refusal(&world, &deep).await, "the query is nested deeper than 16 fields");
    // 500 × (1 + items + 4 × (1 + 10 fields)), three times over.
    let large =
        "{ events(limit: 500) { items { deliveries { id status reason message sink platform requestBody
        responseBody responseCode attempts } } }
        again: events(limit: 500) { items { deliveries { id status reason message sink platform requestBody
        responseBody responseCode attempts } } }
        more: events(limit: 500) { items { deliveries { id status reason message sink platform requestBody
        responseBody responseCode attempts } } } }";
    let message = refusal(&world, large).await;
    assert!(message.starts_with("the query may ask for more than 50000 values"), "{message}");
    // A list costs what it loads, also where nothing is asked of its items: __typename is free.
    for (list, times) in [
        ("appointments(limit: 500) { canonicalEvents { deliveries { __typename } } }", 5),
        ("appointments(limit: 500) { clickIds { __typename } }", 21),
        ("appointments(limit: 500) { __typename }", 101),
        ("events(limit: 500) { __typename }", 101),
        ("deliveries(limit: 500) { __typename }", 101),
    ] {
        let query = |times: usize| {
            let lists: String = (0..times).map(|n| format!("a{n}: {list} ")).collect();
            format!("{{ {lists} }}")
        };
        assert!(refusal(&world, &query(times)).await.contains("50000 values"), "{list}");
        world.ask(&query(times - 1)).await;
    }
    for (query, said) in [
        ("{ appointments(limit: 0) { id } }", "limit must lie between 1 and 500"),
        ("{ deliveries(limit: 501) { nextCursor } }", "limit must lie between 1 and 500"),
        ("{ events(after: \"x\") { nextCursor } }", "after must be a cursor"),
        ("{ events(since: \"yesterday\") { nextCursor } }", "RFC 3339"),
        ("{ appointment { id } }", "Unknown field \"appointment\""),
    ] {
        let message = refusal(&world, query).await;
        assert!(message.contains(said), "{query}: {message}");
    }
    assert_eq!(world.post("/api/graphql", "{ sinks { name } }").await.status, 400);
}

#[tokio::test]
async fn fragments_count_as_often_as_they_are_named() {
    let world = World::start().await;
    let doubling = |levels: usize| {
        let each = |n: usize| format!("fragment f{n} on Query {{ ...f{next} ...f{next} }} ", next = n + 1);
        let fragments: String = (0..levels).map(each).collect();
        format!("{{ ...f0 }} {fragments} fragment f{levels} on Query {{ sinks {{ name }} }}")
    };
    let sinks = world.ask(&doubling(3)).await;
    assert_eq!(sinks["sinks"][0]["name"], "tiktok");
    // Two to the power of 24 takes half a minute to look through.
    let message = refusal(&world, &doubling(24)).await;
    assert_eq!(message, "the query has more than 10000 fields, its fragments unfolded");
    for (query, said) in [
        ("{ ...f } fragment f on Query { ...f ...f }", "or a fragment names itself"),
        ("{ ...f } fragment f on Query { ...g ...g } fragment g on Query { ...f ...f }", "names itself"),
        ("{ ...unknown }", "Unknown fragment"),
        ("{ sinks { name }", "expected"),
    ] {
        let message = refusal(&world, query).await;
        assert!(message.contains(said), "{query}: {message}");
    }
}

#[tokio::test]
async fn a_busy_appointment_shows_its_first_events_and_leaves_room_for_others() {
    let world = World::start().await;
    let mut events = vec![of_appointment("TRIAL_BOOKED", "quiet", "77")];
    events.extend((0..110).map(|n| of_appointment("TRIAL_RESCHEDULED", &format!("busy{n}"), "78")));
    world.report(&events).await;
    let data = world.ask("{ appointments { id canonicalEvents { eventId } } }").await;
    let shown = |index: usize| data["appointments"][index]["canonicalEvents"].as_array().unwrap();
    let first: Vec<Value> = (0..50).map(|n| json!({ "eventId": format!("busy{n}") })).collect();
    assert_eq!((shown(0), shown(1)), (&first, &vec![json!({ "eventId": "quiet" })]));
}

#[tokio::test]
async fn exchanges_are_read_where_they_are_asked_for() {
    let world = World::start().await;
    world.report(&[of_appointment("TRIAL_BOOKED", "b1", "77")]).await;
    world.settled("tiktok", "b1").await;
    let cost = async |query: &str| {
        let before = world.statements_read();
        world.ask(query).await;
        world.statements_read() - before
    };
    for list in [
        "{ deliveries { items { FIELD } } }",
        "{ events { items { deliveries { FIELD } } } }",
        "{ appointments { canonicalEvents { deliveries { FIELD } } } }",
    ] {
        let asking = async |field: &str| cost(&list.replace("FIELD", field)).await;
        let without = asking("status responseCode").await;
        assert_eq!(asking("requestBody").await, without + 1, "{list}");
        assert_eq!(asking("... { responseBody }").await, without + 1, "{list}");
    }
}

#[tokio::test]
async fn a_store_that_fails_is_an_error_of_the_service() {
    let world = World::start().await;
    let file = world.store().trim_start_matches("sqlite://").to_owned();
    rusqlite::Connection::open(file).unwrap().execute_batch("DROP TABLE appointment").unwrap();
    let query = json!({ "query": "{ sinks { name } appointments { id } }" });
    let reply = world.post("/api/graphql", query.to_string()).await;
    assert_eq!(reply.status, 503, "{}", reply.text);
    assert_eq!(reply.json, json!({ "error": "the store cannot serve now; try again" }));
}

#[tokio::test]
async fn a_hundred_appointments_cost_as_many_statements_as_ten() {
    let world = World::start().await;
    let mut events: Vec<Value> = Vec::new();
    for number in 0..100 {
        let appointment = number.to_string();
        events.push(of_appointment("TRIAL_BOOKED", &format!("b{number}"), &appointment));
        events.push(of_appointment("TRIAL_RESCHEDULED", &format!("m{number}"), &appointment));
    }
    world.report(&events).await;
    until("everything to be delivered", async || {
        let counts = (world.counts("tiktok").await.pending, world.counts("google-ads").await.pending);
        if counts == (0, 0) { Ok(()) } else { Err(format!("{counts:?}")) }
    })
    .await;
    let cost = async |limit: usize| {
        let before = world.statements_read();
        let data = world.ask(&SPEC_QUERY.replace("limit: 10", &format!("limit: {limit}"))).await;
        let appointments = data["appointments"].as_array().unwrap();
        assert_eq!(appointments.len(), limit);
        for appointment in appointments {
            let events = appointment["canonicalEvents"].as_array().unwrap();
            assert_eq!(events.len(), 2);
            assert!(events.iter().all(|event| event["deliveries"].as_array().unwrap().len() == 2));
            assert!(events[0]["deliveries"][0]["requestBody"].is_string());
        }
        world.statements_read() - before
    };
    let ten = cost(10).await;
    assert!((3..=20).contains(&ten), "{ten} statements");
    assert_eq!(cost(100).await, ten);
}

#[tokio::test]
async fn graphiql_is_served_only_where_it_is_enabled() {
    let world = World::start().await;
    assert_eq!(world.get("/api/graphql").await.status, 404);
    let world = Setup::new().file("[graphql]\ngraphiql = true").start().await;
    let page = world.get("/api/graphql").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("graphiql"), "{}", page.text);
    // What another host serves is run only where it is what was read when the page was written.
    let loaded = page.text.matches("https://").count();
    assert_eq!(loaded, page.text.matches("https://unpkg.com/").count());
    for guard in ["integrity=\"sha384-", "crossorigin=\"anonymous\""] {
        assert_eq!(page.text.matches(guard).count(), loaded, "{}", page.text);
    }
}
