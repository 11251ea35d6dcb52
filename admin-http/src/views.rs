//! What the panel is told and what it sends: plain shapes. Times are server UTC in ms, amounts in thousandths.
//!
//! `web/admin/src/api.gen.ts` is made of them (`cargo xtask codegen`), and `openapi.json` of the routes that use them.

mod asks;
mod catalogue;
mod cost;
mod operators;
mod overview;
mod players;
mod system;

pub use asks::{
    ApprovalDecision, BanAsk, BannerAsk, BudgetAsk, CatalogueSwitch, CatalogueUpload, CloseAsk,
    CorrectionAsk, EraseAsk, InvitationAsk, LoginAsk, OperatorChange, OutageAsk, ReasonAsk, SetupAsk,
    SetupConfirm,
};
pub use catalogue::{
    CatalogueProblem, CatalogueText, CatalogueVersion, CatalogueVersions, DryRun, DryRunChange, DryRunHero,
    UploadedCatalogue,
};
pub use cost::{Budget, Cost, Load, Phase, Rightsizing, Verdict};
pub use operators::{
    Approval, ApprovalState, AuditPage, AuditRow, AuditVerdict, Invitation, Operator, Role, Session,
    SessionState, SetupOffer, SignedIn,
};
pub use overview::{HistoryPoint, JournalOverview, Overview, SimulationOverview, Span};
pub use players::{
    AccountFacts, Balance, BalanceLine, CauseSum, Corrected, Correction, Device, HeroAt, Outage, Player,
    PlayerPage, PlayerRow, Socket, Timeline, TimelineEvent,
};
pub use system::{Banner, Draining, Migration, Node, Setting, System};
