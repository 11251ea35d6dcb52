//! OpenTelemetry: the way of some commands, sent to a collector over OTLP by HTTP. One thread of its own sends batches; what it
//! cannot send in time is dropped.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::Layer;

use super::{Listener, way};
use crate::config::{OtlpConfig, TelemetryConfig};

/// How long the collector may take for a batch.
const SEND_WITHIN: Duration = Duration::from_secs(5);
/// How long the end may take.
const END_WITHIN: Duration = Duration::from_secs(2);

/// What sends traces.
#[derive(Debug)]
pub(super) struct Collector(SdkTracerProvider);

impl Collector {
    /// Starts the thread. Nothing is sent yet.
    pub(super) fn start(
        otlp: &OtlpConfig,
        config: &TelemetryConfig,
    ) -> Result<(Collector, Listener), ExporterBuildError> {
        // It fails when there is one already, and then it is the same.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(otlp.traces_url.expose())
            .with_timeout(SEND_WITHIN)
            .build()?;
        let resource = Resource::builder_empty()
            .with_service_name("dopamine-hero")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("deployment.environment.name", config.environment))
            .build();
        // Of the commands that are followed at all, so many are shown here.
        let share = config.traced_share();
        let ratio = if share > 0.0 { otlp.share / share } else { 0.0 };
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampler)
            .with_resource(resource)
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("dopamine-hero"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(Targets::new().with_target(way::TARGET, LevelFilter::INFO));
        Ok((Collector(provider), layer.boxed()))
    }

    /// Sends what waits.
    pub(super) fn finish(self) {
        if let Err(error) = self.0.shutdown_with_timeout(END_WITHIN) {
            tracing::warn!(error = &error as &dyn std::error::Error, "the last traces were not sent");
        }
    }
}
