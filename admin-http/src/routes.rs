//! Every route, with the least role it takes. Each comes with its description, so that none can be without; path and
//! method are in the attribute above the handler.

mod corrections;
mod game;
mod live;
pub(crate) mod login;
pub(crate) mod operators;
mod players;

use std::sync::Arc;

use utoipa_axum::routes;

use crate::Panel;
use crate::access::Routes;
use crate::description;
use crate::views::Role::{Operator, Owner, Support, Viewer};

pub(crate) fn all(panel: &Arc<Panel>) -> Routes {
    Routes::new(panel, description::base())
        .open(routes!(live::health))
        .open(routes!(login::session))
        .open(routes!(login::setup))
        .open(routes!(login::confirm))
        .open(routes!(login::login))
        .of(Viewer, routes!(login::logout))
        .watch(Viewer, routes!(live::overview))
        .watch(Viewer, routes!(live::history))
        .watch(Viewer, routes!(live::live))
        .of(Support, routes!(players::find))
        .of(Support, routes!(players::show))
        .of(Support, routes!(players::timeline))
        .of(Support, routes!(players::at))
        .of(Support, routes!(players::balance))
        .of(Support, routes!(players::export))
        .of(Support, routes!(players::close))
        .of(Operator, routes!(players::ban))
        .of(Operator, routes!(players::erase))
        .of(Support, routes!(corrections::limit))
        .of(Operator, routes!(corrections::correct))
        .of(Operator, routes!(corrections::approvals))
        .of(Operator, routes!(corrections::decide))
        .of(Viewer, routes!(corrections::outages))
        .of(Operator, routes!(corrections::declare_outage))
        .of(Viewer, routes!(game::catalogues))
        .of(Operator, routes!(game::upload_catalogue))
        .of(Viewer, routes!(game::catalogue))
        .of(Viewer, routes!(game::dry_run))
        .of(Owner, routes!(game::switch_catalogue))
        .of(Viewer, routes!(game::cost))
        .of(Owner, routes!(game::set_budget))
        .of(Viewer, routes!(game::system))
        .of(Operator, routes!(game::set_banner))
        .of(Owner, routes!(game::drain))
        .of(Owner, routes!(operators::list))
        .of(Owner, routes!(operators::send_invitation))
        .of(Owner, routes!(operators::change))
        .of(Operator, routes!(operators::audit))
        .of(Operator, routes!(operators::verify))
}
