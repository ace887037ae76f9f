//! What every store must do: one test for each rule, the same for every database.
//!
//! A database joins by implementing [`Backend`] and saying `conformance!(ItsBackend);`. Rules that only one database can
//! keep, such as those of its files, stand beside that line.

pub(crate) mod account;
pub(crate) mod appointments;
pub(crate) mod atomic;
pub(crate) mod attributions;
pub(crate) mod batches;
pub(crate) mod fixture;
pub(crate) mod holds;
pub(crate) mod ingest;
pub(crate) mod leases;
pub(crate) mod model;
pub(crate) mod notices;
pub(crate) mod queue;
pub(crate) mod reading;
pub(crate) mod replays;
pub(crate) mod results;
pub(crate) mod retries;
pub(crate) mod targets;
pub(crate) mod verdicts;

use std::sync::Arc;

use conversion_store::{SinkId, Store};

/// One empty database. `Default` makes it, dropping removes it.
pub(crate) trait Backend: Default {
    /// Opens the store on it.
    fn open(&self) -> Arc<dyn Store>;

    /// From now on the database fails at each such row of this sink, whatever was written before it in the same
    /// transaction. By a trigger, say.
    fn refuse(&self, rows: Rows, sink: SinkId);

    /// It takes them again.
    fn relent(&self);
}

/// What a transaction writes, in this order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rows {
    /// A delivery that is new.
    Deliveries,
    /// An attempt.
    Attempts,
    /// A counter that is new or moves.
    Counters,
}

/// One `#[test]` for each rule.
#[macro_export]
macro_rules! conformance {
    ($backend:ty) => {
        $crate::conformance!($backend:
            ingest::a_repeated_event_is_a_duplicate_and_changes_nothing,
            ingest::a_duplicate_within_one_call_is_seen,
            ingest::a_mistaken_event_does_not_cost_its_group,
            ingest::an_event_comes_with_all_its_deliveries,
            ingest::a_test_event_may_repeat_and_is_not_counted,
            ingest::an_event_without_sinks_is_kept,
            ingest::however_often_and_at_once_it_is_told_an_event_is_kept_once,
            atomic::events_and_deliveries_are_all_kept_or_none_is,
            atomic::a_booking_and_its_event_are_both_kept_or_neither_is,
            atomic::results_are_all_written_or_none_is,
            atomic::a_retry_moves_row_and_counters_or_neither,
            leases::what_is_due_first_is_leased_first_and_nothing_early,
            leases::leases_are_disjoint_under_concurrency,
            leases::what_comes_and_goes_meanwhile_is_leased_once,
            leases::a_lease_carries_what_a_worker_needs,
            leases::a_lost_runs_leases_are_due_again_and_uncertain,
            leases::a_lapsed_runs_leases_are_taken_over,
            leases::a_renewed_run_keeps_its_leases,
            leases::the_next_due_time_is_of_free_deliveries,
            leases::what_waits_is_put_back_with_the_clock,
            targets::a_lost_lease_has_the_key_that_it_bore,
            targets::a_key_that_is_known_stays_however_often_the_target_changes,
            targets::what_was_leased_since_bears_the_later_key,
            targets::a_start_that_is_cut_off_costs_no_key,
            targets::a_sink_that_comes_back_finds_the_keys_of_before,
            targets::what_is_taken_over_has_the_key_that_it_bore,
            results::a_result_ends_the_lease_and_is_kept,
            results::a_stale_result_is_refused_but_its_exchange_is_kept,
            results::a_result_can_come_in_parts,
            results::a_delivery_reads_its_own_item_of_a_shared_exchange,
            results::an_exchange_reads_back_as_it_was,
            results::uncertainty_is_kept_until_it_is_resolved,
            holds::a_hold_outlives_the_process,
            holds::a_hold_replaces_the_one_of_its_scope,
            holds::what_was_parked_is_due_after_resuming,
            holds::a_great_deal_that_was_parked_is_released_in_parts,
            holds::resuming_one_event_name_leaves_the_others,
            holds::changed_settings_are_noticed,
            retries::each_state_is_retried_as_it_should,
            retries::a_retry_starts_afresh_but_forgets_no_uncertainty,
            replays::each_selector_selects,
            replays::a_walk_finds_each_once_in_the_order_of_acceptance,
            replays::what_has_changed_since_it_was_read_is_left,
            replays::both_lives_of_a_replayed_delivery_are_kept,
            replays::so_many_are_due_in_each_second_and_no_more,
            replays::a_replay_is_due_behind_the_one_before,
            replays::a_replay_fixes_the_driver_anew,
            reading::related_deliveries_of_a_conversion_are_found,
            reading::each_filter_filters,
            reading::a_list_goes_on_where_it_stopped,
            reading::an_event_is_read_with_its_deliveries,
            reading::reopening_keeps_everything,
            batches::each_filter_of_events_filters,
            batches::a_list_of_events_goes_on_where_it_stopped,
            batches::a_busy_appointment_leaves_room_for_others,
            batches::what_was_accepted_since_is_told_whatever_the_clock_did,
            batches::attempts_are_read_where_they_are_asked_for,
            batches::deliveries_of_events_come_with_their_last_attempts,
            attributions::the_first_write_of_a_click_id_wins,
            attributions::visits_of_one_call_are_joined_in_order,
            attributions::the_oldest_attributions_are_forgotten_first,
            notices::a_notice_is_due_at_once_unless_it_leads_to_nothing,
            notices::only_pending_notices_change,
            notices::each_notice_is_retried_as_it_should,
            notices::a_pending_notice_stands_for_what_says_the_same,
            notices::notices_are_listed_and_counted,
            appointments::a_booking_is_written_with_its_event_and_deliveries,
            appointments::of_two_writes_from_the_same_state_the_second_is_stale,
            appointments::an_appointment_changes_its_source_where_that_was_known,
            appointments::a_booking_whose_event_is_known_is_written_all_the_same,
            appointments::what_is_known_is_told_in_the_order_asked,
            appointments::an_event_makes_its_appointment_and_later_ones_add_to_it,
            appointments::what_a_booking_system_tells_wins_over_events,
            appointments::appointments_are_listed_the_latest_made_first,
            queue::no_delivery_is_driven_by_both,
            queue::what_the_queue_is_to_have_is_told_the_longest_due_first,
            queue::publishing_twice_does_no_harm,
            queue::of_many_calls_at_once_one_has_the_lease,
            queue::publishing_puts_off_only_what_stands_as_it_was_read,
            queue::a_taken_delivery_is_leased_and_settled_as_any_other,
            queue::a_lost_run_leaves_its_deliveries_to_the_queue,
            queue::what_is_left_to_the_queue_is_checked_later,
            queue::what_the_queue_gives_up_has_failed,
            queue::a_retry_fixes_the_driver_anew,
            queue::what_was_handed_over_before_a_retry_no_longer_speaks,
            queue::of_two_tickets_the_later_speaks,
            queue::resuming_releases_what_the_queue_drives_too,
            queue::a_store_is_told_from_every_other,
            verdicts::what_is_delivered_under_a_receipt_awaits_its_verdict,
            verdicts::each_verdict_is_written,
            verdicts::a_receipt_outlives_the_process,
            verdicts::what_was_taken_is_due_again_only_later,
            verdicts::a_verdict_that_nobody_awaits_changes_nothing,
            verdicts::what_was_refused_later_can_be_sent_again,
            account::a_store_is_ready,
            account::every_event_is_accounted_for_whatever_happens,
        );
    };
    ($backend:ty: $($module:ident :: $rule:ident),* $(,)?) => {
        $(#[test]
        fn $rule() {
            let backend = <$backend as ::std::default::Default>::default();
            conformance::fixture::block_on(conformance::$module::$rule(&backend));
        })*
    };
}
