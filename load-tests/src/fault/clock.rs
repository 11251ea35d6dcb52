//! The wall clock jumps; nothing that keeps heroes safe depends on it.

use anyhow::Result;

use super::disk::play_on;
use super::machine::FAKETIME;
use super::{Bench, Case, Need, Outcome};
use crate::scenario::crowd::{Crowd, CrowdOptions};
use crate::scenario::settle::settle;
use crate::wire::Device;

pub(super) const JUMPS: Case = Case {
    id: "16",
    name: "the clock jumps by one hour, back and forth",
    needs: &[Need::Faketime],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(jumps(bench)),
};

async fn jumps(bench: &Bench) -> Result<Outcome> {
    let plan = bench.plan("16")?;
    let clock = plan.directory.join("clock");
    std::fs::write(&clock, "+0")?;
    let plan = plan
        .with("LD_PRELOAD", FAKETIME)
        .with("FAKETIME_TIMESTAMP_FILE", &clock.display().to_string())
        .with("FAKETIME_NO_CACHE", "1")
        .with("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let server = plan.start().await?;
    let options = CrowdOptions { bots: 50, seed: bench.seed, wish_every_ms: 100, cut_once_in: 100 };
    let crowd = Crowd::start(&plan.endpoint(), &options).await?;
    let witness = Device::new_guest(&plan.endpoint(), None, 1).await?;
    let rounds = bench.count(5, 1);
    // The server's clock adds up the steps forward and leaves out those backwards: that it went by two hours in the second
    // leap shows that the first one was there.
    let leaps = [("-1h", 0), ("+1h", 120), ("+0", 0)];
    let mut wrong = Vec::new();
    let leaps = leaps.iter().cycle().take(usize::try_from(3 * rounds)?);
    for (offset, expected) in leaps {
        let before = server_time_ms(&witness, &plan.endpoint()).await?;
        std::fs::write(&clock, offset)?;
        let minutes = (server_time_ms(&witness, &plan.endpoint()).await? - before) / 60_000;
        if minutes != *expected {
            wrong.push(format!("at {offset} the server's clock went by {minutes} min instead of {expected}"));
        }
        play_on(&crowd, 200).await?;
    }
    let settled = settle(&plan, server, crowd, &|_| false).await?;
    let checked = "the server's clock went forward with the leaps and never back".to_owned();
    let injected = format!("{} leaps of the wall clock under 50 devices", 3 * rounds);
    let mut outcome = Outcome::of(&settled, injected, checked);
    outcome.findings.extend(wrong);
    Ok(outcome)
}

/// What the server believes the time to be.
async fn server_time_ms(device: &Device, endpoint: &crate::http::Endpoint) -> Result<i64> {
    let (socket, welcome) = device.open(endpoint, None).await?;
    socket.close().await;
    Ok(welcome.server_now_ms)
}
