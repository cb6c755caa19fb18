//! The log and its level, which can be changed while the server runs.
//!
//! Touches: `tracing-subscriber`, standard error. Installed once by a binary; tests go without.
//! Never: logs a secret, a token or a key.

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

/// Changes the log level of this process.
#[derive(Clone)]
pub struct LogControl(reload::Handle<EnvFilter, Registry>);

/// Why logging is not as asked.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Not a level or filter.
    #[error("not a log level: use error, warn, info, debug, trace, or a filter")]
    Level,
    /// Logging was installed already, or is gone.
    #[error("logging cannot be changed")]
    Unavailable,
}

impl LogControl {
    /// Starts logging to standard error.
    ///
    /// # Errors
    /// See [`LogError`].
    pub fn install(level: &str) -> Result<Self, LogError> {
        let filter = EnvFilter::try_new(level).map_err(|_| LogError::Level)?;
        let (filter, handle) = reload::Layer::new(filter);
        let installed = tracing_subscriber::registry()
            .with(filter)
            .with(fmt::layer().with_writer(std::io::stderr).with_target(false))
            .try_init();
        installed.map(|()| Self(handle)).map_err(|_| LogError::Unavailable)
    }

    /// Changes the level.
    ///
    /// # Errors
    /// See [`LogError`].
    pub fn set(&self, level: &str) -> Result<(), LogError> {
        let filter = EnvFilter::try_new(level).map_err(|_| LogError::Level)?;
        self.0.reload(filter).map_err(|_| LogError::Unavailable)
    }
}
