//! One connection to Redis or to a Redis Cluster, with its subscriptions. It is made, used and thrown away: it never
//! mends itself, because who connects again also subscribes again, and only the breaker knows when to try.

use std::fmt;
use std::time::Duration;

use ::redis::aio::{AsyncPushSender, ConnectionLike, MultiplexedConnection};
use ::redis::cluster::ClusterClient;
use ::redis::cluster_async::ClusterConnection;
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion,
    RedisResult, Value,
};

use super::value;
use crate::record::NodeId;

/// A connection with its subscriptions is made within this time, or the probe has failed. Nobody waits for it.
pub(super) const CONNECT_WAIT: Duration = Duration::from_secs(2);
/// Calls on the way at once; more wait for their turn, and give up after their 50 ms.
const IN_FLIGHT_MAX: usize = 1_024;
/// In a cluster, a call is sent again when the cluster says that another node has the key.
const CLUSTER_RETRIES_MAX: u32 = 2;
/// Waits before these, in milliseconds: they must fit into the 50 ms of the call.
const CLUSTER_RETRY_MIN_MS: u64 = 2;
const CLUSTER_RETRY_MAX_MS: u64 = 10;
/// Most addresses in a URL of a cluster: any one of them knows the others.
const NODES_MAX: usize = 32;

/// Where Redis is: one URL, or several separated by commas for a Redis Cluster. It may hold a password and prints
/// without it.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(Vec<String>);

/// A text that is no address of Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "redis://HOST:PORT/DATABASE (rediss:// for TLS), or the addresses of a Redis Cluster, at most {NODES_MAX}, separated by commas"
)]
pub struct BadRedisUrl;

impl RedisUrl {
    /// Reads a URL or several.
    ///
    /// # Errors
    /// [`BadRedisUrl`] says what is expected, and does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, BadRedisUrl> {
        let nodes: Vec<String> = text.split(',').map(|node| node.trim().to_owned()).collect();
        let is_good = |node: &String| node.as_str().into_connection_info().is_ok();
        if nodes.len() > NODES_MAX || !nodes.iter().all(is_good) {
            return Err(BadRedisUrl);
        }
        let url = Self(nodes);
        // The library's own checks: one password, one database, no sockets of a file system.
        if url.is_cluster() && ClusterClient::new(url.0.clone()).is_err() {
            return Err(BadRedisUrl);
        }
        Ok(url)
    }

    fn is_cluster(&self) -> bool {
        self.0.len() > 1
    }

    fn infos(&self) -> RedisResult<Vec<ConnectionInfo>> {
        self.0.iter().map(|node| node.as_str().into_connection_info()).collect()
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let infos = self.infos().map_err(|_| fmt::Error)?;
        infos.iter().enumerate().try_for_each(|(index, info)| {
            let comma = if index == 0 { "" } else { "," };
            let scheme =
                if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) { "rediss" } else { "redis" };
            write!(f, "{comma}{scheme}://{}/{}", info.addr(), info.redis_settings().db())
        })
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

/// A connection; clones share it.
#[derive(Clone)]
pub(super) enum Link {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Link {
    /// Connects and subscribes to what `me` must hear. `on_push` gets every message, and hears of the end.
    pub(super) async fn connect(
        url: &RedisUrl,
        me: NodeId,
        on_push: impl AsyncPushSender,
    ) -> RedisResult<Self> {
        let (mine, everybody) = (value::node_channel(me), value::EVERYBODY);
        if url.is_cluster() {
            let builder = ClusterClient::builder(url.0.iter().map(String::as_str))
                // Subscriptions on the same connection need it.
                .use_protocol(ProtocolVersion::RESP3)
                .push_sender(on_push)
                .connection_timeout(CONNECT_WAIT)
                .response_timeout(CONNECT_WAIT)
                .connection_concurrency_limit(IN_FLIGHT_MAX)
                .retries(CLUSTER_RETRIES_MAX)
                .min_retry_wait(CLUSTER_RETRY_MIN_MS)
                .max_retry_wait(CLUSTER_RETRY_MAX_MS);
            let mut connection = builder.build()?.get_async_connection().await?;
            // One by one: they may live on different nodes.
            connection.ssubscribe(mine).await?;
            connection.ssubscribe(everybody).await?;
            return Ok(Self::Cluster(connection));
        }
        let info = url.infos()?.remove(0);
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_WAIT))
            .set_response_timeout(Some(CONNECT_WAIT))
            .set_concurrency_limit(IN_FLIGHT_MAX)
            .set_push_sender(on_push);
        let client = Client::open(info.set_redis_settings(settings))?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        connection.subscribe(&[mine.as_str(), everybody]).await?;
        Ok(Self::Single(connection))
    }

    /// Sends one command.
    pub(super) async fn call(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command).await,
            Self::Cluster(connection) => connection.req_packed_command(command).await,
        }
    }

    /// The command that sends a message: in a cluster only the nodes of the channel's shard carry it.
    pub(super) fn publish(&self, channel: &str, message: &[u8]) -> Cmd {
        let name = match self {
            Self::Single(_) => "PUBLISH",
            Self::Cluster(_) => "SPUBLISH",
        };
        ::redis::cmd(name).arg(channel).arg(message).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_checked_and_prints_without_its_password() {
        let shown = |text: &str| RedisUrl::parse(text).map(|url| format!("{url}"));
        assert_eq!(shown("redis://host"), Ok("redis://host:6379/0".to_owned()));
        assert_eq!(shown("redis://user:secret@host:1/2"), Ok("redis://host:1/2".to_owned()));
        assert_eq!(shown("rediss://host:1"), Ok("rediss://host:1/0".to_owned()));
        assert_eq!(shown("redis://a:1, redis://b:2"), Ok("redis://a:1/0,redis://b:2/0".to_owned()));
        for bad in ["", "host", "http://host", "redis://a,", "redis://:x@a,redis://b", "redis://a:x"] {
            assert_eq!(RedisUrl::parse(bad), Err(BadRedisUrl), "{bad}");
        }
        assert_eq!(RedisUrl::parse(&["redis://a"; NODES_MAX + 1].join(",")), Err(BadRedisUrl));
    }
}
