//! The number of link tokens that one authorization gets.

use crate::helpers::{MOST_LINK_TOKENS, fresh_id, oauth_authorization, open};
use plaid_token_broker_store::Store;
use plaid_token_broker_store::model::{AuthorizationId, LinkStart};

pub(crate) async fn a_returned_link_token_can_be_made_again_and_the_first_one_stays_counted(store: &Store) {
    let new = oauth_authorization();
    for number in 0..MOST_LINK_TOKENS {
        let first = number == 0;
        assert_eq!(open(store, new.clone()).await, Ok(LinkStart::Allowed { first }));
    }
    assert_eq!(open(store, new.clone()).await, Ok(LinkStart::TooMany));
    // More often than were made.
    for _ in 0..2 * MOST_LINK_TOKENS {
        store.return_link_token(new.id).await.unwrap();
    }
    for _ in 1..MOST_LINK_TOKENS {
        assert_eq!(
            open(store, new.clone()).await,
            Ok(LinkStart::Allowed { first: false })
        );
    }
    assert_eq!(open(store, new).await, Ok(LinkStart::TooMany));
    // An unknown one changes nothing.
    let unknown = AuthorizationId(fresh_id());
    store.return_link_token(unknown).await.unwrap();
}
