//! What every engine must do, written once: `contract_suite!` runs all of it on the stores that a function makes.

pub(crate) mod audit;
pub(crate) mod codes;
pub(crate) mod completion;
pub(crate) mod grants;
pub(crate) mod history;
pub(crate) mod link_tokens;
pub(crate) mod listing;
pub(crate) mod raw;
pub(crate) mod removals;
pub(crate) mod token_index;

/// Makes one test per check for the engine whose stores `$make` opens: `async fn() -> (Store, guard)`. An attribute of each
/// test may stand in front.
macro_rules! contract_suite {
    ($attribute:tt $make:path: $($topic:ident { $($check:ident,)* })*) => {$(
        mod $topic {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                #$attribute
                async fn $check() {
                    let (store, _guard) = $make().await;
                    crate::contract::$topic::$check(&store).await;
                    store.close().await;
                }
            )*
        }
    )*};
    ($make:path) => {
        contract_suite! { [cfg(test)] $make }
    };
    ($attribute:tt $make:path) => {
        contract_suite! { $attribute $make:
            completion {
                an_authorization_reads_back_as_it_was_opened,
                an_authorization_is_stored_once_and_gets_a_bounded_number_of_link_tokens,
                an_expired_authorization_is_not_stored,
                an_expired_authorization_that_is_not_stored_cannot_be_cancelled,
                cancelled_before_it_was_stored_it_cannot_be_started,
                completing_stores_connection_public_token_and_code,
                a_repeat_is_answered_alike_and_stores_nothing,
                another_public_token_finds_it_not_open,
                from_its_last_moment_on_it_is_not_open,
                an_unknown_authorization_is_not_found,
                a_public_token_belongs_to_who_brought_it_first,
                of_many_completions_at_once_one_stores,
                of_two_owners_at_once_one_has_the_public_token,
                cancelling_is_final_and_repeatable,
                a_repeat_makes_an_unredeemed_code_good_again,
                what_is_completed_cannot_be_cancelled,
                of_cancel_and_complete_one_wins,
                a_caller_that_goes_away_undoes_nothing,
            }
            codes {
                a_code_is_redeemed_once_and_the_second_learns_of_the_grant,
                the_same_redemption_again_has_won_still,
                of_64_redemptions_at_once_one_wins,
                a_code_is_good_until_its_last_moment,
                only_completed_oauth_authorizations_are_redeemable,
                redemptions_of_many_codes_do_not_mix,
                a_refused_redemption_leaves_no_grant,
                the_code_of_a_removed_connection_is_not_redeemable,
            }
            link_tokens {
                a_returned_link_token_can_be_made_again_and_the_first_one_stays_counted,
            }
            raw {
                a_raw_public_token_is_exchanged_once,
                of_many_raw_exchanges_at_once_one_stores,
                raw_and_browser_do_not_share_a_public_token,
                tokens_of_the_store_belong_to_its_rows,
            }
            grants {
                of_many_rotations_at_once_one_wins,
                an_ended_or_unknown_grant_does_not_rotate,
                ending_a_grant_alone_keeps_the_connection,
                ending_the_last_grant_queues_the_removal_once,
            }
            token_index {
                an_access_token_names_the_grants_that_it_opens,
            }
            removals {
                abandoning_takes_what_was_completed_before_that_moment,
                abandoning_spares_what_others_still_use,
                of_redeem_and_abandon_one_wins,
                a_removal_is_leased_when_due_in_order_and_for_its_time,
                abandoning_takes_a_bounded_number,
                a_finished_removal_is_gone_and_the_connection_stays_removed,
                a_session_that_ended_gives_its_connection_up,
                what_nobody_wants_is_stored_to_be_removed,
                what_is_stored_already_is_not_discarded,
                purging_forgets_what_came_to_nothing,
                purging_takes_a_bounded_number,
                purging_keeps_public_tokens_of_living_connections,
                the_check_passes_and_leaves_no_trace,
                a_closed_store_refuses,
            }
            audit {
                each_change_writes_its_row_with_who_and_what,
                what_changes_nothing_writes_nothing,
                an_item_that_stays_is_not_logged_as_removed,
                what_is_given_up_is_told_with_its_connection,
                a_batch_is_read_back_with_its_counts,
                the_log_is_read_newest_first_by_time_client_and_page,
                old_rows_are_forgotten_and_that_is_told,
            }
            listing {
                connections_are_listed_newest_first_by_page,
                a_summary_tells_all_but_the_token,
                connections_are_found_by_client_item_and_state,
                one_connection_is_ended_with_its_grants,
                ending_a_client_spares_what_others_use,
                a_connection_of_two_clients_outlives_one,
                the_kill_switch_ends_everything,
                ending_goes_in_bounded_steps_and_is_resumed_by_beginning_again,
                ending_a_client_passes_over_the_others_step_by_step,
                counts_count,
                allowed_callbacks_are_kept_once_and_told,
            }
            history {
                any_history_goes_as_the_model_says,
            }
        }
    };
}
pub(crate) use contract_suite;
