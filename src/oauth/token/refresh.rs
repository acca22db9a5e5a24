//! Refresh: the same access token again, unless Plaid positively says that it is dead.
//!
//! Kore.ai turns a failed refresh into an error state and an e-mail, and the token of an Item does not expire: so a
//! refresh fails open when Plaid is down, slow or rate-limiting. A confidential client's refresh token does not rotate,
//! since it is not documented whether Kore.ai keeps a new one; a public client's does (RFC 9700 4.14.2).

use super::Granted;
use crate::app::App;
use crate::config::ClientKind;
use crate::oauth::client_auth::Authenticated;
use crate::oauth::error::TokenError;
use crate::oauth::rotation::{self, Decision, TokenAge};
use crate::plaid::connections::Health;
use crate::plaid::{PlaidError, Verdict};
use crate::random;
use crate::secret::OwnToken;
use crate::store::model::{Connection, Grant, GrantId, Revocation, RotateOutcome, Rotation};
use crate::store::{PresentedToken, TokenKind};
use crate::telemetry::audit::{Actor, AuditEvent, AuditOutcome, NewAudit, Origin};

const INVALID: TokenError =
    TokenError::InvalidGrant("the refresh token is not valid; send the person through the flow again");
const ENDED: TokenError =
    TokenError::InvalidGrant("the connection was ended; send the person through the flow again");
const EXPIRED: TokenError =
    TokenError::InvalidGrant("the grant has reached its end; send the person through the flow again");

/// Rivals of one rotation are few; whoever loses this often has lost for good.
const ATTEMPTS: usize = 4;

pub(super) async fn refresh(
    app: &App,
    origin: Origin,
    client: &Authenticated<'_>,
    token: &OwnToken,
) -> Result<Granted, TokenError> {
    let presented = app
        .store
        .tokens()
        .parse(TokenKind::RefreshToken, token.expose())
        .ok_or(INVALID)?;
    let (grant, connection) = find(app, client, &presented).await?;
    alive(app, &connection, &grant).await?;
    let grant = match &client.client.kind {
        ClientKind::Confidential(_) => grant,
        ClientKind::Public => rotate(app, &origin, client, &presented, grant).await?,
    };
    app.audit.refreshed(grant.id);
    let new = NewAudit::new(AuditEvent::TokenRefreshed, Actor::Client)
        .client(&grant.client_id)
        .connection(connection.id)
        .grant(grant.id);
    app.audit.note(new.from(&origin));
    Ok(Granted { grant, connection })
}

/// The grant, if this client may use it with this token.
async fn find(
    app: &App,
    client: &Authenticated<'_>,
    presented: &PresentedToken,
) -> Result<(Grant, Connection), TokenError> {
    let (grant, connection) = app.store.grant(GrantId(presented.id())).await?.ok_or(INVALID)?;
    let is_public = matches!(client.client.kind, ClientKind::Public);
    // Of a public client older tokens are looked at too: one that comes again is a sign of theft.
    if !is_public && !presented.belongs_to(app.store.tokens(), &grant.nonce) {
        return Err(INVALID);
    }
    if grant.client_id != client.client.id {
        tracing::warn!(security.event = "refresh_of_another_client", grant = %grant.id,
            oauth.client_id = %client.client.id, "a refresh token was presented by a client that it is not of");
        return Err(TokenError::InvalidGrant(
            "the refresh token was issued to another client",
        ));
    }
    if grant.revoked_at.is_some() || connection.removed_at.is_some() {
        return Err(ENDED);
    }
    if rotation::is_expired(grant.created_at, client.client.refresh_lifetime, app.clock.now()) {
        return Err(EXPIRED);
    }
    Ok((grant, connection))
}

async fn rotate(
    app: &App,
    origin: &Origin,
    client: &Authenticated<'_>,
    presented: &PresentedToken,
    mut grant: Grant,
) -> Result<Grant, TokenError> {
    for _ in 0..ATTEMPTS {
        let now = app.clock.now();
        let lifetime = client.client.refresh_lifetime;
        let age = age(app, presented, &grant);
        match rotation::decide(age, grant.created_at, grant.rotated, lifetime, now) {
            Decision::Repeat => return Ok(grant),
            Decision::Expired => return Err(EXPIRED),
            Decision::Reuse => return Err(reused(app, origin, client, &grant).await?),
            Decision::Rotate => {
                let rotation = Rotation {
                    grant_id: grant.id,
                    from: grant.nonce,
                    to: random::nonce(),
                };
                let store = app.store.by(origin.clone());
                if store.rotate(rotation, now).await? == RotateOutcome::Rotated {
                    grant.nonce = rotation.to;
                    return Ok(grant);
                }
            }
        }
        // A rival was faster: what stands now decides.
        let (now_stands, _) = app.store.grant(grant.id).await?.ok_or(INVALID)?;
        if now_stands.revoked_at.is_some() {
            return Err(ENDED);
        }
        grant = now_stands;
    }
    Err(INVALID)
}

fn age(app: &App, presented: &PresentedToken, grant: &Grant) -> TokenAge {
    let tokens = app.store.tokens();
    if presented.belongs_to(tokens, &grant.nonce) {
        TokenAge::Current
    } else if grant
        .rotated
        .is_some_and(|rotated| presented.belongs_to(tokens, &rotated.previous))
    {
        TokenAge::Previous
    } else {
        // Its keyed check was good, so we made it once.
        TokenAge::Older
    }
}

/// Two parties have tokens of this grant, and one of them may have the access token as well, which only Plaid can end.
async fn reused(
    app: &App,
    origin: &Origin,
    client: &Authenticated<'_>,
    grant: &Grant,
) -> Result<TokenError, TokenError> {
    tracing::warn!(security.event = "refresh_token_reused", grant = %grant.id, oauth.client_id = %client.client.id,
        "a refresh token came again after its successor: the grant and its connection are ended");
    let new = NewAudit::new(AuditEvent::RefreshTokenReused, Actor::Client)
        .client(&client.client.id)
        .connection(grant.connection_id)
        .grant(grant.id);
    let words = "the grant and its connection are ended";
    app.audit
        .note(new.outcome(AuditOutcome::Refused, words).from(origin));
    app.store
        .by(origin.clone().with_actor(Actor::Broker))
        .revoke(grant.id, Revocation::GrantAndConnection, app.clock.now())
        .await?;
    app.connections.removals_wanted();
    Ok(ENDED)
}

/// Only Plaid's positive word refuses a refresh.
async fn alive(app: &App, connection: &Connection, grant: &Grant) -> Result<(), TokenError> {
    match app.connections.health(connection).await {
        Health::Healthy => Ok(()),
        Health::Unknown => {
            tracing::warn!(grant = %grant.id, "Plaid could not say whether the connection is alive; answered as before");
            Ok(())
        }
        Health::Dead(error) => {
            let description = match error.verdict() {
                Verdict::LoginRequired => {
                    "the bank asks the person to log in again; send them through the flow again"
                }
                Verdict::BadToken if app.simulator_forgot(connection) => {
                    tracing::warn!(grant = %grant.id, connection = %connection.id,
                        "the simulator has forgotten the connection: it was restarted without its state");
                    "the simulator was restarted without its state and has forgotten this connection; send the person \
                     through the flow again"
                }
                _ => "the connection is gone at Plaid; send the person through the flow again",
            };
            Err(TokenError::PlaidSaidNo {
                description,
                source: PlaidError::Api(error),
            })
        }
    }
}
