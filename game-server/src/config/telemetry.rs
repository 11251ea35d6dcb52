//! Where logs, errors and traces go.

use std::path::PathBuf;

use super::budget::{is_collector, shown};
use super::{Environment, LogFormat, LogLevel, Reader, SecretText};

/// Longest address of a collector, in bytes.
const URL_BYTES_MAX: usize = 1_024;

/// Where logs, errors and traces go.
#[derive(Clone, Debug, PartialEq)]
pub struct TelemetryConfig {
    /// Where the server runs, as it is told to others.
    pub environment: &'static str,
    /// How much is logged.
    pub level: LogLevel,
    /// How a line looks on the console.
    pub format: LogFormat,
    /// A file that gets every line too, as JSON.
    pub file: Option<PathBuf>,
    /// Who is told of errors.
    pub sentry: Option<SentryConfig>,
    /// Who gets traces.
    pub otlp: Option<OtlpConfig>,
}

// A share is a number of a list of digits, never the result of a calculation: it equals itself.
impl Eq for TelemetryConfig {}

/// A project of Sentry.
#[derive(Clone, Debug, PartialEq)]
pub struct SentryConfig {
    /// Its address with its key.
    pub dsn: SecretText,
    /// The share of commands whose way it is told too, 0 to 1.
    pub traces_share: f64,
}

/// A collector of OpenTelemetry.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpConfig {
    /// Where its traces go: the configured address with `/v1/traces` behind it.
    pub traces_url: SecretText,
    /// The share of commands that are traced, 0 to 1.
    pub share: f64,
}

impl TelemetryConfig {
    /// The share of commands that anybody wants to follow; 0 when nobody does.
    pub fn traced_share(&self) -> f64 {
        let sentry = self.sentry.as_ref().map_or(0.0, |sentry| sentry.traces_share);
        self.otlp.as_ref().map_or(0.0, |otlp| otlp.share).max(sentry)
    }
}

impl Reader<'_> {
    pub(super) fn telemetry(&mut self, environment: Environment) -> TelemetryConfig {
        let (level, format) = (self.log_level(), self.log_format());
        let file = self.text("LOG_FILE");
        if file.contains('\0') || file.ends_with('/') {
            self.problem("LOG_FILE", &file, "the path of a file such as /var/log/dopamine-hero/server.log");
        }
        TelemetryConfig {
            environment: environment.as_str(),
            level,
            format,
            file: Some(file).filter(|file| !file.is_empty()).map(PathBuf::from),
            sentry: self.sentry(environment),
            otlp: self.otlp(environment),
        }
    }

    fn sentry(&mut self, environment: Environment) -> Option<SentryConfig> {
        let traces_share = self.share("SENTRY_TRACES_SAMPLE_RATE");
        let dsn = self.text("SENTRY_DSN");
        if dsn.is_empty() {
            return None;
        }
        let is_dsn = dsn.parse::<sentry::types::Dsn>().is_ok();
        if !is_dsn || !is_collector(&dsn, environment, URL_BYTES_MAX) {
            let expected = "the project's DSN, such as https://KEY@o0.ingest.sentry.io/1, in production only https:// or on \
                            the same machine";
            // A key may stand anywhere in what is no DSN.
            self.problem("SENTRY_DSN", "***", expected);
            return None;
        }
        Some(SentryConfig { dsn: SecretText::new(dsn), traces_share })
    }

    fn otlp(&mut self, environment: Environment) -> Option<OtlpConfig> {
        let share = self.share("OTEL_TRACES_SAMPLER_ARG");
        let endpoint = self.text("OTEL_EXPORTER_OTLP_ENDPOINT");
        if endpoint.is_empty() {
            return None;
        }
        if !is_collector(&endpoint, environment, URL_BYTES_MAX) {
            let expected = "the collector's address for OTLP over HTTP, such as http://127.0.0.1:4318; in production \
                            only https://, or on the same machine";
            self.problem("OTEL_EXPORTER_OTLP_ENDPOINT", &shown(&endpoint), expected);
            return None;
        }
        let traces_url = SecretText::new(format!("{}/v1/traces", endpoint.trim_end_matches('/')));
        Some(OtlpConfig { traces_url, share })
    }

    fn share(&mut self, name: &'static str) -> f64 {
        let text = self.text(name);
        match text.parse::<f64>() {
            Ok(share) if (0.0..=1.0).contains(&share) => share,
            _ => {
                self.problem(name, &text, "a share from 0 to 1, such as 0.1");
                0.0
            }
        }
    }
}
