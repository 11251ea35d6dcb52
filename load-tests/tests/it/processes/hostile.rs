//! Every wrong frame gets its refusal or its close code, and nothing else changes.

use load_tests::scenario::hostile;

use crate::harness::{Scratch, plan};

#[tokio::test]
async fn every_wrong_frame_is_refused_and_changes_nothing() {
    let scratch = Scratch::new("hostile");
    let plan = plan(&scratch);
    let server = plan.start().await.unwrap();
    let report = hostile::run(&plan.endpoint()).await.unwrap();
    assert!(report.is_clean(), "{}", report.summary());
    assert!(report.cases > 400, "{} cases only", report.cases);
    assert!(server.stop().await.unwrap().success());
    let (clean, words) = plan.verify().await.unwrap();
    assert!(clean, "{words}");
}
