//! What is asked of QStash: to take messages, and for `signalbox check` its signing keys.

use std::sync::Arc;

use conversion_core::exchange::{Body, Header, HeaderValue, Request};
use conversion_core::failure::{Failure, FailureClass};
use conversion_core::secret::Secret;
use conversion_core::settings::SettingsError;
use conversion_store::QueueItem;
use http_exchange::{ClientOptions, FullReply, by_status};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::message::body;
use super::{CALL_TIMEOUT, DELIVER, FAILED};
use crate::config::QueueLink;

const AUTHORIZATION: Header = Header { name: "authorization", value: HeaderValue::AccessToken };

/// A client of QStash's API. <https://upstash.com/docs/qstash/api-reference>
#[derive(Debug)]
pub struct Client {
    http: http_exchange::Client,
    link: QueueLink,
}

/// Whose deliveries are handed over.
#[derive(Clone, Copy, Debug)]
pub struct Lane<'a> {
    /// The store, as [`conversion_store::QueueStore::installation`] tells it from others of the same account.
    pub installation: &'a str,
    /// The sink's name.
    pub sink: &'a str,
    /// QStash makes so many calls at once. The rest waits there, and costs nothing: a call that must be taken back is a
    /// message that must be paid again.
    pub parallelism: usize,
}

/// Part of the answer to a batch: one for each message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    message_id: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct SigningKeys {
    current: Secret,
    next: Secret,
}

impl Client {
    /// A client by these settings.
    pub fn new(link: QueueLink) -> Result<Self, SettingsError> {
        Ok(Self { http: http_exchange::Client::new(ClientOptions::default())?, link })
    }

    /// Hands deliveries over, with one request. Returns of each, in order, why QStash did not take it, if it did not.
    /// That it took one before, it answers like the first time.
    pub async fn publish(
        &self,
        lane: Lane<'_>,
        items: &[QueueItem],
    ) -> Result<Vec<Result<(), String>>, Failure> {
        let messages: Vec<Box<RawValue>> = items.iter().filter_map(|item| self.message(lane, item)).collect();
        let request = Request {
            url: format!("{}/v2/batch", self.link.url),
            headers: vec![Header::json(), AUTHORIZATION],
            body: Body::compose("[", messages.iter().map(AsRef::as_ref), "]"),
        };
        let reply = self.http.exchange(&Arc::new(request), Some(&self.link.token)).await.result?;
        let published: Vec<Published> = read(&reply)?;
        if published.len() != items.len() {
            let message = format!("QStash answered for {} of {} messages", published.len(), items.len());
            return Err(Failure::new(FailureClass::Interrupted, message));
        }
        let taken = published.into_iter().map(|message| match message {
            Published { message_id: Some(_), .. } => Ok(()),
            Published { error, .. } => Err(error.unwrap_or_else(|| "it gave no message id".to_owned())),
        });
        Ok(taken.collect())
    }

    /// One message: the delivery's id, its number, and nothing of its event.
    fn message(&self, lane: Lane<'_>, item: &QueueItem) -> Option<Box<RawValue>> {
        let QueueItem { id, publications, .. } = item;
        let Lane { installation, sink, parallelism } = lane;
        let message = json!({
            "destination": format!("{}{DELIVER}", self.link.public_url),
            "headers": {
                "Content-Type": "application/json",
                "Upstash-Retries": self.link.retries.to_string(),
                "Upstash-Timeout": format!("{}s", CALL_TIMEOUT.as_secs()),
                "Upstash-Deduplication-Id": format!("{installation}:{id}:{publications}"),
                "Upstash-Failure-Callback": format!("{}{FAILED}", self.link.public_url),
                "Upstash-Label": sink,
                "Upstash-Flow-Control-Key": format!("signalbox-{installation}-{sink}"),
                "Upstash-Flow-Control-Value": format!("parallelism={parallelism}"),
            },
            "body": body(item.ticket()),
        });
        RawValue::from_string(message.to_string()).ok()
    }

    /// Asks for the account's signing keys and compares them with the configured ones.
    pub async fn check(&self) -> Result<&'static str, Failure> {
        let url = format!("{}/v2/keys", self.link.url);
        let reply = self.http.get(&url, &[AUTHORIZATION], Some(&self.link.token)).await?;
        let keys: SigningKeys = read(&reply)?;
        let [current, next] = &self.link.signing_keys;
        match (current.matches(keys.current.expose()), next.matches(keys.next.expose())) {
            (true, true) => Ok("the signing keys are the account's"),
            // The keys were rotated once: the one that is configured as the next is in use.
            _ if next.matches(keys.current.expose()) => {
                Ok("the signing keys were rotated: set the new pair before they are rotated again")
            }
            _ => {
                let message = "the signing keys are not the account's: its calls would be refused. Set \
                               QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY from the console, of the \
                               region of QSTASH_URL";
                Err(Failure::new(FailureClass::Rejected, message))
            }
        }
    }

    /// QStash's address.
    pub fn url(&self) -> &str {
        &self.link.url
    }
}

/// The JSON of an answer that says yes.
fn read<T: for<'de> Deserialize<'de>>(reply: &FullReply) -> Result<T, Failure> {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    if !(200..300).contains(&reply.status) {
        let said = serde_json::from_str(&reply.body).map_or(String::new(), |Refusal { error }| error);
        let message = format!("QStash answered {} {said}", reply.status);
        return Err(Failure::new(by_status(reply), message.trim_end()));
    }
    serde_json::from_str(&reply.body)
        .map_err(|_| Failure::new(FailureClass::Interrupted, "QStash's answer cannot be read"))
}
