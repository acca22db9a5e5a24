//! Key rotation: every sealed value is opened with whichever key sealed it and sealed with the first one.
//!
//! Some rows a decision, so that requests come in between. A row's envelope names the key that sealed it: what was done
//! before a kill is not done again, and doing all of it twice changes nothing.

use std::collections::BTreeMap;

use super::error::StoreError;
use super::keyring::Keyring;
use super::model::{KeyUse, KeysReport, ResealStep};
use super::seal::{self, Place};

/// The value sealed with the first key; `None` when it is already, or does not open. Counted in `step`.
pub(super) fn again(
    keyring: &Keyring,
    place: &Place,
    sealed: &[u8],
    step: &mut ResealStep,
) -> Result<Option<Vec<u8>>, StoreError> {
    step.examined += 1;
    if seal::key_id(sealed) == Some(keyring.first_id()) {
        return Ok(None);
    }
    let Ok(plain) = keyring.open(place, sealed) else {
        // One that does not open must not stand in the way of all others.
        step.unopened += 1;
        return Ok(None);
    };
    step.resealed += 1;
    Ok(Some(keyring.seal(place, &plain)?))
}

/// Which keys are in use, gathered value by value.
pub(super) struct Tally<'k> {
    keyring: &'k Keyring,
    values: BTreeMap<String, u64>,
    unopened: u64,
}

impl<'k> Tally<'k> {
    pub(super) fn of(keyring: &'k Keyring) -> Self {
        Self {
            keyring,
            values: BTreeMap::new(),
            unopened: 0,
        }
    }

    /// Tries the keys on a value.
    pub(super) fn count(&mut self, place: &Place, sealed: &[u8]) {
        self.unopened += u64::from(self.keyring.open(place, sealed).is_err());
        let id = seal::key_id(sealed).unwrap_or("(no envelope)");
        match self.values.get_mut(id) {
            Some(known) => *known += 1,
            None => {
                self.values.insert(id.to_owned(), 1);
            }
        }
    }

    pub(super) fn report(self) -> KeysReport {
        let Self {
            keyring,
            mut values,
            unopened,
        } = self;
        let mut keys: Vec<KeyUse> = keyring
            .ids()
            .enumerate()
            .map(|(place, id)| KeyUse {
                id: id.to_owned(),
                given: true,
                seals: place == 0,
                values: values.remove(id).unwrap_or(0),
            })
            .collect();
        keys.extend(values.into_iter().map(|(id, values)| KeyUse {
            id,
            given: false,
            seals: false,
            values,
        }));
        KeysReport { keys, unopened }
    }
}
