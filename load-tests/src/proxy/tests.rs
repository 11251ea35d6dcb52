//! Real sockets against an echo.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Waits for anything longer than this are a hang.
const PATIENCE: Duration = Duration::from_secs(20);

async fn echo() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _cut = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

async fn start() -> (Proxy, TcpStream) {
    let proxy = Proxy::start(echo().await).await.unwrap();
    let client = TcpStream::connect(proxy.address()).await.unwrap();
    (proxy, client)
}

async fn say(client: &mut TcpStream, bytes: &[u8]) -> Vec<u8> {
    client.write_all(bytes).await.unwrap();
    let mut heard = vec![0; bytes.len()];
    tokio::time::timeout(PATIENCE, client.read_exact(&mut heard)).await.unwrap().unwrap();
    heard
}

/// Everything until the end, and whether the end was an orderly one.
async fn rest(client: &mut TcpStream) -> (Vec<u8>, bool) {
    let mut heard = Vec::new();
    let end = tokio::time::timeout(PATIENCE, client.read_to_end(&mut heard)).await.unwrap();
    (heard, end.is_ok())
}

#[tokio::test]
async fn without_faults_every_byte_arrives_and_is_counted() {
    let (proxy, mut client) = start().await;
    let all: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let (mut read, mut write) = client.split();
    let mut heard = vec![0; all.len()];
    let both = async { tokio::try_join!(write.write_all(&all), read.read_exact(&mut heard)) };
    tokio::time::timeout(PATIENCE, both).await.unwrap().unwrap();
    assert!(heard == all);
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, (Vec::new(), true), "an end is carried to the other side and back");
    let counts = proxy.counts();
    assert_eq!(counts.connections.get(), 1);
    assert_eq!((counts.to_server_bytes.get(), counts.to_client_bytes.get()), (3_000_000, 3_000_000));
    assert_eq!(counts.cut.get(), 0);
}

#[tokio::test]
async fn a_cut_is_exact_to_the_byte_in_both_directions() {
    for (cut, orderly) in [(Cut::End, true), (Cut::Reset, false)] {
        for n in [0, 1, 7, 4_999] {
            let (proxy, mut client) = start().await;
            assert_eq!(say(&mut client, b"before").await, b"before");
            let direction = Direction { cut_after_bytes: Some(n), ..Direction::default() };
            proxy.set(Faults { to_server: direction, cut, ..Faults::default() });
            // With n = 0 the cut does not wait for bytes, so that the write may fail.
            let _cut_already = client.write_all(&[1; 5_000]).await;
            let (_, was_orderly) = rest(&mut client).await;
            assert!(was_orderly == orderly || n < 4_999, "{cut:?} after {n}: orderly {was_orderly}");
            assert_eq!(proxy.counts().to_server_bytes.get(), 6 + n);
            assert_eq!(proxy.counts().cut.get(), 1);
        }
        let (proxy, mut client) = start().await;
        let direction = Direction { cut_after_bytes: Some(1_234), ..Direction::default() };
        proxy.set(Faults { to_client: direction, cut, ..Faults::default() });
        client.write_all(&[1; 5_000]).await.unwrap();
        let (heard, was_orderly) = rest(&mut client).await;
        assert_eq!(proxy.counts().to_client_bytes.get(), 1_234);
        if cut == Cut::End {
            assert_eq!((heard.len(), was_orderly), (1_234, true));
        } else {
            assert!(!was_orderly && heard.len() <= 1_234, "a reset may overtake what it follows");
        }
    }
}

#[tokio::test]
async fn all_connections_can_be_cut_at_once_and_new_ones_work() {
    let (proxy, mut client) = start().await;
    let mut other = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(say(&mut client, b"a").await, b"a");
    assert_eq!(say(&mut other, b"b").await, b"b");
    proxy.cut_all(Cut::Reset);
    assert!(!rest(&mut client).await.1 && !rest(&mut other).await.1);
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(say(&mut new, b"c").await, b"c");
    assert_eq!((proxy.counts().connections.get(), proxy.counts().cut.get()), (3, 2));
}

#[tokio::test]
async fn what_was_held_arrives_when_healed() {
    let (proxy, mut client) = start().await;
    assert_eq!(say(&mut client, b"before").await, b"before");
    proxy.set(Faults::black_hole(Flow::Held));
    client.write_all(b"held").await.unwrap();
    let silence = tokio::time::timeout(Duration::from_millis(200), client.read_u8()).await;
    assert!(silence.is_err(), "a byte came out of a black hole");
    proxy.heal();
    let mut heard = [0; 4];
    tokio::time::timeout(PATIENCE, client.read_exact(&mut heard)).await.unwrap().unwrap();
    assert_eq!(&heard, b"held");
}

#[tokio::test]
async fn a_connection_that_lost_bytes_never_goes_on() {
    let (proxy, mut client) = start().await;
    assert_eq!(say(&mut client, b"before").await, b"before");
    proxy.set(Faults::black_hole(Flow::Swallowed));
    client.write_all(b"lost").await.unwrap();
    let silence = tokio::time::timeout(Duration::from_millis(200), client.read_u8()).await;
    assert!(silence.is_err(), "a byte came out of a black hole");
    proxy.heal();
    let (heard, was_orderly) = rest(&mut client).await;
    assert_eq!((heard.as_slice(), was_orderly), (b"".as_slice(), false));
    assert_eq!(proxy.counts().to_server_bytes.get(), 6);
}

#[tokio::test]
async fn delay_and_throttle_take_their_time() {
    let (proxy, mut client) = start().await;
    let delay = Duration::from_millis(60);
    let direction = Direction { delay, ..Direction::default() };
    proxy.set(Faults { to_server: direction, to_client: direction, ..Faults::default() });
    let began = Instant::now();
    assert_eq!(say(&mut client, b"slow").await, b"slow");
    assert!(began.elapsed() >= 2 * delay);

    let direction = Direction { bytes_per_second: Some(10_000), ..Direction::default() };
    proxy.set(Faults { to_client: direction, ..Faults::default() });
    let began = Instant::now();
    say(&mut client, &[1; 3_000]).await;
    assert!(began.elapsed() >= Duration::from_millis(250), "{:?}", began.elapsed());
}
