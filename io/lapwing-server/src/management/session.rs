//! Sessions of the console: a token that is given once becomes a cookie, which no script can read.
//!
//! Touches: nothing that is stored. The cookie names a token by its hash and is sealed with the hash of the admin
//! token: it ends with its token, after half a day, and when the admin token is replaced.
//! Never: takes a cookie from a request that another site could have made a browser send.

use super::auth::{Action, authorise, by_token};
use super::read_json;
use super::tokens::CallerAnswer;
use crate::app::App;
use crate::limits::SESSION_S;
use crate::problem::Problem;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use hmac::{Hmac, KeyInit, Mac};
use lapwing_core::{Digest, UnixSeconds};
use serde::Deserialize;
use sha2::Sha256;
use std::sync::Arc;
use utoipa::ToSchema;

const COOKIE: &str = "lapwing-session";
/// Another site's page cannot set this header without asking first, and it is never told yes.
const MARK: &str = "lapwing-console";
/// What seals is used for nothing else.
const PURPOSE: &[u8] = b"lapwing console session 1";

/// A token to sign in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SessionOrder)]
pub(super) struct SignIn {
    token: String,
}

/// Sign in to the console: the token becomes a cookie for half a day, good only with the header
/// `Lapwing-Console`.
#[utoipa::path(post, path = "/api/v1/session", security(()), request_body = SignIn,
    responses((status = 200, body = CallerAnswer)))]
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<([(HeaderName, String); 1], Json<CallerAnswer>), Problem> {
    authorise(&app, &headers, Action::SignIn).await?;
    let SignIn { token } = read_json(&app, &headers, body).await?;
    let hash = Digest::of(token.trim().as_bytes());
    let caller = by_token(&app, hash).await?;
    let value = sealed(&app.admin_token, hash, app.now().after(SESSION_S));
    Ok((cookie(&headers, &value, SESSION_S), Json(CallerAnswer::of(caller))))
}

/// Sign out of the console.
#[utoipa::path(delete, path = "/api/v1/session", security(()), responses((status = 204)))]
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<(StatusCode, [(HeaderName, String); 1]), Problem> {
    authorise(&app, &headers, Action::SignIn).await?;
    Ok((StatusCode::NO_CONTENT, cookie(&headers, "", 0)))
}

/// The hash of the token that this request's session stands for; none if there is no session that is good.
pub(super) fn token_of(app: &App, headers: &HeaderMap) -> Option<Digest> {
    headers.get(MARK)?;
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let named = |cookie: &'_ str| cookie.trim().split_once('=').filter(|(name, _)| *name == COOKIE).is_some();
    let ours = cookies.flat_map(|cookies| cookies.split(';')).find(|cookie| named(cookie))?;
    opened(&app.admin_token, ours.trim().split_once('=')?.1, app.now())
}

/// Without a path it is good for what is asked beside here, whatever prefix a proxy puts before it.
fn cookie(headers: &HeaderMap, value: &str, for_s: u64) -> [(HeaderName, String); 1] {
    // Whoever stands between may speak TLS for us; the browser says what it speaks.
    let origin = headers.get(header::ORIGIN).map(|origin| origin.as_bytes());
    let secure = if origin.is_some_and(|origin| origin.starts_with(b"https:")) { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={value}; Max-Age={for_s}; HttpOnly; SameSite=Strict{secure}");
    [(header::SET_COOKIE, cookie)]
}

fn mac(key: &Digest, said: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(PURPOSE);
    mac.update(said.as_bytes());
    Some(mac)
}

fn sealed(key: &Digest, token: Digest, until: UnixSeconds) -> String {
    let said = format!("{token}.{}", until.0);
    let seal = mac(key, &said).map(|mac| Digest::from_bytes(mac.finalize().into_bytes().into()));
    seal.map(|seal| format!("{said}.{seal}")).unwrap_or_default()
}

fn opened(key: &Digest, value: &str, now: UnixSeconds) -> Option<Digest> {
    let (said, seal) = value.rsplit_once('.')?;
    let seal: Digest = seal.parse().ok()?;
    mac(key, said)?.verify_slice(seal.as_bytes()).ok()?;
    let (token, until) = said.split_once('.')?;
    let until = UnixSeconds(until.parse().ok()?);
    token.parse().ok().filter(|_| now < until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_opens_until_it_ends_with_the_key_that_sealed_it_and_no_byte_of_it_changed() {
        let (key, token) = (Digest::of(b"admin"), Digest::of(b"token"));
        let value = sealed(&key, token, UnixSeconds(100));
        assert_eq!(opened(&key, &value, UnixSeconds(99)), Some(token));
        assert_eq!(opened(&key, &value, UnixSeconds(100)), None);
        assert_eq!(opened(&Digest::of(b"replaced"), &value, UnixSeconds(99)), None);
        for at in 0..value.len() {
            let mut bytes = value.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            let forged = String::from_utf8(bytes).unwrap();
            assert_eq!(opened(&key, &forged, UnixSeconds(99)), None, "{forged}");
        }
        for odd in ["", ".", "..", "a.b.c"] {
            assert_eq!(opened(&key, odd, UnixSeconds(0)), None);
        }
    }
}
