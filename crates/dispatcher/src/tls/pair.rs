//! Certificate and key as the files say them.

use std::path::Path;
use std::sync::Arc;

use conversion_core::secret::Secret;
use conversion_core::settings::SettingsError;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{Error, ServerConfig};
use sha2::{Digest as _, Sha256};

use crate::config::{ConfigError, TlsFiles, read_private};

/// Tells one state of the files from another.
pub(super) type Digest = [u8; 32];

/// The two files, unread.
pub(super) struct Pair {
    certificate: String,
    key: Secret,
}

impl Pair {
    /// Reads both. The key must be its owner's alone.
    pub(super) fn read(files: &TlsFiles) -> Result<Self, ConfigError> {
        let key = read_private(&files.key)?;
        if key.is_exposed {
            let what = "the private key of TLS".to_owned();
            return Err(ConfigError::Exposed { path: files.key.clone(), what });
        }
        let certificate = read_private(&files.certificate)?.text;
        Ok(Self { certificate, key: Secret::new(key.text) })
    }

    pub(super) fn digest(&self) -> Digest {
        let digest = |text: &str| Sha256::digest(text.as_bytes());
        Sha256::new()
            .chain_update(digest(&self.certificate))
            .chain_update(digest(self.key.expose()))
            .finalize()
            .into()
    }

    /// What connections are served with, if the two fit.
    pub(super) fn settings(&self, files: &TlsFiles) -> Result<Arc<ServerConfig>, ConfigError> {
        let chain = self.chain().ok_or_else(|| {
            let message = "holds no certificate that can be read: it begins with -----BEGIN CERTIFICATE-----, the \
                           service's own first, then those that lead to the root";
            wrong(&files.certificate, message)
        })?;
        let key = PrivateKeyDer::from_pem_slice(self.key.expose().as_bytes())
            .map_err(|_| wrong(&files.key, "holds no private key in PEM, without a passphrase"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let settings = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
        let mut settings = settings.map_err(|error| match error {
            Error::InconsistentKeys(_) => {
                let message = format!("is not the key of the certificate in {}", files.certificate.display());
                wrong(&files.key, message)
            }
            error => wrong(&files.certificate, format!("cannot be used with its key: {error}")),
        })?;
        settings.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(settings))
    }

    fn chain(&self) -> Option<Vec<CertificateDer<'static>>> {
        let chain =
            CertificateDer::pem_slice_iter(self.certificate.as_bytes()).collect::<Result<Vec<_>, _>>();
        chain.ok().filter(|chain| !chain.is_empty())
    }
}

fn wrong(file: &Path, message: impl Into<String>) -> ConfigError {
    ConfigError::Setting { place: file.display().to_string(), source: SettingsError::new(message) }
}
