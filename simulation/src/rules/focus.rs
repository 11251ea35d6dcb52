//! What focused time earns: rules, section 2. Closed form, integers only.
//!
//! Between two brackets everything is linear, so a stretch of focus is a handful of multiplications. The meter keeps
//! the rest of each division, so a stretch that is split anywhere gives the same sum to the last milli-unit.

use crate::catalogue::Catalogue;
use crate::hero::{Hero, Meter, Session, SessionState};

/// Parts of a milli-energy in the energy numerator: milliseconds and three permille factors.
pub const ENERGY_PARTS: i64 = 1_000_000_000_000;

/// Parts of a milli-dopamine in the dopamine numerator: milliseconds, micro-units and one permille factor.
pub const DOPAMINE_PARTS: i64 = 1_000_000_000;

/// What is fixed for a whole session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Energy multiplier.
    pub mod_permille: i64,
    /// Dopamine while the session is young, µD/s.
    pub early_rate_ud_per_s: i64,
    /// Dopamine after that, µD/s.
    pub rate_ud_per_s: i64,
}

impl Terms {
    /// Those of a session.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        Self {
            mod_permille: session.mod_permille,
            early_rate_ud_per_s: session.early_rate_ud_per_s,
            rate_ud_per_s: session.rate_ud_per_s,
        }
    }
}

/// How fast the numerators grow at one moment, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Added to the energy numerator each ms.
    pub energy_parts_per_ms: i64,
    /// Added to the dopamine numerator each ms.
    pub dopamine_parts_per_ms: i64,
    /// How many ms of focus these rates hold; nothing for ever.
    pub for_ms: Option<i64>,
}

/// The rates at the meter's position. `day_before_ms` is the focus that the player-day held before this session.
#[must_use]
pub fn rates(terms: Terms, meter: &Meter, day_before_ms: i64, catalogue: &Catalogue) -> Rates {
    let (ramp, ramp_until) = catalogue.focus.ramp.at(meter.ramp_ms);
    let day_ms = day_before_ms + meter.day_focus_ms;
    let (day, day_until) = catalogue.focus.day.at(day_ms);
    let early = meter.focus_ms < catalogue.rack.early_ms;
    let dopamine_rate = if early { terms.early_rate_ud_per_s } else { terms.rate_ud_per_s };
    let bounds = [
        ramp_until.map(|until| until - meter.ramp_ms),
        day_until.map(|until| until - day_ms),
        early.then(|| catalogue.rack.early_ms - meter.focus_ms),
    ];
    Rates {
        energy_parts_per_ms: catalogue.focus.base_me_per_s * ramp * terms.mod_permille * day,
        dopamine_parts_per_ms: dopamine_rate * day,
        for_ms: bounds.into_iter().flatten().min(),
    }
}

/// Adds `ms` of focus to a meter; its moment moves with it.
#[must_use]
pub fn advanced(terms: Terms, meter: &Meter, day_before_ms: i64, ms: i64, catalogue: &Catalogue) -> Meter {
    let mut meter = *meter;
    let mut left_ms = ms.max(0);
    while left_ms > 0 {
        let rates = rates(terms, &meter, day_before_ms, catalogue);
        let step_ms = rates.for_ms.map_or(left_ms, |for_ms| for_ms.clamp(1, left_ms));
        (meter.energy_me, meter.energy_rest) =
            add(meter.energy_me, meter.energy_rest, step_ms, rates.energy_parts_per_ms, ENERGY_PARTS);
        (meter.dopamine_md, meter.dopamine_rest) =
            add(meter.dopamine_md, meter.dopamine_rest, step_ms, rates.dopamine_parts_per_ms, DOPAMINE_PARTS);
        meter.at_ms += step_ms;
        meter.focus_ms += step_ms;
        meter.ramp_ms += step_ms;
        meter.day_focus_ms += step_ms;
        left_ms -= step_ms;
    }
    meter
}

/// `(whole, rest)` after `ms` at `parts_per_ms`, with `parts` to a whole.
fn add(whole: i64, rest: i64, ms: i64, parts_per_ms: i64, parts: i64) -> (i64, i64) {
    let sum = i128::from(rest) + i128::from(ms) * i128::from(parts_per_ms);
    let gained =
        i64::try_from(sum / i128::from(parts)).expect("a stretch of focus earns less than 2^63 milli-units");
    let rest = i64::try_from(sum % i128::from(parts)).expect("a rest is smaller than its divisor");
    (whole + gained, rest)
}

/// Until when running time counts without another sign of life.
#[must_use]
pub fn hold_ms(session: &Session, catalogue: &Catalogue) -> i64 {
    if session.open_ended { session.signal_ms + catalogue.focus.flowtime_grace_ms } else { i64::MAX }
}

/// The open session's meter at `now_ms` if the player is known to be there: what an action of the player settles.
#[must_use]
pub fn settled(hero: &Hero, session: &Session, now_ms: i64, catalogue: &Catalogue) -> Meter {
    match session.state {
        SessionState::Running => {
            let ms = now_ms - session.meter.at_ms;
            advanced(Terms::of(session), &session.meter, hero.today.focus_ms, ms, catalogue)
        }
        SessionState::Paused { .. }
        | SessionState::Interrupted { .. }
        | SessionState::Overtime { .. }
        | SessionState::Resting
        | SessionState::Waiting { .. } => session.meter,
    }
}

/// The open session's meter at `now_ms` as far as it is certain: overtime and silence wait for an answer.
#[must_use]
pub fn certain(hero: &Hero, session: &Session, now_ms: i64, catalogue: &Catalogue) -> Meter {
    settled(hero, session, now_ms.min(hold_ms(session, catalogue)), catalogue)
}

/// The meter of a fresh session.
#[must_use]
pub fn fresh(at_ms: i64, ramp_ms: i64) -> Meter {
    Meter { at_ms, ramp_ms, ..Meter::default() }
}

/// The ramp position after an interruption.
#[must_use]
pub fn interrupted_ramp_ms(session: &Session) -> i64 {
    (session.meter.ramp_ms - session.interruption_ms).max(0)
}

/// `permille` of an amount, rounded down once.
#[must_use]
pub fn share(amount: i64, permille: i64) -> i64 {
    let product = i128::from(amount) * i128::from(permille);
    i64::try_from(product.div_euclid(1000)).expect("a share of an amount is of its size")
}
