//! Writes the shapes of the panel's API as TypeScript, for `web/admin`.
//!
//! `cargo xtask codegen` runs the test below with `UPDATE=1`; without it, the test compares.

use std::fmt::Write as _;
use std::path::Path;

use ts_rs::{Config, TS};

use crate::views;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/admin/src/api.gen.ts");

const HEADER: &str = "\
// Generated from the Rust crate `admin-http` by `cargo xtask codegen`. Do not edit.
//
// What the operators' listener answers and takes. Times are server UTC in ms, amounts in thousandths.
";

fn declare<T: TS>(out: &mut String, config: &Config) {
    out.push('\n');
    if let Some(docs) = T::docs() {
        out.push_str(&docs);
    }
    let _ = writeln!(out, "export {}", T::decl(config));
}

macro_rules! declare_all {
    ($out:expr, $config:expr, $($type:ty),+ $(,)?) => { $( declare::<$type>($out, $config); )+ };
}

fn generate() -> String {
    let config = Config::new().with_large_int("number");
    let mut out = String::from(HEADER);
    declare_all!(
        &mut out,
        &config,
        views::Overview,
        views::SimulationOverview,
        views::JournalOverview,
        views::Span,
        views::HistoryPoint,
        views::PlayerPage,
        views::PlayerRow,
        views::Player,
        views::AccountFacts,
        views::Device,
        views::Socket,
        views::Timeline,
        views::TimelineEvent,
        views::HeroAt,
        views::Balance,
        views::CauseSum,
        views::BalanceLine,
        views::Correction,
        views::Corrected,
        views::Outage,
        views::CatalogueVersions,
        views::CatalogueVersion,
        views::CatalogueText,
        views::UploadedCatalogue,
        views::CatalogueProblem,
        views::DryRun,
        views::DryRunChange,
        views::DryRunHero,
        views::Cost,
        views::Rightsizing,
        views::Verdict,
        views::Load,
        views::Phase,
        views::Budget,
        views::System,
        views::Draining,
        views::Setting,
        views::Node,
        views::Migration,
        views::Banner,
        views::Role,
        views::SessionState,
        views::SignedIn,
        views::Session,
        views::SetupAsk,
        views::SetupOffer,
        views::SetupConfirm,
        views::LoginAsk,
        views::Operator,
        views::Invitation,
        views::InvitationAsk,
        views::OperatorChange,
        views::AuditRow,
        views::AuditPage,
        views::AuditVerdict,
        views::ApprovalState,
        views::Approval,
        views::ApprovalDecision,
        views::ReasonAsk,
        views::CloseAsk,
        views::BanAsk,
        views::EraseAsk,
        views::CorrectionAsk,
        views::OutageAsk,
        views::CatalogueUpload,
        views::CatalogueSwitch,
        views::BudgetAsk,
        views::BannerAsk,
        crate::error::ErrorBody,
    );
    out.replace("[`", "`").replace("`]", "`")
}

#[test]
fn typescript_is_current() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch of `cargo xtask codegen` reaches a test no other way"
    )]
    let update = std::env::var("UPDATE").is_ok();
    let path = Path::new(FILE);
    let wanted = generate();
    if update {
        std::fs::create_dir_all(path.parent().expect("the file lies in a folder")).expect("make the folder");
        std::fs::write(path, &wanted).expect("write the generated file");
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == wanted,
        "web/admin/src/api.gen.ts is not what the Rust types say: run cargo xtask codegen"
    );
}
