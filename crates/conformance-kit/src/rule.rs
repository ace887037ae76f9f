//! The list of rules, and what it means to break one.

use std::fmt::Display;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;

use crate::account;
use crate::profile::Profile;
use crate::rules::{
    answers, batches, check, descriptor, personal, prepare, settings, skips, snapshots, tokens,
};

/// One rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name, which is that of its test.
    pub name: &'static str,
    /// What must hold, and so what to mend.
    pub sentence: &'static str,
    verdict: for<'a> fn(&'a dyn Profile) -> Verifying<'a>,
}

type Verifying<'a> = Pin<Box<dyn Future<Output = Verdict> + 'a>>;

/// What a rule finds.
pub(crate) type Verdict<T = ()> = Result<T, Broken>;

/// Why a rule does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// What was found.
    Because(String),
    /// It cannot be tried before the rule of that name holds.
    After(&'static str),
}

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {found}\n{sentence}")]
pub struct Violation {
    /// The rule's name.
    pub rule: &'static str,
    /// The rule's sentence.
    pub sentence: &'static str,
    /// What was found.
    pub found: String,
}

impl Rule {
    /// Whether the sink keeps the rule.
    pub async fn verify(&self, profile: &dyn Profile) -> Result<(), Violation> {
        let violation = |found| Violation { rule: self.name, sentence: self.sentence, found };
        (self.verdict)(profile).await.map_err(|broken| match broken {
            Broken::Because(found) => violation(found),
            Broken::After(earlier) => violation(format!("not tried before {earlier} holds: mend that first")),
        })
    }
}

/// Runs the rule of that name as a test. The last rule of a run writes to standard error what does not hold yet, in the
/// order in which it is best mended.
///
/// # Panics
///
/// If the sink breaks the rule.
#[track_caller]
pub fn enforce(name: &str, profile: &dyn Profile) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let rule = RULES.iter().find(|rule| rule.name == name);
    let (Ok(runtime), Some(rule)) = (runtime, rule) else {
        panic!("no rule is called {name}, or there is no runtime to try it");
    };
    let verdict = catch_unwind(AssertUnwindSafe(|| runtime.block_on(rule.verify(profile))));
    let found = match &verdict {
        Ok(Ok(())) => None,
        Ok(Err(violation)) => Some(violation.found.as_str()),
        Err(_) => Some("it panicked"),
    };
    if let Some(account) = account::note(profile.kind(), rule.name, found) {
        // What is printed is shown only of tests that fail.
        drop(std::io::stderr().write_all(account.as_bytes()));
    }
    match verdict {
        Ok(Ok(())) => {}
        Ok(Err(violation)) => panic!("{violation}"),
        Err(panic) => resume_unwind(panic),
    }
}

/// Fails with a sentence unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($found:tt)+) => {
        if !$condition {
            return Err($crate::rule::Broken::Because(format!($($found)+)));
        }
    };
}
pub(crate) use ensure;

/// A failure of the kit's own doing, such as a port that cannot be bound.
pub(crate) fn broken(found: impl Display) -> Broken {
    Broken::Because(found.to_string())
}

/// The one list of rules: the constant, and the macro that makes a test of each.
macro_rules! rules {
    (($d:tt) $($room:ident::$name:ident: $sentence:literal,)+) => {
        /// Every rule, in the order in which they are best mended.
        pub const RULES: &[Rule] = &[$(Rule {
            name: stringify!($name),
            sentence: $sentence,
            verdict: |profile| Box::pin($room::$name(profile)),
        }),+];

        /// One test for each of [`RULES`], of the sink that the [`Profile`] describes.
        #[macro_export]
        macro_rules! conformance {
            ($d profile:expr) => {
                $(
                    #[test]
                    fn $name() {
                        $d crate::enforce(stringify!($name), &$d profile);
                    }
                )+
            };
        }
    };
}

rules! { ($)
    descriptor::plugin_is_announced:
        "The crate announces itself by `inventory::submit!` of a `SinkPlugin` of the profile's kind, and the test uses the crate.",
    descriptor::descriptor_is_sane:
        "Kind, platform and variables are one name in three spellings, and the batch limits leave room for a batch.",
    descriptor::docs_are_linked:
        "The descriptor links the platform's own documentation, and the crate's README.md repeats the link.",
    settings::example_is_read:
        "The descriptor's example is read as it stands, and names every setting that a variable gives, and the variable.",
    settings::settings_are_taken:
        "The profile's settings make a sink that maps TRIAL_BOOKED, and hold every credential and every secret.",
    settings::unknown_settings_are_named:
        "An unknown setting is an error that names it and the nearest known one; a value of a wrong type one that names its path.",
    settings::variables_give_settings:
        "Every variable of the descriptor gives a setting that there is.",
    settings::secrets_are_not_printed:
        "No secret stands in what Debug prints of the sink, its request and errors: settings that hold one are of type Secret.",
    prepare::booking_is_prepared:
        "A booking of which everything is known becomes a payload, and `compose` puts it into a request as it is.",
    prepare::prepare_is_pure:
        "The same subject, settings and time give the same bytes, in this sink and in another of the same settings.",
    prepare::prepare_never_panics:
        "No event makes `prepare` or `compose` panic, whatever stands in its fields.",
    prepare::items_are_json:
        "What is made of any event is JSON in which no name stands twice, in the item and in the request.",
    prepare::conversion_id_is_on_the_wire:
        "The event's `conversion_id()` stands, behind the profile's prefix, where the platform looks for its dedup key.",
    prepare::dedup_key_is_stable:
        "The dedup key depends on the conversion id and on what the event is mapped to: not on time, tries or the event's name.",
    prepare::dedup_target_makes_the_key:
        "`dedup_target` states what the key is made of beside the conversion id, and nothing for a name that is not sent.",
    skips::missing_credentials_are_skipped:
        "Missing credentials are no error of the settings: `prepare` skips with the sentence of `SinkContext::missing`.",
    skips::unmapped_events_are_skipped:
        "An event whose name is mapped to nothing, or to an empty value, is skipped with `Skip::no_event_mapping`.",
    skips::screened_events_are_skipped:
        "What `Subject::screen` holds back is skipped for that reason.",
    skips::unidentified_events_are_skipped:
        "An event that the platform could match nobody by is skipped with `Skip::no_identifiers`.",
    skips::skips_come_in_order:
        "The checks come in this order: credentials, mapping, screen, identifiers.",
    snapshots::fixtures_are_skipped_for_their_reason:
        "Of the shared events those are skipped that the profile lists, each for the reason that it gives.",
    snapshots::payloads_match_snapshots:
        "The payload of each shared event is the one in `tests/snapshots`: read what differs, then write it anew with INSTA_UPDATE=always.",
    personal::personal_data_is_not_sent_raw:
        "E-mail, phone, names and street never stand in a payload as they were given, nor in what an address repeats of them.",
    batches::batch_is_one_request:
        "A batch is one POST of the bytes that `compose` made, recorded once, and all that the platform takes is delivered.",
    batches::neighbours_stay_unseen:
        "The request marks where each item stands, so that a delivery is shown its own; `own_reply` reads any text.",
    batches::outcomes_keep_their_order:
        "Each item has one outcome, in order, where one of them is refused; an atomic platform's refusal delivers none.",
    batches::test_mode_is_on_the_wire:
        "The setting that the descriptor names as test mode is seen in the request, or refused where the platform has none.",
    personal::secrets_and_persons_are_not_spoken_of:
        "Logs, failures and recorded exchanges hold neither personal data nor a secret, whatever the platform answers.",
    answers::refused_credentials_hold:
        "HTTP 401 and 403 are `Unauthorized`.",
    answers::rate_limits_pause:
        "HTTP 429 is `RateLimited`, with the wait that `Retry-After` names.",
    answers::server_errors_are_unavailable:
        "HTTP 5xx is `Unavailable`, with the wait that `Retry-After` names.",
    answers::refused_connections_are_unreachable:
        "Where nobody listens nothing was sent: `Unreachable`.",
    answers::cut_replies_are_interrupted:
        "An answer that breaks off, or never begins, leaves the items perhaps received: `Interrupted`.",
    answers::silence_is_interrupted:
        "A platform that takes the request and stays silent is given up at the time limit: `Interrupted`.",
    answers::html_is_judged_by_status:
        "A web page is no verdict: with HTTP 200 it is `Interrupted`, else the status decides.",
    answers::unreadable_success_is_interrupted:
        "HTTP 200 with a body that cannot be read delivers nothing: `Interrupted`.",
    answers::recorded_codes_have_their_class:
        "Each answer that the profile records has the class and the code that it states.",
    answers::nothing_is_retried:
        "`send` makes one request, and a second one only after renewing a refused token.",
    tokens::one_token_serves_all:
        "However many sends run at once, one token is asked for, and one more when it is refused; none where the platform has none.",
    batches::dropped_send_leaves_the_sink_usable:
        "A `send` that is dropped midway costs the next one nothing.",
    check::check_tells_good_bad_and_unreachable:
        "`check` passes with good credentials, and tells refused and missing ones from a platform that cannot be reached.",
}
