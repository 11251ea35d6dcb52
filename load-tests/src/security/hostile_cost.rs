//! What hostile frames cost: memory and time of decoding them in this process, and memory of a server that they are sent to.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use protocol::codec::decode_client;
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::compare::quantile;
use super::{Measurement, SecurityOptions, Verdict};
use crate::faults::ServerPlan;
use crate::wire::{Device, Received, Socket};

const BYTES_MAX: usize = 1024 * 1024;
const MS_MAX: f64 = 1.0;
/// A frame of the largest size.
const FRAME_BYTES: usize = 8 * 1024;
const FRAGMENTS: usize = 100_000;
/// Sockets of one attack, one after the other; the first ones fill the allocator's own stores and are not measured.
const SOCKETS: usize = 20;
/// How long a server may take to end a hostile socket.
const END_WITHIN: Duration = Duration::from_secs(10);

/// How a socket is attacked once it was welcomed.
#[derive(Clone, Copy, Debug)]
enum Attack {
    /// This one message.
    Payload(Payload),
    /// One message in pieces of a byte.
    Fragments,
    /// The head of a frame that says 64 MiB, and some of them.
    LongFrame,
}

/// Makes a message.
type Payload = fn() -> Vec<u8>;

const PAYLOADS: [(&str, Payload); 6] = [
    ("a string that claims 64 MiB", || claim(&[0xdb, 0x04, 0, 0, 0])),
    ("bytes that claim 64 MiB", || claim(&[0xc6, 0x04, 0, 0, 0])),
    ("a list that claims 2^26 entries", || claim(&[0xdd, 0x04, 0, 0, 0])),
    ("a map that claims 2^26 entries", || claim(&[0xdf, 0x04, 0, 0, 0])),
    ("8 KiB of 0x91", || vec![0x91; FRAME_BYTES]),
    ("8 KiB of 0x81", || vec![0x81; FRAME_BYTES]),
];

/// 8 KiB that begin with a claim, where a command's field would be.
fn claim(head: &[u8]) -> Vec<u8> {
    // {"command": {"cmd_seq": the claim …
    let mut bytes = [&[0x81, 0xa7][..], b"command", &[0x81, 0xa7], b"cmd_seq", head].concat();
    bytes.resize(FRAME_BYTES, b'x');
    bytes
}

pub(super) async fn run(options: &SecurityOptions) -> Result<Vec<Measurement>> {
    let counted = Region::new(&INSTRUMENTED_SYSTEM);
    let seen = std::hint::black_box(vec![0_u8; 12_345]).len();
    ensure!(counted.change().bytes_allocated >= seen, "this program does not count what it allocates");
    let mut found = Vec::new();
    for (name, payload) in PAYLOADS {
        found.push(decoding(name, &payload(), options.count(1_000, 100))?);
    }
    let plan = options.plan("hostile-cost")?.without_socket_limits();
    let server = plan.start().await?;
    let id = server.id().context("the server runs")?;
    let device = Device::new_guest(&plan.endpoint(), None, 1).await?;
    let attacks = PAYLOADS.iter().map(|(name, payload)| (*name, Attack::Payload(*payload)));
    let others = [
        ("100,000 fragments of one byte", Attack::Fragments),
        ("a frame that claims 64 MiB", Attack::LongFrame),
    ];
    let attacks: Vec<(&str, Attack)> = attacks.chain(others).collect();
    for (_, attack) in &attacks {
        sockets(&plan, &device, *attack).await?;
    }
    for (name, attack) in &attacks {
        found.push(in_server(&plan, &device, id, name, *attack).await?);
    }
    ensure!(plan.log_problems().is_empty(), "the server's log has problems: {:?}", plan.log_problems());
    ensure!(server.stop().await?.success(), "the server did not end well");
    Ok(found)
}

/// The cost of a refusal in this process.
fn decoding(name: &str, frame: &[u8], times: usize) -> Result<Measurement> {
    let (mut took_ms, mut bytes) = (Vec::with_capacity(times), 0);
    for _ in 0..times {
        let counted = Region::new(&INSTRUMENTED_SYSTEM);
        let began = Instant::now();
        let refused = std::hint::black_box(decode_client(std::hint::black_box(frame)));
        took_ms.push(began.elapsed().as_secs_f64() * 1000.0);
        // All that was allocated: never less than what was held at a time. Other threads may add to it, so the least counts.
        let allocated = counted.change().bytes_allocated;
        bytes = if bytes == 0 { allocated } else { bytes.min(allocated) };
        ensure!(refused.is_err(), "{name} was taken");
    }
    let median_ms = quantile(&took_ms, 50).context("it was decoded")?;
    let max_ms = quantile(&took_ms, 100).context("it was decoded")?;
    let seen = format!(
        "{bytes} bytes allocated in all, {median_ms:.4} ms in the median of {times}, {max_ms:.4} ms at the longest"
    );
    let verdict = if bytes < BYTES_MAX && median_ms < MS_MAX { Verdict::Met } else { Verdict::Missed };
    let figures = json!({ "bytes": bytes, "median_ms": median_ms, "max_ms": max_ms, "times": times });
    let name = format!("hostile-cost, decoding {name}");
    Ok(Measurement::new(&name, "below 1 MiB and 1 ms", seen, verdict, figures))
}

/// How far the peak of the server's memory is above what it had before.
async fn in_server(
    plan: &ServerPlan,
    device: &Device,
    id: u32,
    name: &str,
    attack: Attack,
) -> Result<Measurement> {
    // 5 makes the peak what is there now.
    let clear = PathBuf::from(format!("/proc/{id}/clear_refs"));
    std::fs::write(&clear, "5").with_context(|| format!("cannot write {}", clear.display()))?;
    let before = peak_bytes(id)?;
    sockets(plan, device, attack).await?;
    let grown = peak_bytes(id)?.saturating_sub(before);
    let seen =
        format!("the server's peak grew by {} KiB over {SOCKETS} sockets, one after the other", grown / 1024);
    let verdict = if grown < BYTES_MAX { Verdict::Met } else { Verdict::Missed };
    let figures = json!({ "grown_bytes": grown, "sockets": SOCKETS });
    Ok(Measurement::new(&format!("hostile-cost, a server and {name}"), "below 1 MiB", seen, verdict, figures))
}

fn peak_bytes(id: u32) -> Result<usize> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).context("the server runs")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("it has a peak")?;
    let kib: usize = line.trim().trim_end_matches("kB").trim().parse().context("a number of kB")?;
    Ok(kib * 1024)
}

async fn sockets(plan: &ServerPlan, device: &Device, attack: Attack) -> Result<()> {
    for _ in 0..SOCKETS {
        let (socket, _) = device.open(&plan.endpoint(), None).await?;
        let ended = timeout(END_WITHIN, strike(socket, attack)).await;
        ended.with_context(|| format!("{attack:?} was not ended"))??;
    }
    Ok(())
}

/// Attacks a socket until the server ends it.
async fn strike(mut socket: Socket, attack: Attack) -> Result<()> {
    match attack {
        Attack::Payload(payload) => socket.send_raw(Message::binary(payload())).await?,
        Attack::Fragments => {
            for number in 0..FRAGMENTS {
                let kind = if number == 0 { Data::Binary } else { Data::Continue };
                let piece = Frame::message(vec![0xc0], OpCode::Data(kind), false);
                // The server has had enough.
                if socket.send_raw(Message::Frame(piece)).await.is_err() {
                    return Ok(());
                }
            }
        }
        Attack::LongFrame => {
            let mut stream = socket.into_stream();
            // Binary, whole, masked with zeros, 64 MiB.
            let head = [0x82, 0xff, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0, 0, 0];
            let mut bytes = head.to_vec();
            bytes.resize(FRAME_BYTES, b'x');
            let mut answer = [0; 1024];
            for _ in 0..(64 * 1024 * 1024 / FRAME_BYTES) {
                if stream.write_all(&bytes).await.is_err() {
                    return Ok(());
                }
                if let Ok(Ok(0) | Err(_)) = timeout(Duration::from_millis(5), stream.read(&mut answer)).await
                {
                    return Ok(());
                }
            }
            bail!("the server read 64 MiB");
        }
    }
    loop {
        // A message of claims is refused, and then it is we who end the socket.
        match socket.receive_soon().await? {
            Received::Closed(_) => return Ok(()),
            Received::Message(protocol::server::ServerMessage::Rejected(_)) => {
                socket.close().await;
                return Ok(());
            }
            Received::Message(_) => {}
        }
    }
}
