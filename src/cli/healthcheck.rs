//! `healthcheck`: asks the running broker's operations address, so that a container needs no other tool for it.

use std::net::SocketAddr;
use std::time::Duration;

use super::operate::operator_settings;
use super::{DONE, FAILED, UNREACHABLE, complain};
use crate::doctor::connectable;

const TIMEOUT: Duration = Duration::from_secs(3);

/// 0 when alive, 1 when it answers otherwise, 3 when it does not answer.
pub(super) fn run() -> u8 {
    let config = match operator_settings() {
        Ok(config) => config,
        Err(code) => return code,
    };
    let address = connectable(config.http.ops_bind);
    match ask(address) {
        Ok(true) => DONE,
        Ok(false) => {
            complain(&format!("http://{address}/livez does not answer with status 200"));
            FAILED
        }
        Err(error) => {
            complain(&format!(
                "http://{address}/livez cannot be reached ({error}); check BROKER_OPS_BIND"
            ));
            UNREACHABLE
        }
    }
}

/// One request by hand: a health check runs every few seconds and should not start a runtime and TLS for it.
fn ask(address: SocketAddr) -> std::io::Result<bool> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(
        format!("GET /livez HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    Ok(&head == b"HTTP/1.1 200")
}
