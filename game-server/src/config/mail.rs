//! How mails are sent.

use std::fmt;

use lettre::message::Mailbox;

use super::reader::without_credentials;
use super::{Environment, Reader};

/// A mail server, and what mails say.
#[derive(Clone, PartialEq, Eq)]
pub struct MailConfig {
    smtp_url: String,
    /// From whom they are.
    pub from: Mailbox,
    /// How their links begin; without a slash at the end.
    pub public_url: String,
}

impl MailConfig {
    /// The mail server, with what logs in to it, for the one place that connects.
    pub(crate) fn smtp_url(&self) -> &str {
        &self.smtp_url
    }
}

impl fmt::Debug for MailConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&without_credentials(&self.smtp_url))
    }
}

impl Reader<'_> {
    pub(super) fn mail(&mut self, environment: Environment) -> Option<MailConfig> {
        let smtp_url = self.text("SMTP_URL");
        let (from, public_url) = (self.text("MAIL_FROM"), self.text("PUBLIC_URL"));
        let is_asked = !smtp_url.is_empty();
        if is_asked && !is_mail_server(&smtp_url, environment) {
            let expected = "smtps://USER:PASSWORD@HOST, smtp://HOST:PORT?tls=required, or without TLS, in production, \
                            smtp://127.0.0.1:PORT";
            self.problem("SMTP_URL", &without_credentials(&smtp_url), expected);
        }
        let sender = from.parse::<Mailbox>().ok();
        if sender.is_none() && (is_asked || !from.is_empty()) {
            let expected = "an address such as hero@example.org or Dopamine Hero <hero@example.org>";
            self.problem("MAIL_FROM", &from, expected);
        }
        let public_url = public_url.trim_end_matches('/').to_owned();
        let is_url = is_page(&public_url, environment);
        if !is_url && (is_asked || !public_url.is_empty()) {
            let expected =
                "where the web client is, such as https://play.example.org; only https:// in production";
            self.problem("PUBLIC_URL", &public_url, expected);
        }
        sender.filter(|_| is_asked && is_url).map(|from| MailConfig { smtp_url, from, public_url })
    }
}

fn is_mail_server(url: &str, environment: Environment) -> bool {
    let builds = lettre::AsyncSmtpTransport::<lettre::Tokio1Executor>::from_url(url).is_ok();
    let host = url.rsplit_once('@').map_or_else(|| url.trim_start_matches("smtp://"), |(_, host)| host);
    let is_here = ["127.0.0.1", "localhost", "[::1]"].iter().any(|here| {
        host.strip_prefix(here).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?']))
    });
    let is_private = url.starts_with("smtps://") || url.ends_with("?tls=required") || is_here;
    builds && (is_private || environment != Environment::Production)
}

fn is_page(url: &str, environment: Environment) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://").filter(|_| environment != Environment::Production));
    // One line of ASCII: it goes into mails as it is.
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && rest.len() <= 255
            && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"#?@\"<>".contains(&byte))
    })
}
