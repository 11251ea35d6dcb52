//! Ctrl-C and SIGTERM as something to look at, so that xtask can stop what it started in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Whether someone asked us to stop.
pub(crate) struct StopSignal(Arc<AtomicBool>);

impl StopSignal {
    /// From now on SIGINT, SIGTERM and SIGHUP no longer end xtask by themselves.
    pub(crate) fn listen() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&flag)).context("cannot listen for signals")?;
        }
        Ok(Self(flag))
    }

    /// True once for each time we were asked (asks close together count as one).
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}
