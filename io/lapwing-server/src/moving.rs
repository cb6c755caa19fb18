//! A server's whole store to a file and from one, without a server.
//!
//! Touches: the store that a configuration names. Only for threads that may wait.

use crate::config::{Config, ConfigError};
use crate::store::{Place, Purpose, TransferError, export, import};
use std::io::{BufRead, Write};

/// Writes all rows of the store to `out`, as they are at one moment; the store may be in use. Returns how many.
///
/// # Errors
/// See [`TransferError`]. What was written until then is not a whole file, and its reader says so.
pub fn export_store(config: Config, out: &mut dyn Write) -> Result<u64, TransferError> {
    waiting(config, |place| export(place, out))
}

/// Fills the store, which must have no tables yet, with what [`export_store`] wrote. Returns how many rows.
///
/// # Errors
/// See [`TransferError`]. Nothing was written then.
pub fn import_store(config: Config, input: &mut dyn BufRead, purpose: Purpose) -> Result<u64, TransferError> {
    waiting(config, |place| {
        match place {
            Place::File(path) => std::fs::create_dir_all(path.parent().unwrap_or(path))?,
            #[cfg(feature = "postgres")]
            Place::Database(_) => {}
        }
        import(place, input, purpose)
    })
}

/// A database is asked from here, and its bytes move meanwhile.
fn waiting<T>(
    config: Config,
    work: impl FnOnce(&Place) -> Result<T, TransferError>,
) -> Result<T, TransferError> {
    let place = config.resolve().map_err(|error: ConfigError| TransferError::Config(error))?.store;
    let runtime = tokio::runtime::Runtime::new()?;
    let _entered = runtime.enter();
    work(&place)
}
