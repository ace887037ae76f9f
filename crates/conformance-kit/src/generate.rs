//! Any event, and all else that `prepare` is given.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use conversion_core::attribution::{Attribution, Click};
use conversion_core::consent::{Consent, ConsentStatus};
use conversion_core::event::{Address, Content, Property};
use conversion_core::money::{Amount, Currency};
use conversion_core::sink::{Order, Related, RelatedState, Subject};
use conversion_core::skip::Skip;
use conversion_core::{CanonicalEvent, Timestamp};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::string::{RegexGeneratorStrategy, string_regex};
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use crate::rig::Rig;
use crate::rule::{Broken, Verdict};

/// What one preparation is made from.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) event: CanonicalEvent,
    pub(crate) now: Timestamp,
    attribution: Option<Attribution>,
    related: Vec<Related>,
    is_perhaps_received: bool,
    is_screened: bool,
}

impl Given {
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject::new(&self.event)
            .beside(&self.related)
            .perhaps_received(self.is_perhaps_received)
            .attributed(self.attribution.as_ref())
            .screened(self.is_screened.then(Skip::consent_denied))
    }
}

/// Made-up data: shown whole, so that a failure can be tried again.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clicked_at =
            self.attribution.iter().flat_map(|seen| seen.clicks.values()).next().map(|click| click.at);
        f.debug_struct("Given")
            .field("event", &self.event.to_json())
            .field("now", &self.now)
            .field("clicked_at", &clicked_at)
            .field("related", &self.related)
            .field("is_perhaps_received", &self.is_perhaps_received)
            .field("is_screened", &self.is_screened)
            .finish()
    }
}

/// Tries `hold` with what `strategy` brings, and says with what it does not hold.
pub(crate) fn for_all<S: Strategy>(strategy: S, hold: impl Fn(S::Value) -> Result<(), String>) -> Verdict {
    let config = Config { failure_persistence: None, ..Config::default() };
    let held = TestRunner::new(config).run(&strategy, |given| hold(given).map_err(TestCaseError::fail));
    held.map_err(|error| match error {
        TestError::Abort(reason) => Broken::Because(format!("the events could not be made up: {reason}")),
        TestError::Fail(reason, given) => Broken::Because(format!("{} with {given:?}", reason.message())),
    })
}

/// Anything that `prepare` may be given, with the names that the sinks map and the click ids that they know.
pub(crate) fn given(rig: &Rig<'_>) -> Verdict<impl Strategy<Value = Given> + use<>> {
    let mapped = rig.every_sink()?.iter().flat_map(|sink| sink.mapping().keys().cloned()).collect::<Vec<_>>();
    let click_ids: Vec<String> = rig.descriptor().click_ids.iter().map(|name| (*name).to_owned()).collect();
    let parts = (events(mapped.clone(), click_ids), times(), times());
    let around = (vec(related(mapped), 0..4), any::<bool>(), any::<bool>(), prop::bool::weighted(0.1));
    Ok((parts, around).prop_map(
        |((event, now, clicked_at), (related, is_seen, is_perhaps_received, is_screened))| {
            let click = |value: &String| Click { value: value.clone(), at: clicked_at };
            let clicks = event.click_ids.iter().map(|(name, value)| (name.clone(), click(value))).collect();
            let attribution =
                is_seen.then(|| Attribution { clicks, ..Attribution::new("kit-visit", clicked_at) });
            Given { event, now, attribution, related, is_perhaps_received, is_screened }
        },
    ))
}

/// Texts that match; read once, where a bare pattern is read for each text.
fn pattern(pattern: &'static str) -> RegexGeneratorStrategy<String> {
    string_regex(pattern).expect("patterns are constants")
}

fn text() -> impl Strategy<Value = Option<String>> {
    of(prop_oneof![
        any::<String>(),
        pattern("[ -~]{0,20}"),
        pattern("\\PC{0,40}"),
        pattern("[0-9+() -]{0,20}"),
        pattern("[a-zA-Z.+]{1,12}@(gmail|example)\\.com"),
        pattern("[0-9a-fA-F]{64}"),
        pattern("https?://[a-z.]{1,12}/\\PC{0,20}"),
    ])
}

fn amount() -> impl Strategy<Value = Option<Amount>> {
    of(pattern("[0-9]{1,11}(\\.[0-9]{1,9})?")).prop_map(|text| Amount::parse(&text?).ok())
}

/// Any time that there is.
fn times() -> impl Strategy<Value = Timestamp> {
    let seconds = prop_oneof![
        3 => 946_684_800..4_102_444_800_i64,
        1 => Timestamp::MIN.as_second()..=Timestamp::MAX.as_second(),
    ];
    seconds.prop_map(|second| Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH))
}

fn names(mapped: Vec<String>) -> BoxedStrategy<String> {
    if mapped.is_empty() {
        return pattern("\\PC{0,8}").boxed();
    }
    prop_oneof![9 => select(mapped), 1 => pattern("\\PC{0,8}")].boxed()
}

fn content() -> impl Strategy<Value = Content> {
    (vec(text(), 4), amount(), of(any::<u32>())).prop_map(|(texts, price, quantity)| {
        let mut texts = texts.into_iter();
        let mut next = || texts.next().flatten();
        Content { id: next(), name: next(), category: next(), brand: next(), price, quantity }
    })
}

/// Named after fields as well, which a careless sink would write twice.
fn properties() -> impl Strategy<Value = BTreeMap<String, Property>> {
    let own = pattern("value|currency|contents|content_ids|event_id|order_id|num_items");
    let name = prop_oneof![any::<String>(), own];
    let value = prop_oneof![
        any::<String>().prop_map(Property::Text),
        any::<bool>().prop_map(Property::Flag),
        amount().prop_map(|number| number.map_or(Property::Flag(true), Property::Number)),
    ];
    btree_map(name, value, 0..4)
}

fn consent() -> impl Strategy<Value = Consent> {
    let status = || of(select(vec![ConsentStatus::Granted, ConsentStatus::Denied]));
    (status(), status())
        .prop_map(|(ad_user_data, ad_personalization)| Consent { ad_user_data, ad_personalization })
}

fn events(mapped: Vec<String>, click_ids: Vec<String>) -> impl Strategy<Value = CanonicalEvent> {
    let clicks = btree_map(names(click_ids), any::<String>(), 0..4);
    let money = (amount(), of(select(vec!["USD", "EUR", "JPY", "AFN"])));
    let rest = (
        of(any::<IpAddr>()),
        clicks,
        money,
        vec(content(), 0..3),
        properties(),
        of(any::<bool>()),
        consent(),
    );
    (names(mapped), times(), vec(text(), 20), rest).prop_map(|(name, time, texts, rest)| {
        let (ip, click_ids, (value, currency), contents, properties, limited_data_use, consent) = rest;
        let mut texts = texts.into_iter();
        let mut next = || texts.next().flatten();
        let id = next().unwrap_or_default();
        let address =
            Address { street: next(), city: next(), region: next(), postal_code: next(), country: next() };
        CanonicalEvent {
            conversion_id: next(),
            email: next(),
            phone: next(),
            external_id: next(),
            first_name: next(),
            last_name: next(),
            address,
            ip,
            user_agent: next(),
            locale: next(),
            click_ids,
            page_url: next(),
            page_referrer: next(),
            value,
            currency: currency.and_then(Currency::parse),
            order_id: next(),
            content_type: next(),
            contents,
            search_string: next(),
            description: next(),
            lead_id: next(),
            limited_data_use,
            consent,
            properties,
            ..CanonicalEvent::new(name, id, time)
        }
    })
}

fn related(mapped: Vec<String>) -> impl Strategy<Value = Related> {
    let state = prop_oneof![
        Just(RelatedState::Unsent),
        Just(RelatedState::Unsettled),
        times().prop_map(|at| RelatedState::Delivered { at }),
        times().prop_map(|at| RelatedState::PerhapsDelivered { at }),
        Just(RelatedState::NotDelivered),
    ];
    (names(mapped), select(vec![Order::Earlier, Order::Later]), state)
        .prop_map(|(event_name, order, state)| Related { event_name, order, state })
}
