//! What the audit log says of each decision: the same words for both engines.

use super::model::{
    Actor, AuditEvent, Authorization, AuthorizationId, ConnectionId, Flow, GrantId, NewAudit,
    NewAuthorization, NewGrant, Origin, Redemption, RemovalReason,
};
use crate::clock::Timestamp;

/// What the rows of one decision share.
#[derive(Clone, Debug)]
pub(super) struct AuditContext {
    pub(super) now: Timestamp,
    pub(super) origin: Origin,
}

impl AuditContext {
    pub(super) fn new(now: Timestamp, origin: Origin) -> Self {
        Self { now, origin }
    }

    /// A row by the origin's actor, or this one when it names none.
    fn row(&self, event: AuditEvent, usually: Actor) -> NewAudit {
        NewAudit::new(event, usually).from(&self.origin)
    }

    pub(super) fn opened(&self, new: &NewAuthorization) -> NewAudit {
        NewAudit {
            client_id: client_of(&new.flow),
            ..self
                .row(AuditEvent::AuthorizationOpened, Actor::Person)
                .authorization(new.id)
        }
    }

    pub(super) fn completed(&self, authorization: &Authorization, connection: ConnectionId) -> NewAudit {
        NewAudit {
            client_id: client_of(&authorization.flow),
            ..self
                .row(AuditEvent::AuthorizationCompleted, Actor::Person)
                .authorization(authorization.id)
                .connection(connection)
        }
    }

    pub(super) fn cancelled(&self, authorization: &Authorization) -> NewAudit {
        NewAudit {
            client_id: client_of(&authorization.flow),
            ..self
                .row(AuditEvent::AuthorizationCancelled, Actor::Person)
                .authorization(authorization.id)
        }
    }

    pub(super) fn abandoned(
        &self,
        authorization: AuthorizationId,
        connection: ConnectionId,
        client_id: Option<String>,
    ) -> NewAudit {
        NewAudit {
            client_id,
            ..self
                .row(AuditEvent::AuthorizationAbandoned, Actor::Broker)
                .authorization(authorization)
                .connection(connection)
        }
    }

    pub(super) fn redeemed(&self, redemption: &Redemption, connection: ConnectionId) -> NewAudit {
        self.row(AuditEvent::CodeRedeemed, Actor::Client)
            .client(&redemption.grant.client_id)
            .authorization(redemption.authorization_id)
            .connection(connection)
            .grant(redemption.grant.id)
    }

    pub(super) fn exchanged(&self, grant: &NewGrant, connection: ConnectionId) -> NewAudit {
        self.row(AuditEvent::PublicTokenExchanged, Actor::Client)
            .client(&grant.client_id)
            .connection(connection)
            .grant(grant.id)
    }

    pub(super) fn rotated(&self, grant: GrantId, client_id: &str, connection: ConnectionId) -> NewAudit {
        self.row(AuditEvent::RefreshTokenRotated, Actor::Client)
            .client(client_id)
            .connection(connection)
            .grant(grant)
    }

    pub(super) fn revoked(&self, grant: GrantId, client_id: &str, connection: ConnectionId) -> NewAudit {
        self.row(AuditEvent::GrantRevoked, Actor::Client)
            .client(client_id)
            .connection(connection)
            .grant(grant)
    }

    pub(super) fn ended(
        &self,
        connection: ConnectionId,
        client_id: Option<String>,
        reason: RemovalReason,
    ) -> NewAudit {
        let words = match reason {
            RemovalReason::Unredeemed => "nobody used it",
            RemovalReason::Revoked => "revoked",
        };
        NewAudit {
            client_id,
            ..self
                .row(AuditEvent::ConnectionEnded, Actor::Broker)
                .connection(connection)
                .detail(words)
        }
    }

    pub(super) fn finished(&self, event: AuditEvent, connection: ConnectionId) -> NewAudit {
        self.row(event, Actor::Broker).connection(connection)
    }

    pub(super) fn redirect_uri(&self, event: AuditEvent, client_id: &str, uri: &str) -> NewAudit {
        self.row(event, Actor::Admin)
            .client(client_id)
            .detail(uri.to_owned())
    }
}

/// The log records that rows of it were deleted.
pub(super) fn forgotten() -> NewAudit {
    NewAudit::new(AuditEvent::AuditForgotten, Actor::Broker)
}

fn client_of(flow: &Flow) -> Option<String> {
    match flow {
        Flow::OAuth(request) => Some(request.client_id.clone()),
        Flow::Browser => None,
    }
}
