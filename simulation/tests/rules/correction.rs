//! What the team grants and takes.

use proptest::prelude::*;

use simulation::command::Command;
use simulation::event::Event;
use simulation::hero::{CORRECTIONS_KEPT, Hero};
use simulation::rejection::{Field, Rejection};
use simulation::rules::correction::{AMOUNT_MAX, OPERATOR_CHARS_MAX, REASON_CHARS_MAX};

use crate::properties::{life, lived};
use crate::script::{Play, check};

fn correct(energy_me: i64, dopamine_md: i64, audit_seq: u64) -> Command {
    Command::CorrectBalance {
        energy_me,
        dopamine_md,
        operator: "ada".into(),
        audit_seq,
        reason: "Sorry for the lost hour".into(),
        reverts: None,
    }
}

fn revert(energy_me: i64, seq: u64, audit_seq: u64) -> Command {
    let Command::CorrectBalance { operator, reason, dopamine_md, .. } = correct(energy_me, 0, audit_seq)
    else {
        unreachable!("it was made so just now")
    };
    Command::CorrectBalance { energy_me, dopamine_md, operator, audit_seq, reason, reverts: Some(seq) }
}

#[test]
fn the_team_gives_and_takes_and_nothing_of_it_is_earned() {
    check(
        r#"
        earn 20;
        {"correct_balance": {"energy_me": 5000, "dopamine_md": 1500, "operator": "ada", "audit_seq": 1, "reason": "Sorry"}};
        wait 1m;
        {"correct_balance": {"energy_me": -25000, "dopamine_md": 0, "operator": "ada", "audit_seq": 2, "reason": "By mistake", "reverts": 7}}
        "#,
        "
        0s bonus_paid comeback +20000
        0s balance_corrected correction +5000 +1500mD
        1m module_assembled gen_sine
        1m balance_corrected 7 correction -25000
        = none 0 mE 1500 mD
        ",
    );
    let mut play = Play::new();
    let before = play.hero.clone();
    play.command(&correct(5_000_000, 0, 1)).expect("nothing refuses a gift");
    let after = &play.hero;
    assert_eq!(after.wallet.energy_me, before.wallet.energy_me + 5_000_000);
    let untouched = |hero: &Hero| {
        (
            hero.wallet.lifetime_me,
            hero.wallet.level,
            hero.today.energy_me,
            hero.contact_ms,
            hero.achievements.clone(),
        )
    };
    assert_eq!(untouched(after), untouched(&before), "no experience, no day, no sign of the player");
}

#[test]
fn the_same_row_of_the_audit_log_changes_nothing_again() {
    let mut play = Play::new();
    play.command(&correct(5_000, 0, 9)).expect("it is done");
    let before = play.hero.clone();
    for again in [correct(5_000, 0, 9), correct(7_000, 7, 9)] {
        play.command(&again).expect("it is true already");
        assert_eq!(play.journal.last().map(|timed| &timed.event), Some(&Event::NothingChanged));
        assert_eq!(play.hero.wallet, before.wallet);
    }
    play.command(&correct(5_000, 0, 10)).expect("another row is another gift");
    assert_eq!(play.hero.wallet.energy_me, before.wallet.energy_me + 5_000);
    play.check_invariants();
}

#[test]
fn a_balance_never_falls_below_nothing() {
    let mut play = Play::new();
    play.earn(3_000);
    play.charge(2_000);
    play.catch_up();
    let before = play.hero.clone();
    assert_eq!(play.command(&correct(-3_001, 0, 1)), Err(Rejection::NotEnoughEnergy { needed_me: 3_001 }));
    assert_eq!(play.command(&correct(1, -2_001, 1)), Err(Rejection::NotEnoughDopamine { needed_md: 2_001 }));
    assert_eq!(play.hero, before, "nothing has changed, not even what is remembered");
    play.command(&correct(-3_000, -2_000, 1)).expect("down to nothing");
    assert_eq!((play.hero.wallet.energy_me, play.hero.wallet.dopamine_md), (0, 0));
    play.check_invariants();
}

#[test]
fn an_event_is_taken_back_once() {
    let mut play = Play::new();
    play.earn(10_000);
    play.command(&revert(-4_000, 7, 1)).expect("it is taken back");
    assert_eq!(play.command(&revert(-4_000, 7, 2)), Err(Rejection::AlreadyReverted), "by another operator");
    play.command(&revert(-4_000, 7, 1)).expect("by the same it is true already");
    play.command(&revert(-4_000, 8, 2)).expect("another event");
    assert_eq!(play.hero.wallet.energy_me, 2_000);
    play.check_invariants();
}

#[test]
fn amounts_and_words_have_limits() {
    let mut play = Play::new();
    let out_of_range = |field| Err(Rejection::OutOfRange { field, min: -AMOUNT_MAX, max: AMOUNT_MAX });
    assert_eq!(play.command(&correct(AMOUNT_MAX + 1, 0, 1)), out_of_range(Field::AmountMe));
    assert_eq!(play.command(&correct(i64::MIN, 0, 1)), out_of_range(Field::AmountMe));
    assert_eq!(play.command(&correct(1, -AMOUNT_MAX - 1, 1)), out_of_range(Field::AmountMd));
    assert!(matches!(play.command(&correct(0, 0, 1)), Err(Rejection::OutOfRange { .. })));
    for (operator, reason, field) in [
        ("ada", String::new(), Field::Reason),
        ("ada", "x".repeat(REASON_CHARS_MAX + 1), Field::Reason),
        ("ada", "two\nlines".to_owned(), Field::Reason),
        ("", "Sorry".to_owned(), Field::Operator),
        (&"a".repeat(OPERATOR_CHARS_MAX + 1), "Sorry".to_owned(), Field::Operator),
    ] {
        let command = Command::CorrectBalance {
            energy_me: 1,
            dopamine_md: 0,
            operator: operator.into(),
            audit_seq: 1,
            reason,
            reverts: None,
        };
        let refused = play.command(&command);
        assert!(
            matches!(refused, Err(Rejection::InvalidText { field: found, .. }) if found == field),
            "{refused:?}"
        );
    }
    assert!(play.hero.corrections.is_empty());
}

#[test]
fn only_the_last_corrections_are_remembered() {
    let mut play = Play::new();
    for audit_seq in 0..CORRECTIONS_KEPT as u64 + 5 {
        play.command(&correct(1, 0, audit_seq)).expect("nothing refuses a gift");
    }
    assert_eq!(play.hero.corrections.len(), CORRECTIONS_KEPT);
    assert_eq!(play.hero.corrections[0].audit_seq, 5);
    play.check_invariants();
}

#[test]
fn a_hero_without_corrections_is_written_as_it_always_was() {
    let mut play = Play::new();
    let bytes = rmp_serde::to_vec_named(&play.hero).expect("every hero can be written");
    assert!(!bytes.windows(11).any(|part| part == b"corrections"));
    play.command(&correct(1, 0, 1)).expect("nothing refuses a gift");
    let bytes = rmp_serde::to_vec_named(&play.hero).expect("every hero can be written");
    assert!(bytes.windows(11).any(|part| part == b"corrections"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_correction_fits_into_every_life(
        steps in life(),
        energy_me in -2_000_000_i64..2_000_000,
        dopamine_md in -2_000_000_i64..2_000_000,
    ) {
        prop_assume!((energy_me, dopamine_md) != (0, 0));
        let mut play = lived(&steps);
        play.catch_up();
        let before = play.hero.wallet;
        let is_enough = before.energy_me + energy_me >= 0 && before.dopamine_md + dopamine_md >= 0;
        let done = play.command(&correct(energy_me, dopamine_md, u64::MAX));
        prop_assert_eq!(done.is_ok(), is_enough);
        let moved = if is_enough { (energy_me, dopamine_md) } else { (0, 0) };
        let after = play.hero.wallet;
        prop_assert_eq!((after.energy_me - before.energy_me, after.dopamine_md - before.dopamine_md), moved);
        // The level follows from it; one that was reached before is noted with the next command, whatever that is.
        prop_assert_eq!(after.lifetime_me, before.lifetime_me);
        play.check_invariants();
    }
}
