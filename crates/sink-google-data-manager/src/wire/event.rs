//! One event and its destination, their fields in the order of the example in section 7.2.

use std::net::IpAddr;

use conversion_core::Timestamp;
use conversion_core::identity::Digest;
use conversion_core::money::{Amount, Currency};
use serde::Serialize;

use crate::config::EventSource;

/// A conversion action of an account.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Destination<'a> {
    /// What events name it by: the id of the action.
    pub(crate) reference: &'a str,
    pub(crate) operating_account: Account<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) login_account: Option<Account<'a>>,
    /// The id of the action, not its resource name.
    pub(crate) product_destination_id: &'a str,
}

/// A Google Ads account.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account<'a> {
    account_type: &'static str,
    account_id: &'a str,
}

impl<'a> Account<'a> {
    pub(crate) fn new(account_id: &'a str) -> Self {
        Self { account_type: "GOOGLE_ADS", account_id }
    }
}

/// One event. Absent fields are left out; no field is ever null.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event<'a> {
    pub(crate) destination_references: [&'a str; 1],
    pub(crate) transaction_id: String,
    /// RFC 3339 in UTC.
    pub(crate) event_timestamp: Timestamp,
    pub(crate) event_source: EventSource,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<Currency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversion_value: Option<Amount>,
    #[serde(skip_serializing_if = "AdIdentifiers::is_empty")]
    pub(crate) ad_identifiers: AdIdentifiers<'a>,
    #[serde(skip_serializing_if = "UserData::is_empty")]
    pub(crate) user_data: UserData<'a>,
    #[serde(skip_serializing_if = "ConsentFlags::is_empty")]
    pub(crate) consent: ConsentFlags,
}

/// The click, and the device that it led to the site.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdIdentifiers<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gclid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gbraid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wbraid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) landing_page_device_info: Option<DeviceInfo>,
}

impl AdIdentifiers<'_> {
    fn is_empty(&self) -> bool {
        self.gclid.is_none()
            && self.gbraid.is_none()
            && self.wbraid.is_none()
            && self.landing_page_device_info.is_none()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceInfo {
    pub(crate) ip_address: IpAddr,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserData<'a> {
    pub(crate) user_identifiers: Vec<UserIdentifier<'a>>,
}

impl UserData<'_> {
    fn is_empty(&self) -> bool {
        self.user_identifiers.is_empty()
    }
}

/// One identifier per object: `{"emailAddress": …}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum UserIdentifier<'a> {
    EmailAddress(Digest),
    PhoneNumber(Digest),
    Address(UserAddress<'a>),
}

/// Matched as one unit: all four or nothing (section 5).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserAddress<'a> {
    pub(crate) given_name: Digest,
    pub(crate) family_name: Digest,
    pub(crate) region_code: std::borrow::Cow<'a, str>,
    pub(crate) postal_code: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConsentFlags {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ad_user_data: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ad_personalization: Option<&'static str>,
}

impl ConsentFlags {
    fn is_empty(&self) -> bool {
        self.ad_user_data.is_none() && self.ad_personalization.is_none()
    }
}
