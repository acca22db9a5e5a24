//! The limit of open files: raised at the start, and divided between connections, calls to Plaid and everything else.

/// More connections wait in the system's queue.
const MAX_CONNECTIONS: u64 = 4096;
/// What everything else needs: the store, idle connections to Plaid, the operations address, commands, the log.
const RESERVE: u64 = 256;

/// Raises the limit as far as it is useful and allowed. Returns the number of connections for connections, which is also the
/// number of concurrent calls to Plaid: each connection serves one request, and each call to Plaid has its own socket.
pub(super) fn connections() -> usize {
    let limit = raised();
    let connections = connections_within(limit);
    if connections < MAX_CONNECTIONS {
        tracing::warn!(
            limit,
            max_connections = connections,
            "the limit of open files is low, and with it the number of concurrent connections: raise it (ulimit -n, \
             LimitNOFILE of systemd)"
        );
    }
    usize::try_from(connections).unwrap_or(usize::MAX)
}

fn connections_within(limit: u64) -> u64 {
    ((limit - RESERVE.min(limit / 4)) / 2).clamp(1, MAX_CONNECTIONS)
}

#[cfg(unix)]
fn raised() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // No limit at all is `None`.
    let (soft, hard) = (
        limit.current.unwrap_or(u64::MAX),
        limit.maximum.unwrap_or(u64::MAX),
    );
    let wanted = hard.min(2 * MAX_CONNECTIONS + RESERVE);
    if soft >= wanted {
        return soft;
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    // A sandbox may forbid it; then what there is has to do.
    setrlimit(Resource::Nofile, raised).map_or(soft, |()| wanted)
}

/// Elsewhere sockets are not counted as open files.
#[cfg(not(unix))]
fn raised() -> u64 {
    u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_kept_and_the_rest_is_shared_evenly_with_calls_to_plaid() {
        for (limit, connections) in [
            (u64::MAX, 4096),
            (2 * MAX_CONNECTIONS + RESERVE, 4096),
            (4096, 1920),
            (1024, 384),
            (512, 192),
            (128, 48),
            (1, 1),
        ] {
            assert_eq!(connections_within(limit), connections, "{limit}");
        }
    }
}
