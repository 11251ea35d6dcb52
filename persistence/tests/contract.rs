//! One contract for every store. A new backend implements `Backend` and adds one line at the end of this file.

#![allow(clippy::unwrap_used, reason = "a failed expectation ends the test")]

#[path = "contract/accounts.rs"]
mod accounts;
#[path = "contract/backend.rs"]
mod backend;
#[path = "contract/budget.rs"]
mod budget;
#[path = "contract/catalogue.rs"]
mod catalogue;
#[path = "contract/folder.rs"]
mod folder;
#[path = "contract/history.rs"]
mod history;
#[path = "contract/journal.rs"]
mod journal;
#[path = "contract/loading.rs"]
mod loading;
#[path = "contract/nodes.rs"]
mod nodes;
#[path = "contract/operators.rs"]
mod operators;
#[path = "contract/owners.rs"]
mod owners;
#[path = "contract/read_models.rs"]
mod read_models;
#[path = "contract/scanning.rs"]
mod scanning;
#[path = "contract/support.rs"]
mod support;
#[path = "contract/text_keys.rs"]
mod text_keys;
#[path = "contract/uptime.rs"]
mod uptime;

/// Runs each case against one backend.
macro_rules! contract {
    ($name:ident, $backend:ty, { $($group:ident: $($case:ident),+ $(,)?;)+ }) => {
        mod $name {
            $($(
                #[tokio::test]
                async fn $case() {
                    let backend = <$backend as $crate::backend::Backend>::create().await;
                    $crate::$group::$case(backend).await;
                }
            )+)+
        }
    };
}

/// The cases; every backend gets all of them.
macro_rules! every_case {
    ($name:ident, $backend:ty) => {
        contract!($name, $backend, {
            journal: a_claim_makes_the_hero_and_raises_the_epoch, the_last_of_many_claims_wins,
                a_stale_epoch_is_fenced_and_nothing_is_stored, a_gap_is_refused, a_resend_is_already_durable,
                other_content_at_the_same_place_is_a_conflict, an_overlap_is_a_conflict, an_unknown_hero_is_fenced,
                a_wrong_chain_is_broken, a_malformed_batch_is_broken, a_repeated_command_is_poison,
                a_released_hero_is_nobodys, a_quarantined_hero_is_locked, a_large_batch_over_many_heroes,
                events_and_heroes_come_in_pages, the_reader_version_rises, checks_and_probes_pass,
                an_abandoned_append_leaves_the_store_usable;
            nodes: a_hero_of_a_living_node_is_asked_for, an_owner_claims_its_own_hero_again,
                a_node_that_left_holds_nothing, a_node_of_the_same_name_takes_over, heads_come_together,
                the_socket_opened_last_speaks_for_its_stream;
            loading: a_new_hero_loads_empty, a_hot_snapshot_is_used_when_it_fits_and_never_believed, a_hero_loads_from_snapshot_and_tail, a_stale_snapshot_is_refused,
                a_snapshot_may_follow_the_release, the_last_three_snapshots_are_kept,
                a_damaged_snapshot_falls_back_to_the_older, damaged_snapshots_fall_back_to_all_events, a_damaged_event_is_corrupt,
                a_lost_event_is_corrupt, damage_below_the_snapshot_does_not_stop_a_load,
                a_stale_claim_loads_its_own_past, reopening_keeps_everything;
            scanning: a_clean_history_has_no_findings, a_flipped_byte_is_found, a_lost_event_is_found,
                a_lost_last_event_is_found, a_damaged_snapshot_is_found, a_broken_stream_is_found,
                what_the_fold_says_is_found, an_unknown_hero_is_not_scanned;
            accounts: a_guest_is_found_by_its_token, a_guest_can_be_claimed, taken_ids_are_refused,
                a_touch_moves_only_forward, devices_come_oldest_first;
            owners: an_account_is_found_by_every_key, nothing_is_taken_twice,
                of_many_accounts_with_one_mail_one_is_made, a_guest_becomes_an_account_with_its_devices,
                every_part_of_an_account_changes_alone, a_refresh_token_is_good_once_and_for_the_grace,
                a_refresh_token_ends, many_uses_of_one_token_at_once_are_one_family,
                revoked_devices_are_listed_for_other_nodes, the_device_not_seen_for_longest_makes_room,
                a_code_is_good_once, a_union_is_decided_once, a_hero_goes_one_way_only,
                an_account_is_erased_when_it_is_due, guests_that_nobody_uses_are_forgotten,
                guests_that_nobody_can_reach_are_found,
                what_happened_is_listed_newest_first, the_first_lookup_key_stays;
            support: heroes_are_seen_once_the_last_first, a_banned_guest_is_kept_and_comes_back,
                only_guests_are_banned_as_guests, a_banned_guest_can_be_erased, wishes_to_close_are_heard_by_all,
                a_node_has_a_name_while_it_is_there;
            operators: an_invitation_makes_an_operator_once, a_later_invitation_voids_the_earlier_one,
                an_invitation_replaces_what_an_operator_has_lost, an_operator_is_changed_and_an_owner_stays,
                two_owners_do_not_take_each_other_the_role, a_code_is_used_once, the_audit_log_is_one_line,
                rows_are_shown_with_their_outcomes, a_wish_is_decided_once;
            text_keys: the_first_key_of_a_hero_stays, an_erased_owners_texts_are_forgotten,
                an_erased_guests_texts_are_forgotten;
            uptime: the_last_beat_is_kept, a_beat_may_go_back, outages_are_kept_in_order, an_outage_grows,
                an_outage_without_length_is_refused, the_newest_outages_are_listed;
            catalogue: nothing_is_published_at_first, a_version_is_kept_once, a_switch_compares_what_was_seen,
                of_many_switches_one_happens, what_was_never_in_force_makes_room, versions_that_were_in_force_stay,
                what_is_too_long_is_refused, the_banner_is_replaced_and_taken_back, the_store_says_how_it_is;
            budget: the_last_budget_counts, the_time_of_all_servers_adds_up, of_many_servers_one_tells,
                a_claim_of_the_dead_is_lost;
            read_models: rows_are_read_as_they_were_written, a_later_row_replaces_and_keeps_what_it_does_not_know,
                a_position_is_compared_and_swapped, of_two_followers_one_writes, malformed_writes_are_refused,
                pages_are_cut_newest_first, heroes_that_are_behind_are_found,
                a_reset_begins_again_and_touches_nobody_else, totals_count_what_was_since;
        });
    };
}

every_case!(memory, crate::backend::Memory);
every_case!(sqlite, crate::backend::Sqlite);
every_case!(postgres, crate::backend::Postgres);
