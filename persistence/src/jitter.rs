//! Numbers that look random and depend on nothing but a seed (SplitMix64): for jitter and for seeded faults, not for
//! secrets.

/// The next number.
pub(crate) fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// The next number below `bound`, which is not 0.
pub(crate) fn below(state: &mut u64, bound: u64) -> u64 {
    // The bias of the remainder is far below what jitter could notice.
    next(state) % bound
}
