//! Where the certificate of the HTTP API and its key are.

use std::path::PathBuf;

use conversion_core::settings::SettingsError;

use super::{ConfigError, Server};

/// The files of certificate and key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The service's certificate, and those that lead from it to the root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Server {
    /// The files, where TLS is to be spoken. One alone is refused.
    pub fn tls(&self) -> Result<Option<TlsFiles>, ConfigError> {
        match (&self.tls_certificate, &self.tls_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                Ok(Some(TlsFiles { certificate: certificate.clone(), key: key.clone() }))
            }
            _ => {
                let message =
                    "tls_certificate and tls_key belong together: set both, or none to speak plain HTTP";
                Err(ConfigError::setting("[server]", SettingsError::new(message)))
            }
        }
    }
}
