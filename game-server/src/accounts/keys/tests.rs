use uuid::Uuid;

use super::{Keys, kept};
use crate::config::{Config, SecretKey};

fn secret(byte: u8) -> SecretKey {
    let bytes: Vec<u8> = (0..32).map(|index: u8| index.wrapping_mul(7).wrapping_add(byte)).collect();
    SecretKey::parse(&data_encoding::BASE64.encode(&bytes)).expect("a secret")
}

#[test]
fn what_is_sealed_opens_in_its_place_only() {
    let keys = Keys::of(&[secret(1)]);
    let (owner, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let sealed = keys.seal("profile", owner, b"ada@example.org");
    assert_ne!(sealed, keys.seal("profile", owner, b"ada@example.org"), "no two look alike");
    assert!(!sealed.0.windows(3).any(|window| window == b"ada"));
    assert_eq!(keys.open_sealed("profile", owner, &sealed).as_deref(), Some(&b"ada@example.org"[..]));
    assert_eq!(keys.open_sealed("profile", other, &sealed), None);
    assert_eq!(keys.open_sealed("lookup", owner, &sealed), None);
    for index in 0..sealed.0.len() {
        let mut changed = sealed.clone();
        changed.0[index] ^= 1;
        assert_eq!(keys.open_sealed("profile", owner, &changed), None, "byte {index}");
        changed.0.truncate(index);
        assert_eq!(keys.open_sealed("profile", owner, &changed), None, "cut at {index}");
    }
}

#[test]
fn an_older_secret_opens_and_a_forgotten_one_does_not() {
    let owner = Uuid::from_u128(1);
    let sealed = Keys::of(&[secret(1)]).seal("profile", owner, b"x");
    let rotated = Keys::of(&[secret(2), secret(1)]);
    assert_eq!(rotated.open_sealed("profile", owner, &sealed).as_deref(), Some(&b"x"[..]));
    assert_eq!(Keys::of(&[secret(2)]).open_sealed("profile", owner, &sealed), None);
}

#[test]
fn a_developers_secret_is_kept_and_private() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = std::env::temp_dir().join(format!("dopamine-hero-keys-{}", Uuid::new_v4()));
    let path = folder.join("hero.sqlite.secret");
    let owner = Uuid::from_u128(1);
    let sealed = kept(&path).expect("it is made").seal("profile", owner, b"x");
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = kept(&path).expect("it is read");
    assert_eq!(again.open_sealed("profile", owner, &sealed).as_deref(), Some(&b"x"[..]));
    std::fs::write(&path, "not a secret").expect("it can be written");
    assert!(kept(&path).is_err());
    std::fs::remove_dir_all(folder).expect("it is ours");
}

#[test]
fn nothing_of_a_secret_is_printed() {
    let text = data_encoding::BASE64.encode(b"a canary that sings: jfkd94bqx_zmuvp");
    let config =
        Config::parse(|name| (name == "SECRET_KEYS").then(|| text.clone())).expect("it is long enough");
    let printed = format!("{config:?} {:?}", Keys::open(&config, &[0; 32]).expect("it is configured"));
    assert!(!printed.contains(&text) && !printed.contains("canary"), "{printed}");
}
