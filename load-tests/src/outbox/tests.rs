use protocol::client::Command;
use protocol::server::{CommandResult, Rejected};

use super::{Answered, Outbox};

fn outbox_with(count: usize) -> Outbox {
    let mut outbox = Outbox::default();
    for entry in 0..count {
        outbox.push(entry, Command::AutoPatch);
    }
    outbox
}

fn numbers(outbox: &mut Outbox) -> Vec<(usize, u64)> {
    outbox.take_outgoing().into_iter().map(|outgoing| (outgoing.entry, outgoing.frame.cmd_seq)).collect()
}

fn done(outbox: &mut Outbox, cmd_seq: u64) -> Answered {
    outbox.on_done(&CommandResult { cmd_seq, seq: cmd_seq * 10, created_id: None })
}

fn rejected(outbox: &mut Outbox, cmd_seq: u64, code: &str) -> Answered {
    outbox.on_rejected(&Rejected {
        cmd_seq: Some(cmd_seq),
        code: code.to_owned(),
        hint: String::new(),
        retry_after_ms: None,
    })
}

#[test]
fn numbers_are_given_once_and_in_order() {
    let mut outbox = outbox_with(3);
    assert_eq!(numbers(&mut outbox), [(0, 1), (1, 2), (2, 3)]);
    assert_eq!(numbers(&mut outbox), []);
    assert_eq!(done(&mut outbox, 1), Answered::Done(0));
    assert_eq!(outbox.applied(), 1);
    assert_eq!(done(&mut outbox, 1), Answered::Unasked);
}

#[test]
fn after_a_refusal_later_commands_wait_for_their_answers_and_then_move_up() {
    let mut outbox = outbox_with(3);
    numbers(&mut outbox);
    assert_eq!(rejected(&mut outbox, 1, "too_expensive"), Answered::Refused(0));
    assert_eq!(numbers(&mut outbox), [], "numbers 2 and 3 are still on their way");
    assert_eq!(rejected(&mut outbox, 2, "out_of_order"), Answered::Again(1));
    assert_eq!(rejected(&mut outbox, 3, "out_of_order"), Answered::Again(2));
    assert_eq!(numbers(&mut outbox), [(1, 1), (2, 2)]);
}

#[test]
fn a_success_before_the_refused_one_keeps_its_number() {
    let mut outbox = outbox_with(3);
    numbers(&mut outbox);
    rejected(&mut outbox, 2, "too_expensive");
    rejected(&mut outbox, 3, "out_of_order");
    assert_eq!(numbers(&mut outbox), [], "number 1 is not answered");
    done(&mut outbox, 1);
    assert_eq!(numbers(&mut outbox), [(2, 2)]);
}

#[test]
fn after_a_reconnect_everything_unanswered_is_repeated_with_its_old_number() {
    let mut outbox = outbox_with(3);
    numbers(&mut outbox);
    done(&mut outbox, 1);
    outbox.on_welcome(2);
    assert_eq!(numbers(&mut outbox), [(1, 2), (2, 3)], "2 is applied: repeating it brings its answer");
    assert_eq!(done(&mut outbox, 2), Answered::Done(1));
    outbox.push(9, Command::AutoPatch);
    assert_eq!(numbers(&mut outbox), [(9, 4)]);
}

#[test]
fn a_reconnect_in_the_middle_of_a_refusal_loses_nothing() {
    let mut outbox = outbox_with(3);
    numbers(&mut outbox);
    rejected(&mut outbox, 1, "too_expensive");
    outbox.on_welcome(0);
    assert_eq!(numbers(&mut outbox), [(1, 1), (2, 2)]);
}

#[test]
fn a_server_that_forgot_starts_the_stream_over() {
    let mut outbox = outbox_with(2);
    numbers(&mut outbox);
    done(&mut outbox, 1);
    assert_eq!(outbox.forget(0), [1]);
    outbox.push(7, Command::AutoPatch);
    assert_eq!(numbers(&mut outbox), [(7, 1)]);
}

#[test]
fn a_repetition_that_is_put_off_keeps_its_number_and_holds_nothing_up() {
    let mut outbox = outbox_with(2);
    assert_eq!(numbers(&mut outbox), [(0, 1), (1, 2)]);
    // The socket died; the first was applied, its answer got lost.
    outbox.on_welcome(1);
    assert_eq!(numbers(&mut outbox), [(0, 1), (1, 2)]);
    assert_eq!(rejected(&mut outbox, 1, "busy"), Answered::Again(0));
    assert_eq!(rejected(&mut outbox, 2, "busy"), Answered::Again(1));
    outbox.on_welcome(1);
    assert_eq!(numbers(&mut outbox), [(0, 1), (1, 2)], "both are said again as they were");
    assert_eq!(done(&mut outbox, 1), Answered::Done(0));
    assert_eq!(done(&mut outbox, 2), Answered::Done(1));
    assert!(outbox.is_empty());
}
