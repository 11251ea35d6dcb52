//! Codes of an authenticator: RFC 6238 with SHA-1, six digits and steps of 30 s, as every authenticator knows it.

use data_encoding::BASE32_NOPAD;
use ring::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY};

/// Length of a secret: that of SHA-1, as the RFC advises.
pub(crate) const SECRET_BYTES: usize = 20;
/// How long a code shows.
const STEP_MS: i64 = 30_000;
/// Steps before and after now whose codes are good too, because no two clocks agree.
const STEPS_AROUND: i64 = 1;
/// Digits of a code.
const DIGITS: usize = 6;
/// Codes are below it.
const CODES: u32 = 1_000_000;
/// What the authenticator shows beside the code.
const ISSUER: &str = "Dopamine%20Hero";

/// The step whose code this is, if it is good now.
pub(crate) fn step_of(secret: &[u8], code: &str, now_ms: i64) -> Option<i64> {
    let is_code = code.len() == DIGITS && code.bytes().all(|byte| byte.is_ascii_digit());
    if !is_code || secret.is_empty() {
        return None;
    }
    let code: u32 = code.parse().ok()?;
    let now = now_ms.div_euclid(STEP_MS);
    // All are computed, whichever is right, so that the time says nothing.
    let steps = now.saturating_sub(STEPS_AROUND)..=now.saturating_add(STEPS_AROUND);
    steps.fold(None, |found, step| if at_step(secret, step) == code { Some(step) } else { found })
}

/// The code of a step.
fn at_step(secret: &[u8], step: i64) -> u32 {
    let key = hmac::Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    truncate(tag.as_ref()) % CODES
}

/// RFC 4226, 5.3: 31 bits from where the last four bits say.
fn truncate(tag: &[u8]) -> u32 {
    let offset = usize::from(tag.last().copied().unwrap_or_default() & 0xf);
    let word = tag.get(offset..).and_then(|rest| rest.first_chunk::<4>());
    let word = word.expect("an offset below 16 leaves four of 20 bytes");
    u32::from_be_bytes(*word) & 0x7fff_ffff
}

/// A secret as people and authenticators write it.
pub(crate) fn secret_text(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// From how it is written; nothing unless it is as long as ours.
pub(crate) fn parse_secret(text: &str) -> Option<Vec<u8>> {
    let secret = BASE32_NOPAD.decode(text.as_bytes()).ok()?;
    Some(secret).filter(|secret| secret.len() == SECRET_BYTES)
}

/// What a QR code tells an authenticator.
pub(crate) fn uri(name: &str, secret: &[u8]) -> String {
    // A name has no sign that an address cannot hold.
    let secret = secret_text(secret);
    format!(
        "otpauth://totp/{ISSUER}:{name}?secret={secret}&issuer={ISSUER}&algorithm=SHA1&digits={DIGITS}&period=30"
    )
}

#[cfg(test)]
pub(crate) fn code_at(secret: &[u8], now_ms: i64) -> String {
    format!("{:06}", at_step(secret, now_ms.div_euclid(STEP_MS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn the_vectors_of_the_rfc_hold() {
        let vectors = [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000_i64, 65_353_130),
        ];
        for (seconds, eight_digits) in vectors {
            let code = code_at(SECRET, seconds * 1_000);
            assert_eq!(code, format!("{:06}", eight_digits % CODES), "{seconds}");
            assert_eq!(step_of(SECRET, &code, seconds * 1_000), Some(seconds / 30));
        }
    }

    #[test]
    fn the_vectors_of_counters_hold_too() {
        // RFC 4226, appendix D.
        let codes =
            [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
        for (step, code) in (0..).zip(codes) {
            assert_eq!(at_step(SECRET, step), code, "{step}");
        }
    }

    #[test]
    fn a_code_is_good_one_step_before_and_after_and_no_longer() {
        let code = code_at(SECRET, 90_000);
        for (now_ms, is_good) in
            [(59_999, false), (60_000, true), (90_000, true), (149_999, true), (150_000, false)]
        {
            assert_eq!(step_of(SECRET, &code, now_ms).is_some(), is_good, "{now_ms}");
        }
    }

    #[test]
    fn what_is_no_code_is_wrong() {
        for code in ["", "28708", "2870822", "28708a", "+28708", " 28708", "２８７０８２"] {
            assert_eq!(step_of(SECRET, code, 59_000), None, "{code}");
        }
        assert_eq!(step_of(&[], &code_at(&[], 59_000), 59_000), None, "a secret that cannot be read");
    }

    #[test]
    fn a_secret_is_written_and_read() {
        assert_eq!(secret_text(SECRET), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(parse_secret(&secret_text(SECRET)).as_deref(), Some(SECRET));
        for text in ["", "GEZDGNBV", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ0", &"A".repeat(40)] {
            assert_eq!(parse_secret(text), None, "{text}");
        }
        assert!(uri("ada", SECRET).starts_with("otpauth://totp/Dopamine%20Hero:ada?secret=GEZDG"));
    }
}
