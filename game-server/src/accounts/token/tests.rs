//! Forged tokens, each made of a good one by one change.

use data_encoding::{BASE64, BASE64URL, BASE64URL_NOPAD};
use persistence::{AccountId, DeviceId, HeroId};
use ring::hmac;
use ring::signature::KeyPair;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ACCESS_LIFE_MS, Access, issue, verify};
use crate::accounts::keys::Keys;

const NOW_MS: i64 = 1_700_000_000_000;
const NOW: i64 = NOW_MS / 1000;

fn access() -> Access {
    Access {
        account: AccountId(Uuid::from_u128(1)),
        hero: HeroId(Uuid::from_u128(2)),
        device: DeviceId(Uuid::from_u128(3)),
    }
}

fn parts(token: &str) -> [String; 3] {
    let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts.try_into().expect("a token has three parts")
}

fn json_of(part: &str) -> Value {
    let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn part_of(value: &Value) -> String {
    BASE64URL_NOPAD.encode(&serde_json::to_vec(value).expect("JSON"))
}

/// Signs whatever header and claims, with our own key.
fn signed(keys: &Keys, head: &str, claims: &str) -> String {
    let text = format!("{head}.{claims}");
    let signature = keys.current().signing.sign(text.as_bytes());
    format!("{text}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
}

#[test]
fn a_token_speaks_for_ten_minutes() {
    let keys = Keys::random();
    let token = issue(&keys, access(), NOW_MS);
    for at_ms in [NOW_MS - 5_000, NOW_MS, NOW_MS + ACCESS_LIFE_MS - 1] {
        assert_eq!(verify(&keys, token.expose(), at_ms), Some(access()));
    }
    assert_eq!(verify(&keys, token.expose(), NOW_MS + ACCESS_LIFE_MS), None);
    assert_eq!(verify(&keys, token.expose(), NOW_MS - 6_000), None, "from the future");
    assert_eq!(verify(&Keys::random(), token.expose(), NOW_MS), None, "another server's");
}

#[test]
fn a_corpus_of_forged_tokens_is_refused() {
    let keys = Keys::random();
    let good = issue(&keys, access(), NOW_MS).expose().to_owned();
    let [head, claims, signature] = parts(&good);
    let public = keys.current().signing.public_key().as_ref().to_vec();
    let mut forged: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, token: String| forged.push((what.to_owned(), token));

    // The header: signed by our own key, so that nothing but the header is wrong.
    let with_header = |change: &dyn Fn(&mut Value)| {
        let mut header = json_of(&head);
        change(&mut header);
        signed(&keys, &part_of(&header), &claims)
    };
    for alg in ["none", "None", "NONE", "HS256", "HS512", "RS256", "ES256", "PS256", "Ed25519", "eddsa", ""] {
        add(&format!("alg {alg}"), with_header(&|header| header["alg"] = json!(alg)));
    }
    let parameters = [
        ("kid", json!("0000000000000000")),
        ("kid", json!("../../etc/passwd")),
        ("kid", json!("x' OR '1'='1")),
        ("typ", json!("JWT")),
        ("typ", json!("rt+jwt")),
        ("jku", json!("https://evil.example/keys")),
        ("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": BASE64URL_NOPAD.encode(&public)})),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("zip", json!("DEF")),
        ("b64", json!(false)),
        ("cty", json!("JWT")),
    ];
    for (name, value) in parameters {
        add(&format!("{name} {value}"), with_header(&|header| header[name] = value.clone()));
    }
    for missing in ["alg", "kid", "typ"] {
        let without = |header: &mut Value| {
            header.as_object_mut().expect("a map").remove(missing);
        };
        add(&format!("without {missing}"), with_header(&without));
    }

    // The claims, also signed by our own key.
    let with_claims = |change: &dyn Fn(&mut Value)| {
        let mut changed = json_of(&claims);
        change(&mut changed);
        signed(&keys, &head, &part_of(&changed))
    };
    let wrong = [
        ("iss", json!("evil")),
        ("aud", json!("dopamine-hero/admin")),
        ("aud", json!(["dopamine-hero/player", "other"])),
        ("sub", json!("1 OR 1=1")),
        ("exp", json!(NOW)),
        ("exp", json!(NOW - 1)),
        ("exp", json!(NOW + 601)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(1e300)),
        ("exp", json!("soon")),
        ("nbf", json!(NOW + 6)),
        ("iat", json!(NOW + 6)),
        ("iat", json!(i64::MIN)),
        ("admin", json!(true)),
    ];
    for (name, value) in wrong {
        add(&format!("{name} {value}"), with_claims(&|claims| claims[name] = value.clone()));
    }
    for missing in ["iss", "aud", "sub", "hero", "sid", "iat", "nbf", "exp"] {
        let without = |claims: &mut Value| {
            claims.as_object_mut().expect("a map").remove(missing);
        };
        add(&format!("without {missing}"), with_claims(&without));
    }

    // The signature.
    let hmac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &public), format!("{head}.{claims}").as_bytes());
    add(
        "our public key as an HMAC secret",
        format!("{head}.{claims}.{}", BASE64URL_NOPAD.encode(hmac.as_ref())),
    );
    add("no signature", format!("{head}.{claims}."));
    add("two parts", format!("{head}.{claims}"));
    add("four parts", format!("{good}.{signature}"));
    add("a zero signature", format!("{head}.{claims}.{}", BASE64URL_NOPAD.encode(&[0; 64])));
    add("somebody else's signature", {
        let other = issue(&Keys::random(), access(), NOW_MS);
        format!("{head}.{claims}.{}", parts(other.expose())[2])
    });
    add("another token's signature", {
        let other = issue(&keys, Access { hero: HeroId(Uuid::from_u128(9)), ..access() }, NOW_MS);
        format!("{head}.{claims}.{}", parts(other.expose())[2])
    });
    let bytes = BASE64URL_NOPAD.decode(signature.as_bytes()).expect("base64url");
    add("padded", format!("{head}.{claims}.{}", BASE64URL.encode(&bytes)));
    add("not url-safe", format!("{head}.{claims}.{}=", BASE64.encode(&bytes)));
    add("a flipped bit", {
        let mut bytes = bytes.clone();
        bytes[10] ^= 1;
        format!("{head}.{claims}.{}", BASE64URL_NOPAD.encode(&bytes))
    });
    add("a longer signature", format!("{head}.{claims}.{signature}AAAA"));
    add("spaces", format!(" {good}"));
    add("a line end", format!("{good}\n"));
    add("too long", format!("{head}.{}.{signature}", claims.repeat(20)));
    add("nothing", String::new());
    add("dots", "..".into());

    assert!(forged.len() >= 40, "{} are enough", forged.len());
    for (what, token) in &forged {
        assert_ne!(*token, good, "{what} is a change");
        assert_eq!(verify(&keys, token, NOW_MS), None, "{what}");
    }
    assert_eq!(verify(&keys, &good, NOW_MS), Some(access()), "the good one is good");
    println!("{} forged tokens", forged.len());
}
