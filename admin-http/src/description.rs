//! What the routes say of themselves, as OpenAPI 3.1: `admin-http/openapi.json`, which a test compares with the code. It is
//! never served.
//!
//! A handler's attribute says what is its own: path, method, body, the answer when all is well. What holds for many routes is
//! added where the document is made (`tests.rs`): the role, the shape of errors, the header against forgery.

use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::error::ErrorBody;
use crate::sessions::COOKIE;
use crate::views::Span;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Dopamine Hero, operators",
        description = "The operators' listener. A request is answered within 10 s; bodies are at most 16 KiB, with a \
                       catalogue 384 KiB. `x-role` is the least role that a route takes.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(ErrorBody, Span)),
    modifiers(&Security),
    tags(
        (name = "login", description = "To come in"),
        (name = "server", description = "How it is"),
        (name = "players", description = "Who plays"),
        (name = "corrections", description = "What is put right"),
        (name = "catalogue", description = "The game's numbers"),
        (name = "cost", description = "What it costs"),
        (name = "operators", description = "Who may do what"),
        (name = "audit", description = "What was done"),
    ),
)]
struct Base;

/// How a request says whose it is.
struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, description: &mut OpenApi) {
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description(COOKIE, "Set by a login"));
        let components = description.components.get_or_insert_with(utoipa::openapi::Components::new);
        components.add_security_scheme("login", SecurityScheme::ApiKey(cookie));
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("ADMIN_DRAIN_TOKEN"));
        components.add_security_scheme("deploy_hook", SecurityScheme::Http(token.build()));
    }
}

/// The description without its routes.
pub(crate) fn base() -> OpenApi {
    <Base as utoipa::OpenApi>::openapi()
}
