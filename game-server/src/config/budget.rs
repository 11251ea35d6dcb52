//! What the service may cost, and who is told.

use lettre::Address;
use reqwest::Url;

use super::reader::without_credentials;
use super::{Environment, Reader, SecretText};

/// Largest budget, in dollars a month.
pub const BUDGET_USD_MAX: u32 = 10_000_000;
/// Longest address of a webhook, in bytes.
const URL_BYTES_MAX: usize = 1_024;

/// What the service may cost, and who is told when it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetConfig {
    /// Dollars a month, until somebody sets another budget in the panel.
    pub monthly_usd: u32,
    /// Who gets a mail.
    pub mail_to: Option<Address>,
    /// A Slack webhook; whoever knows it can write there.
    pub slack_webhook: Option<SecretText>,
}

impl Reader<'_> {
    pub(super) fn budget(&mut self, environment: Environment, has_mail: bool) -> BudgetConfig {
        BudgetConfig {
            monthly_usd: self.number("MONTHLY_BUDGET_USD", 1..=u64::from(BUDGET_USD_MAX)),
            mail_to: self.budget_mail(has_mail),
            slack_webhook: self.slack_webhook(environment),
        }
    }

    fn budget_mail(&mut self, has_mail: bool) -> Option<Address> {
        let text = self.text("BUDGET_MAIL_TO");
        if text.is_empty() {
            return None;
        }
        let address = text.parse::<Address>().ok();
        if address.is_none() {
            self.problem("BUDGET_MAIL_TO", &text, "an address such as operators@example.org");
        } else if !has_mail {
            self.problem("BUDGET_MAIL_TO", &text, "SMTP_URL, MAIL_FROM and PUBLIC_URL to be set too");
        }
        address
    }

    fn slack_webhook(&mut self, environment: Environment) -> Option<SecretText> {
        let text = self.text("SLACK_WEBHOOK_URL");
        if text.is_empty() {
            return None;
        }
        if !is_collector(&text, environment, URL_BYTES_MAX) {
            // Whoever knows it can write there: it is told without its path.
            let expected = "the https:// address that Slack showed when the webhook was made";
            self.problem("SLACK_WEBHOOK_URL", "***", expected);
            return None;
        }
        Some(SecretText::new(text))
    }
}

/// Whether something of ours may be sent there: only over TLS, or within this machine, or on a developer's network.
pub(super) fn is_collector(text: &str, environment: Environment, bytes_max: usize) -> bool {
    let Some(url) = Url::parse(text).ok().filter(|_| text.len() <= bytes_max) else { return false };
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_matches(['[', ']']);
    let is_here =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => true,
        "http" => is_here || environment != Environment::Production,
        _ => false,
    }
}

/// An address as it may be shown.
pub(super) fn shown(text: &str) -> String {
    without_credentials(text)
}
