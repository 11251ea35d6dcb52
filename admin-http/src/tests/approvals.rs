//! What one may not do alone.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Bench, Browser, PASSWORD, SECRET};
use crate::operations::Refused;
use crate::views::Role;

const PATH: &str = "/v1/players/h/corrections";

fn grant(energy_me: i64) -> Value {
    json!({ "reason": "lost by a bug", "energy_me": energy_me, "dopamine_md": 0, "reverts": null })
}

async fn bench() -> Bench {
    let bench = Bench::staffed();
    bench.records.add("ada", Role::Operator, PASSWORD, SECRET);
    bench
}

#[tokio::test]
async fn a_small_correction_is_done_and_a_large_one_asks_for_a_second_person() {
    let bench = bench().await;
    let (operator, ada) = (bench.login("operator").await, bench.login("ada").await);
    let answer = bench.ask(Some(&operator), "POST", PATH, grant(500_000)).await;
    assert_eq!((answer.status, answer.json()["seq"].as_u64()), (StatusCode::OK, Some(9)), "{}", answer.text);
    assert_eq!(bench.server.done().len(), 1);

    let answer = bench.ask(Some(&operator), "POST", PATH, grant(-500_001)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    let approval = answer.json();
    assert_eq!((&approval["state"], &approval["requested_by"]), (&json!("open"), &json!("operator")));
    assert_eq!(bench.server.done().len(), 1, "nothing is done yet");
    let path = format!("/v1/approvals/{}", approval["id"]);
    let answer = bench.ask(Some(&operator), "POST", &path, json!({ "is_approved": true })).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "own_wish"));

    let answer = bench.ask(Some(&ada), "POST", &path, json!({ "is_approved": true })).await;
    assert_eq!((answer.status, &answer.json()["is_done"]), (StatusCode::OK, &json!(true)), "{}", answer.text);
    let (actor, what) = bench.server.done().remove(1);
    assert_eq!(what, "correct h -500001 0");
    assert_eq!(
        (actor.operator.as_str(), actor.reason.as_str()),
        ("operator", "lost by a bug (approved by ada)")
    );
    for decision in [true, false] {
        let answer = bench.ask(Some(&ada), "POST", &path, json!({ "is_approved": decision })).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "once");
    }
    assert_eq!(bench.server.done().len(), 2);
    let listed = bench.ask(Some(&ada), "GET", "/v1/approvals", Value::Null).await.json();
    assert_eq!((&listed[0]["state"], &listed[0]["decided_by"]), (&json!("approved"), &json!("ada")));
}

#[tokio::test]
async fn a_limit_is_not_passed_in_small_steps() {
    let bench = bench().await;
    let (operator, ada) = (bench.login("operator").await, bench.login("ada").await);
    let status =
        async |who: &Browser, energy_me| bench.ask(Some(who), "POST", PATH, grant(energy_me)).await.status;
    assert_eq!(status(&operator, 300_000).await, StatusCode::OK);
    *bench.server.failing.lock().expect("free") = Some(Refused::Busy);
    assert_eq!(status(&operator, 200_000).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(status(&operator, -200_000).await, StatusCode::OK, "what failed does not count");
    assert_eq!(status(&operator, 1).await, StatusCode::ACCEPTED, "what is taken counts as what is given");
    assert_eq!(status(&ada, 500_000).await, StatusCode::OK, "everybody has a limit of their own");
    // Many at once find room for one.
    bench.records.advance(24 * 60 * 60 * 1_000 + 1);
    let operator = bench.login("operator").await;
    let (one, two, three) =
        tokio::join!(status(&operator, 400_000), status(&operator, 400_000), status(&operator, 400_000));
    let alone = [one, two, three].into_iter().filter(|status| *status == StatusCode::OK).count();
    assert_eq!(alone, 1);
}

#[tokio::test]
async fn what_was_approved_and_failed_is_approved_again_and_happens_once() {
    let bench = bench().await;
    let (operator, ada, owner) =
        (bench.login("operator").await, bench.login("ada").await, bench.login("owner").await);
    let id = bench.ask(Some(&operator), "POST", PATH, grant(600_000)).await.json()["id"].clone();
    let path = format!("/v1/approvals/{id}");
    *bench.server.failing.lock().expect("free") = Some(Refused::Busy);
    let answer = bench.ask(Some(&ada), "POST", &path, json!({ "is_approved": true })).await;
    assert_eq!(answer.code(), "busy");
    let answer = bench.ask(Some(&operator), "POST", &path, json!({ "is_approved": true })).await;
    assert_eq!(answer.code(), "own_wish", "still not by who asked");
    let (one, two) = tokio::join!(
        bench.ask(Some(&ada), "POST", &path, json!({ "is_approved": true })),
        bench.ask(Some(&owner), "POST", &path, json!({ "is_approved": true })),
    );
    assert!(one.status.is_success() || two.status.is_success(), "{} {}", one.text, two.text);
    assert_eq!(bench.server.done().len(), 1, "both name the same row, so the hero takes it once");
}

#[tokio::test]
async fn an_approval_is_refused_or_ends_after_seven_days() {
    let bench = bench().await;
    let operator = bench.login("operator").await;
    let refused = bench.ask(Some(&operator), "POST", PATH, grant(600_000)).await.json()["id"].clone();
    let ended = bench.ask(Some(&operator), "POST", PATH, grant(700_000)).await.json()["id"].clone();
    let ada = bench.login("ada").await;
    let path = format!("/v1/approvals/{refused}");
    let answer = bench.ask(Some(&ada), "POST", &path, json!({ "is_approved": false })).await;
    assert_eq!(answer.json()["state"], "refused");
    assert_eq!(bench.ask(Some(&ada), "POST", &path, json!({ "is_approved": true })).await.code(), "conflict");
    bench.records.advance(7 * 24 * 60 * 60 * 1_000);
    let ada = bench.login("ada").await;
    let path = format!("/v1/approvals/{ended}");
    assert_eq!(bench.ask(Some(&ada), "POST", &path, json!({ "is_approved": true })).await.code(), "conflict");
    let listed = bench.ask(Some(&ada), "GET", "/v1/approvals", Value::Null).await.json();
    let states: Vec<_> = listed.as_array().expect("a list").iter().map(|it| it["state"].clone()).collect();
    assert_eq!(states, ["expired", "refused"]);
    assert!(bench.server.done().is_empty());
}

#[tokio::test]
async fn an_event_that_is_taken_back_counts_with_its_own_amount() {
    let bench = bench().await;
    let operator = bench.login("operator").await;
    let revert = |energy_me: i64| json!({ "reason": "cheated", "energy_me": energy_me, "dopamine_md": 0, "reverts": 7 });
    // The event gave 900 energy: more than one may take back alone, whatever is said of the amount.
    for energy_me in [0, -900_000] {
        let answer = bench.ask(Some(&operator), "POST", PATH, revert(energy_me)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        assert_eq!(answer.json()["correction"]["energy_me"], -900_000);
    }
    let answer = bench.ask(Some(&operator), "POST", PATH, revert(-1)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        bench.ask(Some(&operator), "POST", PATH, grant(0)).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert!(bench.server.done().is_empty());
}
