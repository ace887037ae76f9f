//! For each rule the sinks that break it. What else they break does not matter here, but that the rule says so does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use conformance_kit::RULES;

use crate::specimen::{Defect, Face, Specimen};

/// Each rule, the defects that break it, and the platform at which they show.
#[rustfmt::skip]
const BROKEN_BY: &[(&str, Face, &[Defect])] = &[
    ("plugin_is_announced", Face::TOKENS, &[Defect::NotAnnounced]),
    ("descriptor_is_sane", Face::TOKENS, &[Defect::PlatformMisnamed, Defect::BatchOfNone]),
    ("docs_are_linked", Face::TOKENS, &[Defect::DocsUnlinked]),
    ("example_is_read", Face::TOKENS, &[Defect::ExampleRefused, Defect::ExampleShort]),
    ("settings_are_taken", Face::TOKENS, &[Defect::NothingMapped, Defect::SettingsRefused]),
    ("unknown_settings_are_named", Face::TOKENS, &[Defect::UnknownIgnored, Defect::ErrorNamesNothing]),
    ("variables_give_settings", Face::TOKENS, &[Defect::VariableOfNothing]),
    ("secrets_are_not_printed", Face::TOKENS, &[Defect::SecretPrinted]),
    ("booking_is_prepared", Face::TOKENS, &[Defect::BookingSkipped, Defect::ItemRewritten]),
    ("prepare_is_pure", Face::TOKENS, &[Defect::Counting]),
    ("prepare_never_panics", Face::TOKENS, &[Defect::Panics]),
    ("items_are_json", Face::TOKENS, &[Defect::NamesTwice]),
    ("conversion_id_is_on_the_wire", Face::TOKENS, &[Defect::OwnIdSent]),
    ("dedup_key_is_stable", Face::TOKENS, &[Defect::KeyMissing, Defect::KeyOfName, Defect::KeyOfTime, Defect::KeyOfAll]),
    ("dedup_target_makes_the_key", Face::TOKENS, &[Defect::TargetUnstated, Defect::TargetOfUnmapped]),
    ("missing_credentials_are_skipped", Face::TOKENS, &[Defect::MissingCredentialsRefused, Defect::MissingCredentialsSent, Defect::MissingOutOfOrder]),
    ("unmapped_events_are_skipped", Face::TOKENS, &[Defect::UnmappedSent, Defect::BlankTargetSent]),
    ("screened_events_are_skipped", Face::TOKENS, &[Defect::ScreenIgnored]),
    ("unidentified_events_are_skipped", Face::TOKENS, &[Defect::NobodySent]),
    ("skips_come_in_order", Face::TOKENS, &[Defect::IdentifiersFirst, Defect::ScreenFirst]),
    ("fixtures_are_skipped_for_their_reason", Face::TOKENS, &[Defect::ValueWanted]),
    ("payloads_match_snapshots", Face::TOKENS, &[Defect::FieldAdded]),
    ("personal_data_is_not_sent_raw", Face::TOKENS, &[Defect::EmailRaw, Defect::AddressRaw]),
    ("batch_is_one_request", Face::TOKENS, &[Defect::SentSingly]),
    ("neighbours_stay_unseen", Face::TOKENS, &[Defect::ItemsUnmarked, Defect::OwnReplyPanics]),
    ("outcomes_keep_their_order", Face::TOKENS, &[Defect::OutcomesReversed]),
    ("outcomes_keep_their_order", Face::ATOMIC, &[Defect::AtomicDelivered, Defect::BlameAll]),
    ("test_mode_is_on_the_wire", Face::TOKENS, &[Defect::TestModeUnseen, Defect::TestModeTaken, Defect::TestModeNotInUrl]),
    ("secrets_and_persons_are_not_spoken_of", Face::TOKENS, &[Defect::PersonLogged, Defect::SecretLogged, Defect::SecretInFailure]),
    ("secrets_and_persons_are_not_spoken_of", Face::ATOMIC, &[Defect::SecretRecorded]),
    ("refused_credentials_hold", Face::TOKENS, &[Defect::RefusalsFinal]),
    ("rate_limits_pause", Face::TOKENS, &[Defect::LimitsFinal, Defect::WaitForgotten]),
    ("server_errors_are_unavailable", Face::TOKENS, &[Defect::ServerErrorsFinal]),
    ("refused_connections_are_unreachable", Face::TOKENS, &[Defect::UnreachableMistaken]),
    ("cut_replies_are_interrupted", Face::TOKENS, &[Defect::CutMistaken, Defect::TokenFailureInterrupted]),
    ("silence_is_interrupted", Face::TOKENS, &[Defect::SilenceMistaken]),
    ("html_is_judged_by_status", Face::TOKENS, &[Defect::StatusBelieved, Defect::PagesFinal]),
    ("unreadable_success_is_interrupted", Face::TOKENS, &[Defect::RubbishBelieved]),
    ("recorded_codes_have_their_class", Face::TOKENS, &[Defect::CodesUnread, Defect::CodesUntold]),
    ("nothing_is_retried", Face::TOKENS, &[Defect::Retries]),
    ("one_token_serves_all", Face::TOKENS, &[Defect::TokenForEach, Defect::TokenRenewedByEach]),
    ("one_token_serves_all", Face::ATOMIC, &[Defect::TokenForNothing]),
    ("dropped_send_leaves_the_sink_usable", Face::TOKENS, &[Defect::BusyForEver]),
    ("check_tells_good_bad_and_unreachable", Face::TOKENS, &[Defect::CheckBlind, Defect::CheckMistaken, Defect::CheckWithoutCredentials]),
];

#[test]
fn every_rule_is_broken_by_a_defect_and_every_defect_breaks_a_rule() {
    let rules: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    let broken: BTreeSet<&str> = BROKEN_BY.iter().map(|(rule, ..)| *rule).collect();
    assert_eq!(broken, rules);
    let tried: Vec<Defect> = BROKEN_BY.iter().flat_map(|(.., defects)| *defects).copied().collect();
    for defect in Defect::ALL {
        assert!(tried.contains(defect), "{defect:?}");
    }
}

#[tokio::test]
async fn each_rule_finds_its_defects_and_is_named() {
    for (name, face, defects) in BROKEN_BY {
        let rule = RULES.iter().find(|rule| rule.name == *name).unwrap();
        for defect in *defects {
            // A payload that changed is written beside the snapshots; with INSTA_UPDATE=always in their place, and then
            // FieldAdded is not found.
            let folder = tempfile::tempdir().unwrap();
            let specimen = Specimen::with(*face, *defect);
            copy(Path::new(&specimen.folder), folder.path());
            let specimen = Specimen { folder: folder.path().to_str().unwrap().to_owned(), ..specimen };
            let violation =
                rule.verify(&specimen).await.expect_err(&format!("{name} does not find {defect:?}"));
            assert_eq!(violation.rule, *name, "{defect:?}");
            assert!(violation.to_string().starts_with(&format!("{name}: ")), "{violation}");
            assert!(!violation.found.starts_with("not tried"), "{name}, {defect:?}: {}", violation.found);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
