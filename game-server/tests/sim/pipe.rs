//! The network between a client and a node: slow, cut after some bytes, or silent without an end.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};

use crate::numbers::Numbers;
use crate::road::Road;

/// What a pipe holds before its writer must wait.
const PIPE_BYTES: usize = 64 * 1024;

/// What is wrong with one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    delay_ms_max: u64,
    /// Both directions end after so many bytes in one of them.
    cut_after: Option<u64>,
    /// Nothing more arrives after so many bytes, and nobody is told.
    silent_after: Option<u64>,
}

impl Weather {
    pub(crate) fn fine() -> Self {
        Self { delay_ms_max: 5, cut_after: None, silent_after: None }
    }

    pub(crate) fn drawn(numbers: &mut Numbers) -> Self {
        let delay_ms_max = [2, 20, 80, 600][numbers.index(4)];
        let (is_cut, is_silent) = (numbers.percent(25), numbers.percent(10));
        Self {
            delay_ms_max,
            cut_after: is_cut.then(|| numbers.between(100, 6_000)),
            silent_after: is_silent.then(|| numbers.between(100, 6_000)),
        }
    }
}

/// A connection: the client's end, the node's end, and the network in between to be run.
pub(crate) fn pipe(
    weather: Weather,
    mut numbers: Numbers,
    road: Arc<Road>,
) -> (DuplexStream, DuplexStream, impl Future<Output = ()> + Send) {
    let (client, near) = duplex(PIPE_BYTES);
    let (far, node) = duplex(PIPE_BYTES);
    let (down, up) = (numbers.fork(), numbers.fork());
    let network = async move {
        let ((near_read, near_write), (far_read, far_write)) = (split(near), split(far));
        tokio::select! {
            biased;
            () = road.severed() => {}
            // What the node said last arrives before the end.
            () = carry(far_read, near_write, weather, down, &road) => {}
            () = carry(near_read, far_write, weather, up, &road) => {}
        }
    };
    (client, node, network)
}

async fn carry(
    mut from: ReadHalf<DuplexStream>,
    mut to: WriteHalf<DuplexStream>,
    weather: Weather,
    mut numbers: Numbers,
    road: &Road,
) {
    let (mut buffer, mut carried) = ([0; 4096], 0_u64);
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
        tokio::time::sleep(Duration::from_millis(numbers.between(0, weather.delay_ms_max))).await;
        if !road.passes().await {
            return;
        }
        let before = carried;
        carried += count as u64;
        if weather.silent_after.is_some_and(|limit| carried > limit) {
            return std::future::pending().await;
        }
        // Cut in the middle of a frame, not between two.
        let left = weather.cut_after.map_or(u64::MAX, |limit| limit.saturating_sub(before));
        let passing = count.min(usize::try_from(left).unwrap_or(usize::MAX));
        if to.write_all(&buffer[..passing]).await.is_err() || passing < count {
            return;
        }
    }
}
