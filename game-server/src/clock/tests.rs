use super::Clock;

#[test]
fn a_fixed_clock_moves_only_when_told() {
    let clock = Clock::fixed(1_000);
    assert_eq!(clock.now_ms(), 1_000);
    assert_eq!(clock.now_ms(), 1_000);
    clock.advance(250);
    assert_eq!(clock.clone().now_ms(), 1_250);
}

#[test]
fn a_step_back_counts_as_zero_and_time_goes_on_from_there() {
    let clock = Clock::fixed(10_000);
    clock.advance(-3_600_000);
    assert_eq!(clock.now_ms(), 10_000);
    clock.advance(1_000);
    assert_eq!(clock.now_ms(), 11_000, "only the step back is lost, not the hour after it");
}

#[test]
fn the_machine_clock_never_runs_backwards() {
    let clock = Clock::system();
    let mut last_ms = 0;
    for _ in 0..10_000 {
        let now_ms = clock.now_ms();
        assert!(now_ms >= last_ms);
        last_ms = now_ms;
    }
    assert!(last_ms > 1_600_000_000_000, "milliseconds, and after 2020");
}
