//! Who a request acts for.

use axum::http::{HeaderMap, StatusCode, header};
use persistence::AccountId;
use persistence::accounts::AccountKey;

use super::request::store_failed;
use super::{ApiError, Public};
use crate::accounts::session::Caller;

/// An access token, or a guest's device token, in `Authorization: Bearer`.
pub(super) async fn caller(public: &Public, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let token = bearer(headers).ok_or_else(unauthenticated)?;
    let caller = public.accounts.caller(token).await.map_err(store_failed)?.ok_or_else(unauthenticated)?;
    // Whose request it is, on every line from here on.
    tracing::Span::current().record("hero", tracing::field::display(caller.grant.hero));
    Ok(caller)
}

/// The same, and it must be an account's.
pub(super) async fn owner(public: &Public, headers: &HeaderMap) -> Result<(Caller, AccountId), ApiError> {
    let caller = caller(public, headers).await?;
    let account = caller.account.ok_or_else(|| {
        let hint = "only an account can do this; make one with POST /v1/auth/register";
        ApiError::new(StatusCode::FORBIDDEN, "guest", hint)
    })?;
    Ok((caller, account))
}

/// The same as [`caller`], and nothing waits to be erased: whoever wants to play or to change something.
pub(super) async fn player(public: &Public, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let caller = caller(public, headers).await?;
    if let Some(account) = caller.account {
        stays(public, account).await?;
    }
    Ok(caller)
}

/// The same as [`owner`], and the account does not wait to be erased.
pub(super) async fn staying_owner(
    public: &Public,
    headers: &HeaderMap,
) -> Result<(Caller, AccountId), ApiError> {
    let (caller, account) = owner(public, headers).await?;
    stays(public, account).await?;
    Ok((caller, account))
}

async fn stays(public: &Public, account: AccountId) -> Result<(), ApiError> {
    let found = public.accounts.store().account(AccountKey::Id(account)).await.map_err(store_failed)?;
    match found.ok_or_else(unauthenticated)?.erase_at_ms {
        None => Ok(()),
        Some(_) => {
            let hint = "this account waits to be erased, as its owner asked; POST /v1/me/restore keeps it";
            Err(ApiError::new(StatusCode::FORBIDDEN, "erasing", hint))
        }
    }
}

/// The token itself; nothing without one.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

pub(super) fn unauthenticated() -> ApiError {
    let hint = "send the access token of POST /v1/auth/login or /refresh, or a guest's device token, as Authorization: \
                Bearer";
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthenticated", hint)
}
