//! Tells operators by mail and by Slack that a part of the budget is spent.

use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use reqwest::{Client, redirect};

use super::Money;
use crate::accounts::mail;
use crate::config::{Config, SecretText};

/// How long Slack may take. Its answer is not read.
const SLACK_WITHIN: Duration = Duration::from_secs(10);

/// Where it is told.
pub(super) struct Channels {
    mail: Option<Mail>,
    slack: Option<Slack>,
}

struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Address,
}

struct Slack {
    client: Client,
    webhook: SecretText,
}

impl Channels {
    /// Those that are configured. Nothing is sent yet.
    pub(super) fn open(config: &Config) -> Result<Channels, reqwest::Error> {
        let mail = config.mail.as_ref().zip(config.budget.mail_to.clone()).and_then(|(server, to)| {
            Some(Mail { transport: mail::transport(server)?, from: server.from.clone(), to })
        });
        let slack = config.budget.slack_webhook.clone().map(|webhook| {
            // It fails when there is one already, and then it is the same.
            let _installed = rustls::crypto::ring::default_provider().install_default();
            let client = Client::builder()
                .timeout(SLACK_WITHIN)
                .redirect(redirect::Policy::none())
                .https_only(webhook.expose().starts_with("https:"))
                .no_proxy()
                .build()?;
            Ok::<_, reqwest::Error>(Slack { client, webhook })
        });
        Ok(Channels { mail, slack: slack.transpose()? })
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let mail = self.mail.as_ref().map(|_| "mail");
        mail.into_iter().chain(self.slack.as_ref().map(|_| "slack"))
    }

    /// Whether it was taken there. Why it was not is in the log.
    pub(super) async fn tell(&self, channel: &str, text: &str) -> bool {
        match (channel, &self.mail, &self.slack) {
            ("mail", Some(mail), _) => mail.tell(text).await,
            ("slack", _, Some(slack)) => slack.tell(text).await,
            _ => false,
        }
    }
}

impl Mail {
    async fn tell(&self, text: &str) -> bool {
        let subject = text.lines().next().unwrap_or_default();
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, self.to.clone()))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text.replace('\n', "\r\n"));
        let Ok(message) = message else {
            tracing::warn!("the mail of the budget cannot be written");
            return false;
        };
        match self.transport.send(message).await {
            Ok(_taken) => true,
            Err(error) => {
                // What a mail server answers may repeat the address.
                let code = error.status().map(|code| code.to_string()).unwrap_or_default();
                tracing::warn!(
                    code,
                    "the mail of the budget could not be handed over; tried again in 10 minutes"
                );
                false
            }
        }
    }
}

impl Slack {
    async fn tell(&self, text: &str) -> bool {
        let body = serde_json::json!({ "text": text }).to_string();
        let request = self.client.post(self.webhook.expose()).header("content-type", "application/json");
        let why = match request.body(body).send().await {
            Ok(answer) if answer.status().is_success() => return true,
            Ok(answer) => answer.status().to_string(),
            // Its address is a secret.
            Err(error) => format!("{:#}", anyhow::Error::from(error.without_url())),
        };
        tracing::warn!(why, "Slack did not take the word of the budget; tried again in 10 minutes");
        false
    }
}

/// What is told: ASCII, its first line the subject.
pub(super) fn text(environment: &str, month: String, percent: u32, money: Money, budget_usd: u32) -> String {
    let Money { spent_usd, forecast_usd } = money;
    format!(
        "Dopamine Hero ({environment}): {percent} % of the budget of {month} is spent\n\n\
         Spent so far: ${spent_usd:.2} of ${budget_usd}.\n\
         If it goes on like this, the whole month costs ${forecast_usd:.2}.\n\n\
         This is an estimate: how long servers ran, times list prices. The panel's page on cost says what would\n\
         save money. Nothing was changed.\n"
    )
}
