//! A server beside Redis: seen by others while Redis is there, the same server without.

use game_server::metrics::{RedisCall, RedisOutcome};
use test_servers::Redis;

use crate::harness::{TestServer, wait_until};

#[tokio::test]
async fn a_server_shows_itself_in_redis_and_plays_on_without() {
    let mut redis = Redis::start();
    redis.kill();
    let server = TestServer::start_with(&[("REDIS_URL", &redis.url())]).await;
    let metrics = server.metrics();
    let guest = server.guest().await;
    let count = |outcome| metrics.redis_calls_total.of((RedisCall::Count, outcome)).get();
    assert_eq!(count(RedisOutcome::Away), 1, "the start did not wait for Redis");
    wait_until("the first look has failed", || metrics.redis_away_total.get() > 0).await;
    redis.restart();
    wait_until("Redis is found", || metrics.redis_up.get() == 1.0).await;
    let presence = || metrics.redis_calls_total.of((RedisCall::PutPresence, RedisOutcome::Done)).get();
    wait_until("the server has shown itself", || presence() > 0).await;
    assert_eq!(redis.cli(&["ZCARD", "dh:{nodes}"]).trim(), "1");
    server.ticket(&guest.1).await;
    wait_until("requests are counted", || count(RedisOutcome::Done) > 0).await;
    redis.kill();
    wait_until("it is noticed", || metrics.redis_up.get() == 0.0).await;
    server.ticket(&guest.1).await;
    redis.restart();
    wait_until("Redis is found again", || metrics.redis_up.get() == 1.0).await;
    server.stop().await;
}
