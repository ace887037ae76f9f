//! The trait that every booking system's connector implements.

use std::fmt;

use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::value::RawValue;

use crate::booking::Appointment;
use crate::descriptor::Variable;
use crate::failure::Failure;
use crate::reason::Reason;
use crate::sink::CheckReport;

/// A configured connection to one account of one booking system.
#[async_trait]
pub trait BookingSource: fmt::Debug + Send + Sync + 'static {
    /// Reads a webhook's body, if `signature` (the value of [`SourceDescriptor::signature_header`]) proves it genuine.
    /// Pure, and takes the same time whatever is wrong with the signature.
    fn receive(&self, signature: Option<&[u8]>, body: &[u8]) -> Result<Notice, NotGenuine>;

    /// The appointment as it is now. [`Rejected`](crate::failure::FailureClass::Rejected) says that it cannot be had,
    /// and [`Unauthorized`](crate::failure::FailureClass::Unauthorized) holds the source.
    async fn fetch(&self, appointment: &str) -> Result<Appointment, Failure>;

    /// Every appointment that begins on a day from `from` to `to`, both included, cancelled or not, as the booking
    /// system writes it.
    async fn list(&self, from: Date, to: Date) -> Result<Vec<Box<RawValue>>, Failure>;

    /// Reads an appointment as the booking system writes it. The error says what is wrong, without any value.
    fn read(&self, appointment: &RawValue) -> Result<Appointment, String>;

    /// Tries credentials and reachability.
    async fn check(&self) -> Result<CheckReport, Failure>;

    /// The query parameter of booking pages that takes the attribution's id, such as `field:123`; nothing where the
    /// settings do not name one.
    fn attribution_parameter(&self) -> Option<String>;
}

/// A genuine webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What happened, in the booking system's word.
    pub action: String,
    /// The appointment that it is about, or why it is about none that matters.
    pub appointment: Result<String, Ignored>,
}

/// Why a genuine webhook leads to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The reason: the connector's own, by [`reasons!`](crate::reasons).
    pub reason: &'static Reason,
    /// One sentence.
    pub message: String,
}

/// A webhook without a valid signature. Which check failed is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is missing or wrong")]
pub struct NotGenuine;

/// A booking system's connector in facts.
#[derive(Clone, Copy, Debug)]
pub struct SourceDescriptor {
    /// The kind in settings and addresses, such as `acuity`. A source of that name takes the variables of
    /// [`Self::environment`].
    pub kind: &'static str,
    /// The booking system's name for humans.
    pub title: &'static str,
    /// The booking system's own documentation.
    pub docs: &'static str,
    /// The header that carries a webhook's signature, lower case.
    pub signature_header: &'static str,
    /// Hosts of the booking system's pages, where visitors book; a subdomain counts as its domain.
    pub booking_hosts: &'static [&'static str],
    /// Environment variables and the settings that they give.
    pub environment: &'static [Variable],
    /// A complete example of the source's settings, in TOML.
    pub example: &'static str,
}
