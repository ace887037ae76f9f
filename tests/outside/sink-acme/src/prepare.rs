//! From an event to one item, or to the reason why there is none.

use conversion_core::event::CanonicalEvent;
use conversion_core::identity::{Recipe, Source, Step};
use conversion_core::sink::{ConversionSink as _, NotSent, Payload, Subject};
use conversion_core::skip::Skip;
use serde_json::value::to_raw_value;

use crate::wire::{Event, User};
use crate::{Acme, DESCRIPTOR};

pub(crate) fn recipes() -> Vec<Recipe> {
    vec![Recipe {
        source: Source::Email,
        target: "user.email",
        steps: vec![Step::Trim, Step::Lowercase],
        hashed: true,
        documented: "Acme",
    }]
}

impl Acme {
    pub(crate) fn payload(&self, subject: &Subject<'_>) -> Result<Payload, NotSent> {
        let event = subject.event;
        if let Some(sentence) = &self.missing {
            return Err(Skip::missing_credentials(sentence.as_str()).into());
        }
        let Some(name) = self.config.events.get(&event.event_name) else {
            return Err(Skip::no_event_mapping(DESCRIPTOR.title, &event.event_name).into());
        };
        subject.screen()?;
        let user = self.user(event);
        if user.is_empty() {
            return Err(Skip::no_identifiers("user identifiers (email)").into());
        }
        let item = Event {
            event_name: name,
            event_time: event.event_time.as_second(),
            event_id: event.conversion_id(),
            user,
        };
        Ok(Payload {
            item: to_raw_value(&item).map_err(|error| Skip::unserialisable(&error))?,
            group: "events".into(),
            exclusive: Vec::new(),
            dedup_key: self.dedup_target(&event.event_name).map(|target| target.key(event.conversion_id())),
            notes: Vec::new(),
            not_yet_until: None,
            takes_back: false,
        })
    }

    fn user(&self, event: &CanonicalEvent) -> User {
        let digest = |target| self.recipes.iter().find(|recipe| recipe.target == target)?.digest(event);
        User { email: digest("user.email") }
    }
}
