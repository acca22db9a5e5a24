//! All tokens and Items, and what may be done with them.

use std::sync::Arc;
use std::time::Duration;

use super::asset_reports::AssetReports;
use super::bounded_map::BoundedMap;
use super::made_transactions::Made;
use super::payment_book::PaymentBook;
use super::session::OAuthState;
use super::transfers::Transfers;
use super::user::User;
use super::{Draft, Item, LinkToken};
use crate::spec::guesses::{
    ExpiredPublicToken, RemovedItem, RotatedToken, SessionPublicToken, UpdateTokenExchange,
};
use crate::spec::ids::{self, TokenKind};
use crate::spec::switches::{PublicTokenReuse, Switches};
use crate::spec::{Guesses, PlaidError};
use plaid_token_broker_core::clock::Timestamp;

/// A public token can be exchanged this long (<https://plaid.com/docs/api/items/#itempublic_tokenexchange>).
const PUBLIC_TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 60);
/// How long an expired public token is still distinguished from an unknown one.
const PUBLIC_TOKEN_MEMORY: Duration = Duration::from_secs(60 * 60);
/// How long the public token of a Link session can be valid at most: as long as `/link/token/get` lists the session.
const SESSION_TOKEN_LIFETIME: Duration = Duration::from_secs(6 * 60 * 60);
/// Tokens and Items beyond these numbers push out the oldest.
const MOST_LINK_TOKENS: usize = 20_000;
const MOST_PUBLIC_TOKENS: usize = 100_000;
const MOST_ITEMS: usize = 100_000;
const MOST_USERS: usize = 20_000;
const MOST_ROTATED_TOKENS: usize = 10_000;

/// A public token and what is behind it.
#[derive(serde::Deserialize, serde::Serialize)]
struct PublicToken {
    client_id: Arc<str>,
    created_at: Timestamp,
    /// Whether `/link/token/get` lists it.
    of_session: bool,
    behind: Behind,
}

#[derive(serde::Deserialize, serde::Serialize)]
enum Behind {
    /// Never exchanged: the Item begins with the exchange.
    Draft(Box<Draft>),
    /// Was exchanged for this Item.
    Exchanged { item_id: Arc<str> },
    /// Came of update mode: the Item existed before.
    Update { item_id: Arc<str> },
}

impl PublicToken {
    fn lifetime(&self, guesses: &Guesses) -> Duration {
        match guesses.session_public_token {
            SessionPublicToken::SixHours if self.of_session => SESSION_TOKEN_LIFETIME,
            SessionPublicToken::SixHours | SessionPublicToken::ThirtyMinutes => PUBLIC_TOKEN_LIFETIME,
        }
    }

    fn memory(&self) -> Duration {
        if self.of_session {
            SESSION_TOKEN_LIFETIME
        } else {
            PUBLIC_TOKEN_MEMORY
        }
    }
}

/// What an exchange returns.
pub(crate) struct Exchanged {
    pub(crate) access_token: Arc<str>,
    pub(crate) item_id: Arc<str>,
}

/// Everything that the simulator remembers, and that its snapshots have.
#[derive(Default, serde::Deserialize, serde::Serialize)]
pub(crate) struct State {
    pub(crate) link_tokens: BoundedMap<LinkToken, MOST_LINK_TOKENS>,
    /// The last part of a Hosted Link URL to its link token.
    pub(crate) hosted_links: BoundedMap<String, MOST_LINK_TOKENS>,
    /// `oauth_state_id` to the session whose person is at the bank.
    pub(crate) oauth_states: BoundedMap<OAuthState, MOST_LINK_TOKENS>,
    public_tokens: BoundedMap<PublicToken, MOST_PUBLIC_TOKENS>,
    items: BoundedMap<Item, MOST_ITEMS>,
    /// Access token to item id. A rotated token leaves; one of a removed Item stays and says so.
    access_tokens: BoundedMap<Arc<str>, MOST_ITEMS>,
    rotated_tokens: BoundedMap<(), MOST_ROTATED_TOKENS>,
    pub(crate) users: BoundedMap<User, MOST_USERS>,
    /// Item id to the `user_id` of whose it is, for Items of users of `/user/create`.
    #[serde(default)]
    item_users: BoundedMap<String, MOST_ITEMS>,
    /// By item id.
    #[serde(default)]
    pub(crate) made_transactions: BoundedMap<Vec<Made>, MOST_ITEMS>,
    pub(crate) asset_reports: AssetReports,
    pub(crate) transfers: Transfers,
    pub(crate) payment_book: PaymentBook,
}

impl State {
    /// Keeps a link token and drops those that nobody can ask for any more.
    pub(crate) fn keep_link_token(&mut self, link_token: LinkToken, now: Timestamp) {
        self.link_tokens.drop_while(|kept| kept.is_forgotten(now));
        if let Some(hosted) = &link_token.hosted {
            self.hosted_links
                .insert(hosted.id.clone(), link_token.token.clone());
        }
        self.link_tokens.insert(link_token.token.clone(), link_token);
    }

    /// A public token for an Item to be; `of_session` when Link made it.
    pub(crate) fn new_public_token(&mut self, draft: Draft, of_session: bool, now: Timestamp) -> String {
        let client_id = draft.client_id.clone();
        self.keep_public_token(client_id, Behind::Draft(Box::new(draft)), of_session, now)
    }

    /// The public token that update mode ends with; nothing needs to be exchanged.
    pub(crate) fn new_update_token(&mut self, client_id: &Arc<str>, item_id: &str, now: Timestamp) -> String {
        let behind = Behind::Update {
            item_id: item_id.into(),
        };
        self.keep_public_token(client_id.clone(), behind, true, now)
    }

    fn keep_public_token(
        &mut self,
        client_id: Arc<str>,
        behind: Behind,
        of_session: bool,
        now: Timestamp,
    ) -> String {
        self.public_tokens
            .drop_while(|kept| now.since(kept.created_at) >= kept.memory());
        let token = ids::new_token(TokenKind::Public);
        self.public_tokens.insert(
            token.clone(),
            PublicToken {
                client_id,
                created_at: now,
                of_session,
                behind,
            },
        );
        token
    }

    /// `/item/public_token/exchange`.
    pub(crate) fn exchange(
        &mut self,
        client_id: &str,
        public_token: &str,
        switches: &Switches,
        now: Timestamp,
    ) -> Result<Exchanged, PlaidError> {
        let Switches {
            public_token_reuse,
            guesses,
            ..
        } = switches;
        ids::check_token(TokenKind::Public, public_token)
            .map_err(|misfit| PlaidError::misfit(TokenKind::Public, &misfit, guesses))?;
        let unknown = || PlaidError::invalid_public_token("could not find matching public token");
        let entry = self
            .public_tokens
            .get_mut(public_token)
            .filter(|entry| &*entry.client_id == client_id)
            .ok_or_else(unknown)?;
        if now.since(entry.created_at) >= entry.lifetime(guesses) {
            return Err(match guesses.expired_public_token {
                ExpiredPublicToken::Unknown => unknown(),
                ExpiredPublicToken::Told => PlaidError::invalid_public_token(
                    "provided public token is expired. Public tokens expire 30 minutes after creation at \
                     which point they can no longer be exchanged",
                ),
            });
        }
        match &entry.behind {
            Behind::Draft(draft) => {
                let draft = (**draft).clone();
                let item_id = draft.item_id.clone();
                entry.behind = Behind::Exchanged {
                    item_id: item_id.clone(),
                };
                let access_token = self.keep_access_token(&item_id);
                let item = Item::new(draft, access_token.clone(), now);
                self.items.insert(item_id.clone(), item);
                Ok(Exchanged {
                    access_token,
                    item_id,
                })
            }
            Behind::Exchanged { item_id } => {
                let item_id = item_id.clone();
                match public_token_reuse {
                    PublicTokenReuse::SingleUse => Err(unknown()),
                    PublicTokenReuse::SameToken => self.current_token(item_id),
                    PublicTokenReuse::NewToken => self.another_token(item_id),
                }
            }
            Behind::Update { item_id } => {
                let item_id = item_id.clone();
                match guesses.update_token_exchange {
                    UpdateTokenExchange::SameToken => self.current_token(item_id),
                    UpdateTokenExchange::NewToken => self.another_token(item_id),
                    UpdateTokenExchange::Refused => Err(unknown()),
                }
            }
        }
    }

    fn current_token(&self, item_id: Arc<str>) -> Result<Exchanged, PlaidError> {
        let item = self.items.get(&item_id).filter(|item| !item.is_removed());
        let access_token = item.ok_or_else(PlaidError::item_not_found)?.access_token.clone();
        Ok(Exchanged {
            access_token,
            item_id,
        })
    }

    fn another_token(&mut self, item_id: Arc<str>) -> Result<Exchanged, PlaidError> {
        let access_token = self.keep_access_token(&item_id);
        let item = self.items.get_mut(&item_id).filter(|item| !item.is_removed());
        item.ok_or_else(PlaidError::item_not_found)?
            .access_token
            .clone_from(&access_token);
        Ok(Exchanged {
            access_token,
            item_id,
        })
    }

    fn keep_access_token(&mut self, item_id: &Arc<str>) -> Arc<str> {
        let token: Arc<str> = ids::new_token(TokenKind::Access).into();
        self.access_tokens.insert(token.clone(), item_id.clone());
        token
    }

    /// The Item that a token opens or, before its removal, opened.
    pub(crate) fn item_of(&self, access_token: &str) -> Option<&Item> {
        self.items.get(self.access_tokens.get(access_token)?)
    }

    /// All Items that are not removed.
    pub(crate) fn all_items(&self) -> impl Iterator<Item = &Item> {
        self.items.values().filter(|item| !item.is_removed())
    }

    /// All Items that are not removed, to change them.
    pub(crate) fn items_mut(&mut self) -> impl Iterator<Item = &mut Item> {
        self.items.values_mut().filter(|item| !item.is_removed())
    }

    /// The Item with this id.
    pub(crate) fn item_by_id(&mut self, item_id: &str) -> Option<&mut Item> {
        self.items.get_mut(item_id)
    }

    /// The live Item that `client_id` may reach by this token.
    pub(crate) fn item(
        &mut self,
        client_id: &str,
        access_token: &str,
        guesses: &Guesses,
    ) -> Result<&mut Item, PlaidError> {
        ids::check_token(TokenKind::Access, access_token)
            .map_err(|misfit| PlaidError::misfit(TokenKind::Access, &misfit, guesses))?;
        let unknown = || PlaidError::invalid_access_token("could not find matching access token");
        let was_rotated = self.rotated_tokens.contains(access_token);
        let item = self
            .access_tokens
            .get(access_token)
            .and_then(|item_id| self.items.get_mut(item_id))
            .filter(|item| &*item.draft.client_id == client_id)
            .ok_or_else(|| match guesses.rotated_token {
                RotatedToken::ItemNotFound if was_rotated => PlaidError::item_not_found(),
                RotatedToken::ItemNotFound | RotatedToken::InvalidAccessToken => unknown(),
            })?;
        match guesses.removed_item {
            _ if !item.is_removed() => Ok(item),
            RemovedItem::ItemNotFound => Err(PlaidError::item_not_found()),
            RemovedItem::InvalidAccessToken => Err(unknown()),
        }
    }

    /// `/item/access_token/invalidate`: the old token is dead at once.
    pub(crate) fn rotate(
        &mut self,
        client_id: &str,
        access_token: &str,
        guesses: &Guesses,
    ) -> Result<Arc<str>, PlaidError> {
        let item_id = self.item(client_id, access_token, guesses)?.shared_id();
        self.access_tokens.remove(access_token);
        self.rotated_tokens.insert(access_token, ());
        Ok(self.another_token(item_id)?.access_token)
    }

    /// The user of this client with this id, or else this token.
    pub(crate) fn user(&self, client_id: &str, id: Option<&str>, token: Option<&str>) -> Option<&User> {
        let mut users = self.users.values();
        users.find(|user| match (id, token) {
            _ if user.client_id != client_id => false,
            (Some(id), _) => user.id == id,
            (None, Some(token)) => user.token == token,
            (None, None) => false,
        })
    }

    /// Keeps whose Item this will be, if it is a user's.
    pub(crate) fn note_user(
        &mut self,
        client_id: &str,
        item_id: &Arc<str>,
        (id, token): (Option<&str>, Option<&str>),
    ) {
        if let Some(id) = self.user(client_id, id, token).map(|user| user.id.clone()) {
            self.item_users.insert(item_id.clone(), id);
        }
    }

    /// The ids of the user's Items that are not removed.
    pub(crate) fn items_of_user(&self, user_id: &str) -> Vec<String> {
        let owned = self.item_users.entries().filter(|(_, owner)| *owner == user_id);
        let live = owned.filter(|(id, _)| self.items.get(id).is_some_and(|item| !item.is_removed()));
        live.map(|(id, _)| id.to_string()).collect()
    }

    pub(crate) fn live_items(&self) -> usize {
        self.items.values().filter(|item| !item.is_removed()).count()
    }
}
