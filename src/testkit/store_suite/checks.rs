//! The list of checks, each under the line of the contract that it asks for.

use futures::FutureExt as _;

use super::{
    Check, StoreLine, commits, lasting, leases, lists, locks, model, parts, races, refusals,
    tenants,
};

macro_rules! checks {
    ($($line:ident: $check:path,)*) => {
        /// All of them, in the order of the contract.
        pub(super) const ALL: &[(StoreLine, &str, Check)] = &[
            $((StoreLine::$line, stringify!($check), |trial| $check(trial).boxed()),)*
        ];
    };
}

checks! {
    Create: commits::create_stores_all_of_it,
    Create: commits::create_never_overwrites,
    Create: races::one_create_of_an_id_wins,
    Tenants: tenants::the_same_id_twice_is_two_requests,
    Tenants: tenants::nothing_is_changed_under_another_controller,
    Tenants: tenants::indexes_are_separate,
    Tenants: tenants::locks_are_separate,
    Whole: commits::a_commit_replaces_and_adds,
    Whole: commits::a_failed_commit_leaves_everything,
    Whole: commits::a_failed_create_leaves_nothing,
    Version: commits::every_commit_adds_one,
    Version: commits::another_version_is_a_conflict,
    Version: races::one_commit_of_a_version_wins,
    Fence: leases::the_newest_fence_writes,
    Fence: leases::an_older_fence_is_refused,
    Fence: leases::a_fence_given_back_is_refused,
    Fence: leases::a_fence_never_given_is_refused,
    Fence: leases::a_lease_that_ran_out_still_writes,
    Form: refusals::sequences_have_no_gaps,
    Form: refusals::large_events_are_refused,
    Form: refusals::create_begins_a_request,
    Form: refusals::only_create_names_people_and_parts,
    Form: refusals::large_chunks_and_bad_names_are_refused,
    Precedence: refusals::the_first_error_is_told,
    History: commits::history_is_paged,
    History: commits::history_keeps_bytes,
    Claim: leases::claim_is_inclusive_ordered_and_limited,
    Claim: leases::a_lease_excludes_until_it_ends,
    Claim: leases::fences_grow,
    Claim: leases::a_new_request_of_an_old_id_gets_a_larger_fence,
    Claim: leases::one_that_ran_out_queues_behind,
    Claim: leases::closed_requests_wake_too,
    Claim: leases::commits_move_the_wake,
    Claim: races::each_request_is_claimed_once,
    Lease: leases::renew_moves_the_end,
    Lease: leases::only_the_holder_renews,
    Lease: leases::release_frees_at_once,
    Lease: leases::release_of_a_lost_lease_leaves_the_new_one,
    Lease: leases::commits_leave_the_lease,
    Wake: leases::next_wake_is_when_claim_finds,
    Due: lists::due_is_exclusive_ordered_and_limited,
    Due: lists::closed_requests_are_not_due,
    Find: lists::find_is_in_order_of_creation,
    Find: lists::closed_requests_are_not_found,
    Open: lists::open_is_paged_in_order_of_ids,
    Marked: lists::marked_is_paged_in_order_of_ids,
    Count: lists::counts_are_those_of_the_lists,
    Parts: parts::chunks_replace,
    Parts: parts::parts_are_deleted,
    Parts: parts::parts_belong_to_a_request,
    Parts: parts::a_lost_lease_writes_no_parts,
    Locks: locks::shared_and_exclusive,
    Locks: locks::a_request_never_blocks_itself,
    Locks: locks::release_frees_only_ones_own,
    Locks: locks::locks_outlive_leases_and_closing,
    Locks: locks::delete_frees_locks,
    Locks: races::one_writer_gets_a_lock,
    Delete: lasting::delete_leaves_nothing,
    Delete: lasting::delete_is_guarded,
    Delete: lasting::a_request_can_be_created_again,
    Instants: lasting::microseconds_are_kept,
    Instants: lasting::far_instants_are_kept,
    Durable: lasting::everything_is_there_again,
    Model: model::any_row_of_calls,
}
