//! API version and customer, as the path names them.

use super::error::{Code, Refusal};
use super::upload::Service;

/// Versions up to this one are shut down.
const LAST_SHUT_DOWN: u32 = 22;

/// A version that lives or has lived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version(u32);

impl Version {
    /// The newest version there is.
    pub(super) const NEWEST: Self = Self(26);

    /// None for a version that never existed.
    fn parse(segment: &str) -> Option<Self> {
        let digits = segment.strip_prefix('v')?;
        let number = digits.parse().ok()?;
        ((1..=Self::NEWEST.0).contains(&number) && digits == format!("{number}")).then_some(Self(number))
    }

    /// The type of error details in this version.
    pub(super) fn failure_type(self) -> String {
        format!("type.googleapis.com/google.ads.googleads.v{}.errors.GoogleAdsFailure", self.0)
    }

    pub(super) fn check(self) -> Result<(), Refusal> {
        if self.0 > LAST_SHUT_DOWN {
            return Ok(());
        }
        let message = format!("Version v{} is deprecated. Requests to this version will be blocked.", self.0);
        Err(Refusal::invalid(Code("requestError", "UNSUPPORTED_VERSION").error(message)))
    }
}

/// Where an upload goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) version: Version,
    pub(super) customer: &'a str,
    pub(super) service: Service,
}

impl<'a> Target<'a> {
    /// None if the version never existed.
    pub(super) fn of(path: &'a str) -> Option<Self> {
        let (version, customer, service) = split(path)?;
        Some(Self { version: Version::parse(version)?, customer, service })
    }

    pub(super) fn check_customer(&self) -> Result<(), Refusal> {
        if is_digits(self.customer) {
            return Ok(());
        }
        let message = format!("Invalid customer ID '{}': digits only.", self.customer);
        Err(Refusal::invalid(Code("requestError", "INVALID_CUSTOMER_ID").error(message)))
    }
}

/// Whether a path is an upload, in whatever version.
pub(crate) fn is_upload(path: &str) -> bool {
    split(path).is_some_and(|(version, ..)| version.starts_with('v'))
}

fn split(path: &str) -> Option<(&str, &str, Service)> {
    let (version, rest) = path.strip_prefix('/')?.split_once('/')?;
    let called = rest.strip_prefix("customers/")?;
    let service = |service: Service| Some((called.strip_suffix(service.operation())?, service));
    let (customer, service) = Service::ALL.into_iter().find_map(service)?;
    Some((version, customer, service))
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
