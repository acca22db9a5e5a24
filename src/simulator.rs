//! A stand-in for Plaid: its API and Link, offline. Knows nothing of the broker but secret and clock.
