//! An appointment, and how the API shows it.

use jiff::{Span, ZonedDateTime};
use serde_json::{Value, json};

use super::booking::{Booking, Edit, replace};
use super::{forms, time};

/// An appointment, cancelled or not.
#[derive(Debug)]
pub(super) struct Appointment {
    pub(super) id: u64,
    pub(super) booking: Booking,
    pub(super) starts: ZonedDateTime,
    pub(super) created: ZonedDateTime,
    pub(super) canceled: bool,
    no_show: bool,
    labels: Vec<String>,
    /// Opens the client's own page.
    key: String,
}

impl Appointment {
    pub(super) fn new(
        id: u64,
        booking: Booking,
        starts: ZonedDateTime,
        created: ZonedDateTime,
        key: String,
    ) -> Self {
        Self { id, booking, starts, created, canceled: false, no_show: false, labels: Vec::new(), key }
    }

    pub(super) fn edit(&mut self, mut edit: Edit) {
        replace(&mut self.labels, edit.labels.take());
        replace(&mut self.no_show, edit.no_show.take());
        self.booking.apply(edit);
    }

    /// The API's form: ids are numbers, most quantities are strings.
    pub(super) fn to_json(&self, with_forms: bool) -> Value {
        let Booking { first_name, last_name, email, phone, .. } = &self.booking;
        let mut shown = json!({
            "id": self.id,
            "firstName": first_name,
            "lastName": last_name,
            "phone": phone,
            "email": email,
            "canceled": self.canceled,
            "noShow": self.no_show,
            "canClientCancel": !self.canceled,
            "canClientReschedule": !self.canceled,
            "isVerified": false,
            "labels": self.labels(),
            "scheduledBy": self.booking.scheduled_by,
        });
        let mut add = |part: Value| {
            if let (Value::Object(shown), Value::Object(part)) = (&mut shown, part) {
                shown.extend(part);
            }
        };
        add(self.times());
        add(self.service());
        add(self.pages());
        if with_forms {
            add(
                json!({ "forms": forms::forms(self.id, &self.booking), "formsText": forms::text(&self.booking) }),
            );
        }
        shown
    }

    fn times(&self) -> Value {
        let minutes = Span::new().minutes(i64::from(self.booking.duration_min));
        let ends = self.starts.saturating_add(minutes);
        json!({
            "datetime": time::written(&self.starts),
            "datetimeCreated": time::written(&self.created),
            "date": time::day(&self.starts),
            "time": time::clock(&self.starts),
            "endTime": time::clock(&ends),
            "dateCreated": time::day(&self.created),
            "duration": self.booking.duration_min.to_string(),
            "timezone": self.booking.timezone,
            "calendarTimezone": self.booking.timezone,
        })
    }

    fn service(&self) -> Value {
        let booking = &self.booking;
        json!({
            "type": booking.type_name,
            "appointmentTypeID": booking.type_id,
            "category": booking.category,
            "calendar": booking.calendar,
            "calendarID": booking.calendar_id,
            "classID": null,
            "addonIDs": [],
            "certificate": booking.certificate,
            "price": booking.price,
            "priceSold": booking.price_sold.as_ref().unwrap_or(&booking.price),
            "paid": if booking.paid { "yes" } else { "no" },
            "amountPaid": booking.amount_paid,
            "location": booking.location,
            "notes": booking.notes,
        })
    }

    fn pages(&self) -> Value {
        let page = format!("https://app.acuityscheduling.com/schedule.php?action=appt&id%5B%5D={}", self.key);
        json!({ "confirmationPagePaymentLink": format!("{page}&paymentLink=true"), "confirmationPage": page })
    }

    fn labels(&self) -> Option<Vec<Value>> {
        let label =
            |(place, name): (usize, &String)| json!({ "id": place + 1, "name": name, "color": "blue" });
        (!self.labels.is_empty()).then(|| self.labels.iter().enumerate().map(label).collect())
    }
}
