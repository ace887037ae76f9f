//! What can be said about an appointment when it is booked or edited.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A booking. Only [`datetime`](Self::datetime) is required; texts are shown as given, whatever they say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Booking {
    /// When it begins, with an offset: `2026-12-01T10:15:00-0500`, `…-05:00` or `…Z`.
    pub datetime: String,
    /// When it was booked, written likewise; now, unless set.
    pub datetime_created: Option<String>,
    /// The client's first name.
    pub first_name: String,
    /// The client's last name.
    pub last_name: String,
    /// The client's e-mail address.
    pub email: String,
    /// The client's phone number.
    pub phone: String,
    /// The client's zone, by its IANA name. Offsets are those of `datetime` all the same.
    pub timezone: String,
    /// The appointment type.
    pub type_id: u64,
    /// The appointment type's name.
    pub type_name: String,
    /// The appointment type's category.
    pub category: String,
    /// The calendar.
    pub calendar_id: u64,
    /// The calendar's name.
    pub calendar: String,
    /// Length in minutes.
    pub duration_min: u16,
    /// List price, such as `49.00`.
    pub price: String,
    /// What was charged; the list price, unless set.
    pub price_sold: Option<String>,
    /// What has been paid.
    pub amount_paid: String,
    /// Whether it is paid.
    pub paid: bool,
    /// Coupon or package.
    pub certificate: Option<String>,
    /// The login of the member of staff who booked; none where the client did.
    pub scheduled_by: Option<String>,
    /// Where it takes place.
    pub location: String,
    /// The owner's notes.
    pub notes: String,
    /// Answers of the intake form, by the fields' ids. Without any there is no form.
    pub fields: BTreeMap<u64, String>,
}

impl Default for Booking {
    fn default() -> Self {
        Self {
            datetime: String::new(),
            datetime_created: None,
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            phone: String::new(),
            timezone: "UTC".to_owned(),
            type_id: 1,
            type_name: "Trial".to_owned(),
            category: String::new(),
            calendar_id: 1,
            calendar: "Calendar".to_owned(),
            duration_min: 60,
            price: "0.00".to_owned(),
            price_sold: None,
            amount_paid: "0.00".to_owned(),
            paid: false,
            certificate: None,
            scheduled_by: None,
            location: String::new(),
            notes: String::new(),
            fields: BTreeMap::new(),
        }
    }
}

/// New details of an appointment; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edit {
    /// The client's first name.
    pub first_name: Option<String>,
    /// The client's last name.
    pub last_name: Option<String>,
    /// The client's e-mail address.
    pub email: Option<String>,
    /// The client's phone number.
    pub phone: Option<String>,
    /// The appointment type.
    pub type_id: Option<u64>,
    /// The calendar.
    pub calendar_id: Option<u64>,
    /// List price.
    pub price: Option<String>,
    /// What was charged.
    pub price_sold: Option<String>,
    /// What has been paid.
    pub amount_paid: Option<String>,
    /// Whether it is paid.
    pub paid: Option<bool>,
    /// The owner's notes.
    pub notes: Option<String>,
    /// Names of labels, in place of those that were there.
    pub labels: Option<Vec<String>>,
    /// Whether the client did not come.
    pub no_show: Option<bool>,
    /// Answers of the intake form, beside or in place of those that were there.
    pub fields: BTreeMap<u64, String>,
}

impl Booking {
    /// Takes over what an edit says about it.
    pub(super) fn apply(&mut self, edit: Edit) {
        replace(&mut self.first_name, edit.first_name);
        replace(&mut self.last_name, edit.last_name);
        replace(&mut self.email, edit.email);
        replace(&mut self.phone, edit.phone);
        replace(&mut self.type_id, edit.type_id);
        replace(&mut self.calendar_id, edit.calendar_id);
        replace(&mut self.price, edit.price);
        replace(&mut self.price_sold, edit.price_sold.map(Some));
        replace(&mut self.amount_paid, edit.amount_paid);
        replace(&mut self.paid, edit.paid);
        replace(&mut self.notes, edit.notes);
        self.fields.extend(edit.fields);
    }
}

pub(super) fn replace<T>(place: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *place = new;
    }
}
