//! Ending many connections: steps of a bounded size, each committed on its own, so that everybody else's writes find
//! their place in between. A run that is cut short has ended what it has ended; the next run goes on with the rest.

use crate::clock::SharedClock;
use crate::store::model::{EndTarget, Ended};
use crate::store::{Store, StoreError};

/// Takes all steps of [`Store::end_step`]. After each of them `progress` is called with the number of connections that
/// were examined so far, and with what was ended so far.
///
/// # Errors
/// The store's, with what was ended before.
pub async fn end(
    store: &Store,
    clock: &SharedClock,
    target: &EndTarget,
    mut progress: impl FnMut(u64, Ended),
) -> Result<Ended, (Ended, StoreError)> {
    let (mut ended, mut examined, mut next) = (Ended::default(), 0, None);
    loop {
        let step = match store.end_step(target.clone(), next, clock.now()).await {
            Ok(step) => step,
            Err(error) => return Err((ended, error)),
        };
        ended += step.ended;
        examined += step.examined;
        progress(examined, ended);
        next = step.next;
        if next.is_none() {
            return Ok(ended);
        }
    }
}
