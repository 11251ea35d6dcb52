//! What the routes say of themselves, as OpenAPI 3.1: `docs/openapi.json`, which a test compares with the code. It is
//! never served.
//!
//! A handler's attribute says what is its own: path, method, body, answers. The description of an answer that is an error
//! names its codes in backticks. What holds for many routes is added where the document is made (`tests.rs`): the shape of
//! errors, 408 and 500, `x-request-id`, and the headers of the limit where a 429 says `rate`.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi};

use super::auth::COOKIE;
use super::error::ErrorBody;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Dopamine Hero",
        description = "What is not real time; the game itself is spoken over the WebSocket, see docs/protocol.md. Bodies of \
                       JSON are at most 8 KiB. A request is answered within 10 s.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(ErrorBody)),
    modifiers(&Security),
    tags(
        (name = "guests", description = "To begin without an account"),
        (name = "auth", description = "Accounts are made, devices come and go"),
        (name = "me", description = "An account and its devices"),
        (name = "play", description = "What a client needs to play"),
        (name = "operations", description = "For load balancers"),
    ),
)]
struct Base;

/// How a request says whose it is.
struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, description: &mut OpenApi) {
        let bearer = |text: &str| {
            let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(text)).build();
            SecurityScheme::Http(scheme)
        };
        let components = description.components.get_or_insert_with(Components::new);
        components.add_security_scheme("account", bearer("An access token: EdDSA, good for ten minutes"));
        components.add_security_scheme("guest", bearer("A guest's device token, which begins with `dh_`"));
        let text = "The refresh token of a browser; only from this server's own pages, which Origin tells";
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description(COOKIE, text));
        components.add_security_scheme("refresh", SecurityScheme::ApiKey(cookie));
    }
}

/// The description without its routes.
pub(super) fn base() -> OpenApi {
    <Base as utoipa::OpenApi>::openapi()
}

#[cfg(test)]
mod tests;
