//! ID tokens of a Firebase project, verified with keys of a server of the test's own.

mod issuer;

use data_encoding::{BASE64, BASE64URL, BASE64URL_NOPAD};
use futures_util::future::join_all;
use game_server::clock::Clock;
use persistence::AccountId;
use persistence::accounts::AccountChange;
use ring::hmac;
use ring::signature::{RSA_PKCS1_SHA512, RSA_PSS_SHA256};
use serde_json::{Value, json};

use self::issuer::{KeyServer, PROJECT, SigningKey, claims, claims_with_mail, part};
use crate::accounts::{NOW_MS, PASSWORD, call, login, post, refresh, register, text};
use crate::harness::{Answer, TestServer, wait_until};

const NOW_S: i64 = NOW_MS / 1000;
const MINUTE_MS: i64 = 60_000;

async fn start(keys: &KeyServer) -> (TestServer, Clock) {
    let clock = Clock::fixed(NOW_MS);
    let variables = [
        ("FIREBASE_PROJECT_ID", PROJECT),
        ("FIREBASE_KEYS_URL", keys.url.as_str()),
        ("RATE_LIMIT_MAX_REQUESTS", "1000000"),
    ];
    (TestServer::start_at(clock.clone(), &variables).await, clock)
}

async fn stop(server: TestServer, keys: KeyServer) {
    keys.stop();
    server.stop().await;
}

async fn enter(server: &TestServer, token: &str) -> Answer {
    post(server, "/v1/auth/firebase", None, &json!({ "id_token": token, "keep": "token" })).await
}

async fn link(server: &TestServer, access: &str, token: &str, password: &str) -> (u16, String) {
    let body = json!({ "id_token": token, "password": password });
    let answer = post(server, "/v1/auth/firebase/link", Some(access), &body).await;
    (answer.status, if answer.status == 204 { String::new() } else { answer.code() })
}

fn outcome(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

fn wrong() -> (u16, String) {
    (401, "wrong_login".into())
}

fn away() -> (u16, String) {
    (503, "away".into())
}

async fn me(server: &TestServer, session: &Value) -> Value {
    call(server, "GET", "/v1/me", Some(&text(session, "access_token")), &Value::Null).await.json()
}

#[tokio::test]
async fn somebody_of_firebase_gets_an_account_and_comes_back_to_it() {
    let (key, keys) = (SigningKey::first(), KeyServer::start(&[&SigningKey::first()]).await);
    let (server, clock) = start(&keys).await;
    let first = enter(&server, &key.token(&claims_with_mail("ada", "Ada@Example.org"))).await;
    assert_eq!(first.status, 201, "{first:?}");
    let first = first.json();
    server.ticket(&text(&first, "access_token")).await;
    let shown = me(&server, &first).await;
    assert_eq!(
        (text(&shown, "mail"), text(&shown, "name")),
        ("Ada@Example.org".into(), "Ada of Firebase".into())
    );
    assert_eq!(shown["mail_verified"], json!(true), "Firebase has seen to that");
    clock.advance(MINUTE_MS);
    // Another device, and what the token says about the person has changed.
    let again = enter(&server, &key.token(&claims("ada"))).await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(text(&again.json(), "account_id"), text(&first, "account_id"));
    assert_ne!(text(&again.json(), "device_id"), text(&first, "device_id"));
    assert_eq!(refresh(&server, &text(&again.json(), "refresh_token")).await.status, 200);
    let other = enter(&server, &key.token(&claims("bob"))).await;
    assert_eq!(other.status, 201);
    assert_ne!(text(&other.json(), "hero_id"), text(&first, "hero_id"));
    assert_eq!(me(&server, &other.json()).await["mail"], Value::Null);
    // A browser keeps its token where no script can read it.
    let body = json!({ "id_token": key.token(&claims("ada")) });
    let browser = post(&server, "/v1/auth/firebase", None, &body).await;
    assert!(browser.header("set-cookie").expect("a cookie").starts_with("__Host-dh_refresh=dhr_"));
    assert_eq!(browser.json().get("refresh_token"), None);
    assert_eq!(keys.asked(), 1, "the keys are kept");
    stop(server, keys).await;
}

#[tokio::test]
async fn a_guest_keeps_its_hero() {
    let (key, keys) = (SigningKey::first(), KeyServer::start(&[&SigningKey::first()]).await);
    let (server, _) = start(&keys).await;
    let (hero, device_token) = server.guest().await;
    let body = json!({ "id_token": key.token(&claims("ada")), "device_name": "Phone", "keep": "token" });
    let session = post(&server, "/v1/auth/firebase", Some(&device_token), &body).await;
    assert_eq!((session.status, text(&session.json(), "hero_id")), (201, hero.clone()));
    let ticket = post(&server, "/v1/ws-ticket", Some(&device_token), &Value::Null).await;
    assert_eq!(ticket.status, 401, "the guest's token is void");
    // Whoever has an account comes to that, and the guest can be claimed from there.
    let (_, other) = server.guest().await;
    let again = post(&server, "/v1/auth/firebase", Some(&other), &body).await;
    assert_eq!((again.status, text(&again.json(), "hero_id")), (200, hero));
    server.ticket(&other).await;
    let access = text(&session.json(), "access_token");
    let taken = post(&server, "/v1/auth/firebase", Some(&access), &body).await;
    assert_eq!(outcome(&taken), (409, "hero_taken".into()));
    let nobody = post(&server, "/v1/auth/firebase", Some("dh_nobody"), &body).await;
    assert_eq!(outcome(&nobody), (401, "unauthenticated".into()));
    stop(server, keys).await;
}

#[tokio::test]
async fn an_account_with_the_same_address_is_linked_by_its_owner_and_never_taken_over() {
    let (key, keys) = (SigningKey::first(), KeyServer::start(&[&SigningKey::first()]).await);
    let (server, _) = start(&keys).await;
    let ada = register(&server, "ada@example.org", None).await;
    let token = key.token(&claims_with_mail("ada", " ADA@example.org"));
    let refused = enter(&server, &token).await;
    assert_eq!(outcome(&refused), (409, "link_first".into()));
    assert!(refused.json()["hint"].as_str().expect("a hint").contains("/v1/auth/firebase/link"));

    let access = text(&ada, "access_token");
    assert_eq!(
        link(&server, &access, &token, "another password").await,
        wrong(),
        "a stolen token is not enough"
    );
    let forged = SigningKey::second().sign(&part(&key.header()), &part(&claims("ada")));
    assert_eq!(link(&server, &access, &forged, PASSWORD).await, wrong());
    assert_eq!(link(&server, "dh_nobody", &token, PASSWORD).await, (401, "unauthenticated".into()));
    let (_, guest) = server.guest().await;
    assert_eq!(link(&server, &guest, &token, PASSWORD).await, (403, "guest".into()));
    assert_eq!(outcome(&enter(&server, &token).await), (409, "link_first".into()), "nothing has changed");

    assert_eq!(link(&server, &access, &token, PASSWORD).await, (204, String::new()));
    assert_eq!(link(&server, &access, &token, PASSWORD).await, (204, String::new()), "again");
    let entered = enter(&server, &token).await;
    assert_eq!((entered.status, text(&entered.json(), "account_id")), (200, text(&ada, "account_id")));
    assert_eq!(login(&server, "ada@example.org", PASSWORD).await.status, 200, "the password stays");

    let bob = register(&server, "bob@example.org", None).await;
    let taken = link(&server, &text(&bob, "access_token"), &token, PASSWORD).await;
    assert_eq!(taken, (409, "subject_taken".into()));
    // Another identity takes the place of the one before.
    let other = key.token(&claims("ada at home"));
    assert_eq!(link(&server, &access, &other, PASSWORD).await, (204, String::new()));
    let entered = enter(&server, &other).await;
    assert_eq!(text(&entered.json(), "account_id"), text(&ada, "account_id"));
    assert_eq!(outcome(&enter(&server, &token).await), (409, "link_first".into()));
    stop(server, keys).await;
}

#[tokio::test]
async fn an_address_that_firebase_has_not_verified_means_nothing() {
    let (key, keys) = (SigningKey::first(), KeyServer::start(&[&SigningKey::first()]).await);
    let (server, _) = start(&keys).await;
    register(&server, "ada@example.org", None).await;
    let subjects = [("one", json!(false), "ada@example.org"), ("two", Value::Null, "new@example.org")];
    for (subject, verified, mail) in subjects {
        let mut claims = claims_with_mail(subject, mail);
        claims["email_verified"] = verified.clone();
        if verified.is_null() {
            claims.as_object_mut().expect("a map").remove("email_verified");
        }
        let session = enter(&server, &key.token(&claims)).await;
        assert_eq!(session.status, 201, "{session:?}");
        let me = me(&server, &session.json()).await;
        assert_eq!((me["mail"].clone(), me["mail_verified"].clone()), (Value::Null, json!(false)));
    }
    let session = enter(&server, &key.token(&claims_with_mail("three", "no address"))).await;
    assert_eq!(me(&server, &session.json()).await["mail"], Value::Null);
    register(&server, "new@example.org", None).await;
    stop(server, keys).await;
}

#[tokio::test]
async fn a_banned_one_and_one_whose_thirty_days_are_over_hear_what_a_forger_hears() {
    let (key, keys) = (SigningKey::first(), KeyServer::start(&[&SigningKey::first()]).await);
    let (server, _) = start(&keys).await;
    let token = key.token(&claims("ada"));
    let session = enter(&server, &token).await.json();
    let ada = AccountId(text(&session, "account_id").parse().expect("an id"));
    let store = server.server().node().accounts.store();
    store.change_account(ada, AccountChange::BannedAt(Some(NOW_MS))).await.expect("the store works");
    let (banned, forged) = (enter(&server, &token).await, enter(&server, "x").await);
    assert_eq!(outcome(&banned), wrong());
    for change in [AccountChange::BannedAt(None), AccountChange::EraseAt(Some(NOW_MS))] {
        store.change_account(ada, change).await.expect("the store works");
    }
    assert_eq!(outcome(&enter(&server, &token).await), wrong(), "its time is over");
    store.change_account(ada, AccountChange::EraseAt(Some(NOW_MS + 1))).await.expect("the store works");
    assert_eq!(enter(&server, &token).await.status, 200, "it can still be restored");
    assert_eq!((outcome(&banned), &banned.json()["hint"]), (outcome(&forged), &forged.json()["hint"]));
    stop(server, keys).await;
}

#[tokio::test]
async fn many_at_once_make_one_account() {
    let (key, keys) = (SigningKey::first(), KeyServer::start(&[&SigningKey::first()]).await);
    let (server, _) = start(&keys).await;
    keys.hold(true);
    let token = key.token(&claims_with_mail("ada", "ada@example.org"));
    let all = join_all((0..30).map(|_| enter(&server, &token)));
    let release = async {
        wait_until("the keys were asked for", || keys.asked() > 0).await;
        keys.hold(false);
    };
    let (answers, ()) = tokio::join!(all, release);
    assert_eq!(keys.asked(), 1, "whoever comes meanwhile waits for the same answer");
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 29);
    let account = text(&answers[0].json(), "account_id");
    assert!(answers.iter().all(|answer| text(&answer.json(), "account_id") == account));
    stop(server, keys).await;
}

#[tokio::test]
async fn what_is_no_request_is_said_and_a_server_without_a_project_takes_none() {
    let (key, keys) = (SigningKey::first(), KeyServer::start(&[&SigningKey::first()]).await);
    let (server, _) = start(&keys).await;
    let token = key.token(&claims("ada"));
    for body in [
        json!({}),
        json!([token]),
        json!({ "id_token": 1 }),
        json!({ "id_token": token, "admin": true }),
        json!({ "id_token": token, "device_name": "x".repeat(300) }),
    ] {
        let answer = post(&server, "/v1/auth/firebase", None, &body).await;
        assert_eq!(outcome(&answer), (400, "malformed".into()), "{body}");
    }
    let huge = enter(&server, &"x".repeat(11_000)).await;
    assert_eq!(outcome(&huge), (413, "too_large".into()));
    stop(server, keys).await;

    let server = TestServer::start_at(Clock::fixed(NOW_MS), &[]).await;
    let mut taken = 0;
    let over = loop {
        let answer = enter(&server, &token).await;
        if answer.status == 429 {
            break answer;
        }
        assert_eq!(outcome(&answer), (404, "not_configured".into()));
        taken += 1;
        // One comes back every three seconds, and this machine may be slow.
        assert!(taken < 60, "as often as logins, which is twenty times a minute");
    };
    assert!(taken >= 20 && over.code() == "rate", "{taken}");
    assert_eq!(over.header("ratelimit-limit"), Some("20"));
    server.stop().await;
}

#[tokio::test]
async fn a_corpus_of_forged_tokens_is_refused() {
    let (key, stranger) = (SigningKey::first(), SigningKey::second());
    let keys = KeyServer::start(&[&key]).await;
    // It is in the set, but for another purpose.
    keys.change(|it| {
        let mut other = stranger.public();
        other["alg"] = json!("RS512");
        it.keys.push(other);
    });
    let (server, _) = start(&keys).await;
    let (header, claims) = (key.header(), claims_with_mail("ada", "ada@example.org"));
    let (head, body) = (part(&header), part(&claims));
    let good = key.token(&claims);
    let (_, signature) = good.rsplit_once('.').expect("three parts");
    let mut forged: Vec<(String, String)> = Vec::new();
    let mut add = |what: String, token: String| forged.push((what, token));

    // The header: signed by the right key, so that nothing but the header is wrong.
    let with_header = |change: &dyn Fn(&mut Value)| {
        let mut header = header.clone();
        change(&mut header);
        key.sign(&part(&header), &body)
    };
    for alg in ["none", "None", "HS256", "RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256", ""] {
        add(format!("alg {alg}"), with_header(&|header| header["alg"] = json!(alg)));
    }
    let own = stranger.public();
    for (name, value) in [
        ("kid", json!("")),
        ("kid", json!("third")),
        ("kid", json!("../first")),
        ("kid", json!("FIRST")),
        ("kid", json!("second")),
        ("kid", json!(["first"])),
        ("kid", json!("k".repeat(129))),
        ("typ", json!("at+jwt")),
        ("typ", json!("")),
        ("jku", json!("https://evil.example/keys")),
        ("jwk", own.clone()),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
    ] {
        add(format!("{name} {value}"), with_header(&|header| header[name] = value.clone()));
    }
    for missing in ["alg", "kid"] {
        add(
            format!("without {missing}"),
            with_header(&|header| {
                header.as_object_mut().expect("a map").remove(missing);
            }),
        );
    }
    let list = BASE64URL_NOPAD.encode(br#"["RS256","first","JWT"]"#);
    add("a header that is a list".into(), key.sign(&list, &body));
    let twice = BASE64URL_NOPAD.encode(br#"{"alg":"none","alg":"RS256","kid":"first"}"#);
    add("two algorithms".into(), key.sign(&twice, &body));

    // The claims, signed by the right key too.
    let with_claims = |change: &dyn Fn(&mut Value)| {
        let mut claims = claims.clone();
        change(&mut claims);
        key.sign(&head, &part(&claims))
    };
    for (name, value) in [
        ("aud", json!("another-project")),
        ("aud", json!(PROJECT.to_uppercase())),
        ("aud", json!([PROJECT])),
        ("aud", json!("")),
        ("iss", json!("https://securetoken.google.com/another-project")),
        ("iss", json!(format!("http://securetoken.google.com/{PROJECT}"))),
        ("iss", json!(format!("https://securetoken.google.com/{PROJECT}/"))),
        ("iss", json!("https://accounts.google.com")),
        ("exp", json!(NOW_S)),
        ("exp", json!(NOW_S - 1)),
        ("exp", json!("later")),
        ("exp", json!(1e300)),
        ("iat", json!(NOW_S + 11)),
        ("iat", json!(i64::MAX)),
        ("auth_time", json!(NOW_S + 11)),
        ("auth_time", json!("now")),
        ("sub", json!("")),
        ("sub", json!("s".repeat(129))),
        ("sub", json!(7)),
        ("sub", json!(["ada"])),
        ("email_verified", json!("true")),
    ] {
        add(format!("{name} {value}"), with_claims(&|claims| claims[name] = value.clone()));
    }
    for missing in ["aud", "iss", "exp", "iat", "auth_time", "sub"] {
        add(
            format!("without {missing}"),
            with_claims(&|claims| {
                claims.as_object_mut().expect("a map").remove(missing);
            }),
        );
    }
    let doubled = claims.to_string().replacen('{', r#"{"sub":"eve","#, 1);
    add("two subjects".into(), key.sign(&head, &BASE64URL_NOPAD.encode(doubled.as_bytes())));

    // The signature.
    let unsigned = format!("{head}.{body}");
    let bytes = BASE64URL_NOPAD.decode(signature.as_bytes()).expect("base64url");
    let with_signature = |bytes: &[u8]| format!("{unsigned}.{}", BASE64URL_NOPAD.encode(bytes));
    let none = part(&json!({ "alg": "none", "kid": "first", "typ": "JWT" }));
    add("none, and no signature".into(), format!("{none}.{body}."));
    let hs256 = part(&json!({ "alg": "HS256", "kid": "first", "typ": "JWT" }));
    let modulus = key.public()["n"].as_str().expect("a text").to_owned();
    let hmac = |secret: &[u8], text: &str| {
        BASE64URL_NOPAD
            .encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes()).as_ref())
    };
    let text = format!("{hs256}.{body}");
    add("the modulus as an HMAC secret".into(), format!("{text}.{}", hmac(modulus.as_bytes(), &text)));
    add("HMAC under RS256".into(), format!("{unsigned}.{}", hmac(modulus.as_bytes(), &unsigned)));
    add("no signature".into(), format!("{unsigned}."));
    add("two parts".into(), unsigned.clone());
    add("four parts".into(), format!("{good}.{signature}"));
    add("a stranger's signature".into(), stranger.sign(&head, &body));
    add("a key for another purpose".into(), stranger.token(&claims));
    add("the padding of PS256".into(), key.sign_with(&RSA_PSS_SHA256, &head, &body));
    add("the hash of RS512".into(), key.sign_with(&RSA_PKCS1_SHA512, &head, &body));
    add("zeros".into(), with_signature(&[0; 256]));
    add("a one".into(), with_signature(&[&[0; 255][..], &[1]].concat()));
    add("a flipped bit".into(), {
        let mut bytes = bytes.clone();
        bytes[100] ^= 1;
        with_signature(&bytes)
    });
    add("a longer signature".into(), with_signature(&[&bytes[..], &[0]].concat()));
    add("a shorter signature".into(), with_signature(&bytes[..255]));
    add("padded".into(), format!("{unsigned}.{}", BASE64URL.encode(&bytes)));
    add("not url-safe".into(), format!("{unsigned}.{}", BASE64.encode(&bytes)));
    add("another subject under the same signature".into(), {
        let eve = part(&issuer::claims("eve"));
        format!("{head}.{eve}.{signature}")
    });
    add("spaces".into(), format!(" {good}"));
    add("a line end".into(), format!("{good}\n"));
    let long = with_claims(&|claims| claims["name"] = json!("n".repeat(6_000)));
    assert!(long.len() > 8 * 1024 && long.len() < 9 * 1024, "{}", long.len());
    add("longer than 8 KiB".into(), long);
    add("nothing".into(), String::new());
    add("dots".into(), "..".into());

    assert!(forged.len() >= 80, "{}", forged.len());
    let mut taken = Vec::new();
    for (what, token) in &forged {
        assert_ne!(*token, good, "{what} is a change");
        let answer = enter(&server, token).await;
        if answer.status < 400 || outcome(&answer) != wrong() {
            taken.push(format!("{what}: {}", answer.status));
        }
    }
    assert!(taken.is_empty(), "{taken:#?}");
    println!("{} forged tokens", forged.len());
    // None of them has made an account, and those at the edge are good.
    assert_eq!(enter(&server, &good).await.status, 201);
    for (name, value) in [
        ("exp", json!(NOW_S + 1)),
        ("iat", json!(NOW_S + 10)),
        ("auth_time", json!(NOW_S + 10)),
        ("name", json!("n".repeat(4_000))),
    ] {
        let edge = with_claims(&|claims| claims[name] = value.clone());
        assert_eq!(enter(&server, &edge).await.status, 200, "{name} {value}");
    }
    let untyped = with_header(&|header| {
        header.as_object_mut().expect("a map").remove("typ");
    });
    assert_eq!(enter(&server, &untyped).await.status, 200);
    let longest = key.token(&issuer::claims(&"s".repeat(128)));
    assert_eq!(enter(&server, &longest).await.status, 201);
    stop(server, keys).await;
}

#[tokio::test]
async fn keys_are_kept_for_as_long_as_their_answer_says() {
    let (key, keys) = (SigningKey::first(), KeyServer::start(&[&SigningKey::first()]).await);
    let (server, clock) = start(&keys).await;
    let mut claims = claims("ada");
    claims["exp"] = json!(NOW_S + 10 * 24 * 3_600);
    let token = key.token(&claims);
    assert_eq!(keys.asked(), 0, "nobody asked yet");
    // What an answer says, and for how long the keys of it are kept.
    let lives = [
        ("public, max-age=600, must-revalidate", 600_000),
        ("max-age=1", MINUTE_MS),
        ("no-store", MINUTE_MS),
        ("max-age=31536000", 24 * 60 * MINUTE_MS),
    ];
    assert_eq!(enter(&server, &token).await.status, 201);
    let mut asked = 1;
    for (cache_control, life_ms) in lives {
        keys.change(|it| it.cache_control = cache_control);
        clock.advance(lives.iter().map(|(_, life_ms)| life_ms).max().copied().unwrap_or(0));
        assert_eq!(enter(&server, &token).await.status, 200);
        asked += 1;
        assert_eq!(keys.asked(), asked, "{cache_control}");
        clock.advance(life_ms - 1);
        assert_eq!(enter(&server, &token).await.status, 200);
        assert_eq!(keys.asked(), asked, "{cache_control}: still good");
        clock.advance(1);
        assert_eq!(enter(&server, &token).await.status, 200);
        asked += 1;
        assert_eq!(keys.asked(), asked, "{cache_control}: over");
    }
    stop(server, keys).await;
}

#[tokio::test]
async fn a_new_key_is_fetched_when_it_signs_and_an_old_one_ends() {
    let (first, second) = (SigningKey::first(), SigningKey::second());
    let keys = KeyServer::start(&[&first]).await;
    let (server, clock) = start(&keys).await;
    assert_eq!(enter(&server, &first.token(&claims("ada"))).await.status, 201);
    keys.change(|it| it.keys = vec![first.public(), second.public()]);
    assert_eq!(outcome(&enter(&server, &second.token(&claims("ada"))).await), wrong(), "asked just now");
    clock.advance(MINUTE_MS);
    assert_eq!(enter(&server, &second.token(&claims("ada"))).await.status, 200);
    assert_eq!(enter(&server, &first.token(&claims("ada"))).await.status, 200, "both are good");
    assert_eq!(keys.asked(), 2);
    keys.change(|it| it.keys = vec![second.public()]);
    clock.advance(10 * MINUTE_MS);
    assert_eq!(outcome(&enter(&server, &first.token(&claims("ada"))).await), wrong(), "withdrawn");
    assert_eq!(enter(&server, &second.token(&claims("ada"))).await.status, 200);
    assert_eq!(keys.asked(), 3);
    // Another key under the old name.
    keys.change(|it| it.keys[0]["n"] = first.public()["n"].clone());
    clock.advance(10 * MINUTE_MS);
    assert_eq!(outcome(&enter(&server, &second.token(&claims("ada"))).await), wrong());
    stop(server, keys).await;
}

#[tokio::test]
async fn nonsense_does_not_make_us_ask_for_each_of_it() {
    let (key, keys) = (SigningKey::first(), KeyServer::start(&[&SigningKey::first()]).await);
    let (server, clock) = start(&keys).await;
    let token = key.token(&claims("ada"));
    assert_eq!(enter(&server, &token).await.status, 201);
    let body = part(&claims("ada"));
    let hammer = async |count: usize| {
        let nonsense = (0..count).map(|number| {
            let header = json!({ "alg": "RS256", "kid": format!("kid-{number}"), "typ": "JWT" });
            key.sign(&part(&header), &body)
        });
        let nonsense: Vec<String> = nonsense.collect();
        for some in nonsense.chunks(25) {
            for answer in join_all(some.iter().map(|token| enter(&server, token))).await {
                assert_eq!(outcome(&answer), wrong());
            }
        }
    };
    hammer(100).await;
    assert_eq!(keys.asked(), 1, "they were fetched a moment ago");
    for minute in 1..=5 {
        clock.advance(MINUTE_MS);
        hammer(100).await;
        assert_eq!(keys.asked(), 1 + minute, "once a minute");
        assert_eq!(enter(&server, &token).await.status, 200, "and the others come in");
    }
    stop(server, keys).await;
}

#[tokio::test]
async fn without_the_source_the_keys_that_are_there_go_on_while_they_are_good() {
    let (key, keys) = (SigningKey::first(), KeyServer::start(&[&SigningKey::first()]).await);
    let (server, clock) = start(&keys).await;
    let (token, unknown) = (key.token(&claims("ada")), SigningKey::second().token(&claims("ada")));
    keys.change(|it| it.status = 500);
    let nobody = enter(&server, &token).await;
    assert_eq!(outcome(&nobody), away());
    assert_eq!(nobody.header("retry-after"), Some("5"));
    for _ in 0..20 {
        assert_eq!(outcome(&enter(&server, &token).await), away());
    }
    assert_eq!(keys.asked(), 1, "it is not asked by everybody");
    clock.advance(5_000);
    keys.change(|it| it.status = 200);
    assert_eq!(enter(&server, &token).await.status, 201);
    let broken: [fn(&mut issuer::Behaviour); 4] =
        [|it| it.status = 503, |it| it.status = 302, |it| it.keys.clear(), |it| it.padding = 65 * 1024];
    let right = SigningKey::first().public();
    let mut asked = 2;
    for change in broken {
        keys.change(change);
        clock.advance(9 * MINUTE_MS);
        assert_eq!(enter(&server, &token).await.status, 200, "good for ten minutes");
        assert_eq!(outcome(&enter(&server, &unknown).await), away(), "who knows whether there is such a key");
        asked += 1;
        clock.advance(MINUTE_MS);
        assert_eq!(outcome(&enter(&server, &token).await), away(), "over");
        asked += 1;
        keys.change(|it| (it.status, it.padding, it.keys) = (200, 0, vec![right.clone()]));
        assert_eq!(outcome(&enter(&server, &token).await), away(), "not asked again at once");
        clock.advance(5_000);
        assert_eq!(enter(&server, &token).await.status, 200);
        asked += 1;
        assert_eq!(keys.asked(), asked);
    }
    stop(server, keys).await;
}

#[tokio::test]
async fn a_source_that_says_nothing_is_not_waited_for() {
    let (key, keys) = (SigningKey::first(), KeyServer::start(&[&SigningKey::first()]).await);
    let (server, clock) = start(&keys).await;
    let token = key.token(&claims("ada"));
    keys.hold(true);
    assert_eq!(outcome(&enter(&server, &token).await), away());
    keys.hold(false);
    clock.advance(5_000);
    assert_eq!(enter(&server, &token).await.status, 201);
    stop(server, keys).await;
}
