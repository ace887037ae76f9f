//! The script in a real browser: `tests/peers/browser.mjs` visits, this looks.

use std::io;
use std::path::Path;
use std::process::Command;

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Html;
use conversion_core::attribution::Attribution;
use conversion_core::consent::ConsentStatus;
use conversion_store::Access;
use platform_sandbox::AcuitySettings;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::harness::{FIELD, Setup, World, trial};

const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/dispatcher/script/signalbox.min.js");

/// What a script of `tests/peers` prints.
async fn node(script: &str, arguments: Vec<String>) -> String {
    let mut command = Command::new("node");
    command.arg(Path::new(PEERS).join(script)).args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "run `cargo xtask peers` if a package is missing: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_minified_script_is_made_of_its_source() {
    let made = node("minify.mjs", Vec::new()).await;
    let kept = std::fs::read_to_string(SCRIPT).unwrap();
    assert_eq!(kept, made, "node tests/peers/minify.mjs > crates/dispatcher/script/signalbox.min.js");
}

/// With all that the service fills in, for both platforms, a booking system with an intake field, and a cookie's domain.
#[tokio::test]
async fn the_script_is_smaller_than_two_kilobytes() {
    let (world, _site) = site().await;
    let script = world.get("/signalbox.js").await.text;
    for filled in ["gclid", "ttclid", "_ttp", "as.me", "field:16788923", "Domain=academy.localhost"] {
        assert!(script.contains(filled), "{filled} is not in {script}");
    }
    assert!(script.len() < 2048, "{} bytes", script.len());
}

/// A site: every page of it has links, a frame and forms, and the script.
async fn page(State(service): State<String>, uri: Uri) -> Html<String> {
    let consent = if uri.path() == "/asks" { r#" data-consent="required""# } else { "" };
    Html(format!(
        r#"<!doctype html><title>Academy</title>
        <script async src="{service}/signalbox.js"{consent}></script>
        <a id="booking" href="https://academy.as.me/schedule?firstName=Ada%20B">book</a>
        <a id="own" href="https://signup.example/start" data-signalbox>sign up</a>
        <a id="other" href="https://notas.me/x?a=b%20c">elsewhere</a>
        <a id="mail" href="mailto:ada@example.com">write</a>
        <iframe src="https://app.acuityscheduling.com/schedule.php?owner=1"></iframe>
        <form id="search" action="/search"><input name="q"></form>
        <form id="lead" data-signalbox><input name="action" value="lead"></form>
        <form id="book" action="https://academy.as.me/schedule.php" method="post"></form>"#
    ))
}

/// The origins of a site and of a stranger's, and what serves both.
struct Site {
    origin: String,
    stranger: String,
    _server: JoinSet<io::Result<()>>,
}

/// A site, and the service on a subdomain of it. Browsers lead every `*.localhost` to this machine.
async fn site() -> (World, Site) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let origin = format!("http://academy.localhost:{port}");
    let settings = format!(
        "[server]\npublic_url = 'http://signals.academy.localhost'\n\
        [attribution]\norigins = ['{origin}']\ncookie_domain = 'academy.localhost'\n\
        [[sinks]]\nkind = 'tiktok'\n[[sinks]]\nkind = 'google-ads'\n\
        [[sources]]\nkind = 'acuity'\nfields = {{ attributionId = {FIELD} }}"
    );
    let world = Setup::new().file(&settings).start_with_acuity(AcuitySettings::default()).await;
    let service = world.base.replace("127.0.0.1", "signals.academy.localhost");
    let mut server = JoinSet::new();
    let pages = Router::new().fallback(page).with_state(service);
    server.spawn(axum::serve(listener, pages).into_future());
    let stranger = format!("http://stranger.localhost:{port}");
    (world, Site { origin, stranger, _server: server })
}

async fn kept(world: &World, id: &str) -> Option<Attribution> {
    let store = conversion_store::open(world.store(), Access::ReadOnly).unwrap();
    store.attributions(&[id.to_owned()]).await.unwrap().pop()
}

fn clicks(attribution: &Attribution) -> Vec<(&str, &str)> {
    attribution.clicks.iter().map(|(name, click)| (name.as_str(), click.value.as_str())).collect()
}

#[tokio::test]
async fn a_visit_is_reported_once_and_handed_on_and_nothing_happens_without_consent() {
    let (world, site) = site().await;
    let printed = node("browser.mjs", vec![site.origin.clone(), site.stranger.clone()]).await;
    let seen: Value = serde_json::from_str(&printed).unwrap();
    for (step, seen) in seen.as_object().unwrap() {
        assert!(seen["errors"].as_array().is_none_or(Vec::is_empty), "{step}: {seen}");
    }
    let text = |pointer: &str| seen.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let posts = |step: &str| seen[step]["posts"].as_array().unwrap().len();

    // The landing page: one report, kept, and everything that leads to a booking bears the id.
    let id = text("/landing/stored/va_attrib");
    let numbers: Vec<Result<u32, _>> = id.split('-').map(str::parse).collect();
    assert!(numbers.len() == 4 && numbers.iter().all(Result::is_ok), "{id}");
    assert_eq!((posts("landing"), &seen["landing"]["answers"]), (1, &json!([204])));
    let cookie = &seen["landing"]["cookies"][0];
    assert_eq!(
        [&cookie["name"], &cookie["value"], &cookie["domain"], &cookie["path"], &cookie["sameSite"]],
        ["va_attrib", &id, ".academy.localhost", "/", "Lax"]
    );
    assert_eq!(seen["landing"]["cookies"].as_array().unwrap().len(), 1, "one cookie, whoever sets it");
    let attribution = kept(&world, &id).await.unwrap();
    let landing = format!("{}/?ttclid=E.C.P.abc&gclid=Cj0abc&ttp=none&utm_source=tiktok", site.origin);
    assert_eq!(attribution.page_url, Some(landing));
    assert_eq!(attribution.ip.map(|ip| ip.to_string()).as_deref(), Some("127.0.0.1"));
    assert!(attribution.user_agent.as_ref().unwrap().contains("Chrome"));
    assert_eq!(text("/landing/posts/0/consent/adUserData"), "", "it was not asked for");
    assert_eq!(attribution.consent.ad_user_data, Some(ConsentStatus::Denied), "and refused in the end");
    let marks = format!("va_attrib={id}&field%3A16788923={id}");
    let hrefs = json!({
        "booking": format!("https://academy.as.me/schedule?firstName=Ada+B&{marks}"),
        "own": format!("https://signup.example/start?{marks}"),
        "other": "https://notas.me/x?a=b%20c",
        "mail": "mailto:ada@example.com",
    });
    assert_eq!(seen["landing"]["hrefs"], hrefs);
    let frame = format!("https://app.acuityscheduling.com/schedule.php?owner=1&{marks}");
    assert_eq!(seen["landing"]["frames"], json!([frame]));
    let inputs = json!({ "va_attrib": id, "field:16788923": id });
    assert_eq!(seen["landing"]["inputs"], json!({ "search": {}, "lead": inputs, "book": inputs }));

    // The next page reports nothing, and hands on the same id, also in what comes or changes later.
    assert_eq!((posts("second"), text("/second/stored/va_attrib")), (1, id.clone()));
    assert_eq!(seen["second"]["hrefs"], hrefs);
    assert_eq!(text("/changed/hrefs/later"), format!("https://academy.as.me/later?a=1&{marks}"));
    assert_eq!(text("/changed/hrefs/booking"), format!("https://academy.as.me/changed?{marks}"));
    assert_eq!(text("/changed/frames/1"), format!("https://academy.as.me/frame?{marks}"));
    // A platform's cookie is news, once; a click that is known is not.
    assert_eq!((posts("cookie"), posts("again")), (2, 2));
    assert_eq!(clicks(&attribution), [("gclid", "Cj0abc"), ("ttclid", "E.C.P.abc"), ("ttp", "ttp-of-ann")]);
    // Refused: forgotten, told to the service, and quiet on the next page as well.
    assert_eq!((posts("refused"), &seen["refused"]["stored"]), (3, &json!({ "va_attrib": "no" })));
    assert_eq!(seen["refused"]["posts"][2], json!({ "id": id, "consent": { "adUserData": "DENIED" } }));
    assert_eq!(seen["refused"]["answers"][2], 204);
    assert_eq!(text("/refused/cookie"), "_ttp=ttp-of-ann");

    // Consent is asked for: nothing before it, everything after it, nothing but that once it is withdrawn.
    for step in ["unasked", "denied", "withdrawn", "withdrawnLater", "withdrawnAtOnce"] {
        assert_eq!(seen[step]["stored"], json!({}), "{step}");
        assert_eq!(seen[step]["cookies"], json!([]), "{step}");
        let booking = text(&format!("/{step}/hrefs/booking"));
        assert!(
            !booking.contains("va_attrib") && booking.starts_with("https://academy.as.me/schedule"),
            "{booking}"
        );
    }
    assert_eq!(["unasked", "denied", "granted", "grantedTwice"].map(posts), [0, 0, 1, 1]);
    for step in ["withdrawn", "withdrawnTwice", "withdrawnLater", "withdrawnAtOnce"] {
        let told = |number: usize| text(&format!("/{step}/posts/{number}/consent/adUserData"));
        assert_eq!((posts(step), told(0).as_str(), told(1).as_str()), (2, "GRANTED", "DENIED"), "{step}");
        let id = text(&format!("/{step}/posts/0/id"));
        assert_eq!(seen[step]["posts"][1]["id"], id, "{step}");
        let event = json!({ "eventId": step, "eventName": "TRIAL_BOOKED", "eventTime": 1_768_046_400, "attributionId": id });
        world.report(&[event]).await;
        assert_eq!(world.settled("tiktok", step).await["reason"], "consent_denied", "{step}");
    }
    let bob = kept(&world, &text("/granted/stored/va_attrib")).await.unwrap();
    assert_eq!(clicks(&bob), [("ttclid", "E.C.P.bob")]);
    assert_eq!(bob.consent.ad_user_data, Some(ConsentStatus::Denied), "the last word");
    assert_eq!(posts("decided"), 1, "a page that decided early is heard");
    is_joined_to_its_booking(&world, &text("/decided/hrefs/booking")).await;

    // Where the script can store nothing, the service's answer still sets the cookie.
    let locked = text("/locked/cookies/0/value");
    assert_eq!(clicks(&kept(&world, &locked).await.unwrap()), [("gclid", "Cj0dan")]);

    // A site that is not configured gets nothing kept, and does not notice.
    let stranger = text("/stranger/stored/va_attrib");
    assert_eq!(posts("stranger"), 1);
    assert!(kept(&world, &stranger).await.is_none());
}

/// Follows the link to a booking, whose page fills the intake form's field with what the link says.
async fn is_joined_to_its_booking(world: &World, link: &str) {
    let link = Url::parse(link).unwrap();
    let name = format!("field:{FIELD}");
    let (_, answer) = link.query_pairs().find(|(key, _)| *key == name).unwrap();
    let mut booking = trial("eve", "2027-03-01T10:15:00-0500");
    booking.fields = [(FIELD, answer.to_string())].into();
    let id = world.acuity().book(booking).unwrap();
    world.until_told(1).await;
    let event = &world.sent("tiktok", &format!("appt-{id}")).await["data"][0];
    assert_eq!(event["user"]["ttclid"], "E.C.P.eve");
    assert!(event["page"]["url"].as_str().unwrap().ends_with("/asks?ttclid=E.C.P.eve"), "{event}");
    assert!(event["user"]["user_agent"].as_str().unwrap().contains("Chrome"), "{event}");
    let shown = world.ask("{ appointments { id ttclid attributionId } }").await;
    let expected = json!([{ "id": id.to_string(), "ttclid": "E.C.P.eve", "attributionId": answer }]);
    assert_eq!(shown["appointments"], expected);
}
