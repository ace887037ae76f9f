//! Who may do what.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Once};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::config::{Config, Keys, Scope, Server};
use crate::service::Service;

/// What the request's key allows, for handlers that show more to some.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    /// Whether it has the `admin` scope.
    pub(super) is_admin: bool,
}

/// Lets requests pass whose key has the scope. Without keys everyone may do everything: the address is a loopback one.
pub(super) async fn guard(
    State((service, scope)): State<(Arc<Service>, Scope)>,
    mut request: Request,
    next: Next,
) -> Response {
    let Config { keys, server, .. } = &service.config;
    match access(keys, request.headers(), scope, own_scheme(server)) {
        Ok(access) => {
            request.extensions_mut().insert(access);
            next.run(request).await
        }
        Err(refusal) => {
            let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
            let problem = match refusal {
                Refusal::WrongKey => wrong_key(&service, peer, request.headers(), "the API key is not known"),
                Refusal::Other(problem) => problem,
            };
            log_refusal(&service, peer, request.headers(), &format!("a request was refused: {problem}"));
            let mut response = problem.into_response();
            // Here, where a key is what is asked for: webhooks and QStash sign.
            if response.status() == StatusCode::UNAUTHORIZED {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            response
        }
    }
}

/// Why a request is not let in.
enum Refusal {
    /// It has a key that nobody knows.
    WrongKey,
    Other(Problem),
}

/// A wrong key or secret was sent: 401, and 429 to an address that sends one after another. Only wrong ones are counted:
/// whoever shares an address with somebody who guesses is let in by the right one all the same.
pub(super) fn wrong_key(
    service: &Service,
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    what: &'static str,
) -> Problem {
    let client = peer.map(|peer| client_address(peer, headers, &service.config.server.trusted_proxies));
    match service.guesses.admit(client) {
        Ok(()) => Problem::new(StatusCode::UNAUTHORIZED, what),
        Err(wait) => {
            let message = "too many wrong keys came from this address; the right one is let in at any time";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, message).after(wait)
        }
    }
}

/// Logs that a request was refused. Anyone can send any number of those, so that only one a second is a warning.
pub(super) fn log_refusal(service: &Service, peer: Option<IpAddr>, headers: &HeaderMap, what: &str) {
    let client = peer.map(|peer| client_address(peer, headers, &service.config.server.trusted_proxies));
    let client = client.map(tracing::field::display);
    if service.refusals.may_say(service.clock.now()) {
        tracing::warn!(client, "{what}");
    } else {
        tracing::debug!(client, "{what}");
    }
}

fn access(keys: &Keys, headers: &HeaderMap, scope: Scope, own_scheme: &str) -> Result<Access, Refusal> {
    let refuse = |status, message: String| Err(Refusal::Other(Problem::new(status, message)));
    if keys.is_empty() {
        return if is_local_program(headers, own_scheme) {
            Ok(Access { is_admin: true })
        } else {
            let message = "without API keys only programs on this machine are served, not web pages: set SIGNALBOX_API_KEY";
            refuse(StatusCode::FORBIDDEN, message.to_owned())
        };
    }
    let Some(presented) = bearer(headers) else {
        return refuse(StatusCode::UNAUTHORIZED, "send an API key: Authorization: Bearer KEY".to_owned());
    };
    let key = keys.find(presented).ok_or(Refusal::WrongKey)?;
    if !key.allows(scope) {
        let message = format!("the API key {} does not have the scope {}", key.name, scope.name());
        return refuse(StatusCode::FORBIDDEN, message);
    }
    Ok(Access { is_admin: key.allows(Scope::Admin) })
}

/// Whether no web page but our own is behind the request: a browser on this machine reaches loopback addresses, too,
/// and pages can name any host to it.
fn is_local_program(headers: &HeaderMap, own_scheme: &str) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let name =
        host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let is_loopback =
        name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_own_page = |origin: &HeaderValue| origin.as_bytes() == format!("{own_scheme}://{host}").as_bytes();
    is_loopback && headers.get(header::ORIGIN).is_none_or(is_own_page)
}

/// How pages of ours are addressed.
fn own_scheme(server: &Server) -> &'static str {
    if server.tls_certificate.is_some() { "https" } else { "http" }
}

/// The token of `Authorization: Bearer TOKEN`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The caller's address: the last forwarded one that no trusted proxy of ours added. What stands before it, or before
/// something that is no address, anyone may have written.
///
/// Says once that a proxy seems to be forgotten: then all callers have its address.
pub(super) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    static SAID: Once = Once::new();
    let (client, forwards) = last_untrusted(peer, headers, trusted);
    if forwards && is_near(client) {
        SAID.call_once(|| {
            tracing::warn!(
                address = %client,
                "X-Forwarded-For of this address is not believed, so all whom it forwards for count as one caller and \
                 share one limit of visits: if it is your proxy, add it to [server] trusted_proxies"
            );
        });
    }
    client
}

/// The last address that is no trusted proxy, and whether it says that it forwards for another.
fn last_untrusted(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> (IpAddr, bool) {
    let forwarded = headers.get_all("x-forwarded-for").iter().map(|value| value.to_str().unwrap_or_default());
    let mut hops = forwarded.collect::<Vec<_>>().join(",");
    let mut client = peer.to_canonical();
    while trusted.contains(&client) {
        let at = hops.rfind(',').map_or(0, |comma| comma + 1);
        let Some(hop) = address(hops.split_off(at).trim()) else { break };
        client = hop.to_canonical();
        hops.pop();
    }
    (client, !trusted.contains(&client) && !hops.trim().is_empty())
}

/// Whether the address is this machine's or of a private network, as those of proxies are and those of visitors are not.
fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// An address, perhaps with a port.
fn address(hop: &str) -> Option<IpAddr> {
    hop.parse().ok().or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_keys_web_pages_are_turned_away() {
        for (host, origin, served) in [
            ("127.0.0.1:8080", None, true),
            ("127.0.0.1:8080", Some("https://127.0.0.1:8080"), false),
            ("localhost", None, true),
            ("[::1]:8080", None, true),
            ("rebound.example:8080", None, false),
            ("127.0.0.1:8080", Some("https://evil.example"), false),
            ("127.0.0.1:8080", Some("http://127.0.0.1:9000"), false),
            ("127.0.0.1:8080", Some("http://127.0.0.1:8080"), true),
            ("rebound.example:8080", Some("http://rebound.example:8080"), false),
        ] {
            let mut headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(
                access(&Keys::default(), &headers, Scope::Ingest, "http").is_ok(),
                served,
                "{host} {origin:?}"
            );
        }
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let trusted = [ip("10.0.0.1"), ip("10.0.0.2")];
        for (peer, forwarded, client, forwards) in [
            ("203.0.113.9", "198.51.100.1", "203.0.113.9", true),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1", false),
            ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1", true),
            ("::ffff:10.0.0.1", "198.51.100.1:50312", "198.51.100.1", false),
            ("10.0.0.1", "[2001:db8::1]:443 , 10.0.0.2", "2001:db8::1", false),
            ("10.0.0.1", "nonsense", "10.0.0.1", false),
            ("10.0.0.1", "6.6.6.6, unknown", "10.0.0.1", false),
            ("10.0.0.1", "", "10.0.0.1", false),
            ("10.0.0.1", "10.0.0.2", "10.0.0.2", false),
            ("10.0.0.3", "198.51.100.1", "10.0.0.3", true),
            ("10.0.0.3", "", "10.0.0.3", false),
            ("10.0.0.1", "198.51.100.1, 10.0.0.3", "10.0.0.3", true),
        ] {
            let headers =
                HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), forwarded.parse().unwrap())]);
            let last = last_untrusted(ip(peer), &headers, &trusted);
            assert_eq!(last, (ip(client), forwards), "{peer} {forwarded}");
        }
    }

    #[test]
    fn visitors_are_not_near() {
        let near = [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
        ];
        let far = ["8.8.8.8", "172.32.0.1", "203.0.113.9", "2001:db8::1"];
        let is_near = |text: &str| super::is_near(text.parse().unwrap());
        assert!(near.into_iter().all(is_near) && !far.into_iter().any(is_near));
    }
}
