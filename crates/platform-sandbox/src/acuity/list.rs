//! Which appointments a list is asked for.

use jiff::civil::Date;

use super::appointment::Appointment;
use super::time;

/// How many appointments are listed unless more are asked for.
const MAX: usize = 100;

/// A parameter that is unknown or has a value that means nothing.
#[derive(Debug)]
pub(super) struct BadParameter(pub(super) String);

/// The parameters of a list.
#[derive(Debug)]
pub(super) struct List {
    min_date: Option<Date>,
    max_date: Option<Date>,
    max: usize,
    canceled: bool,
    calendar: Option<u64>,
    appointment_type: Option<u64>,
    exclude_forms: bool,
    ascending: bool,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    fields: Vec<(u64, String)>,
}

impl Default for List {
    fn default() -> Self {
        Self {
            min_date: None,
            max_date: None,
            max: MAX,
            canceled: false,
            calendar: None,
            appointment_type: None,
            exclude_forms: false,
            ascending: false,
            first_name: None,
            last_name: None,
            email: None,
            phone: None,
            fields: Vec::new(),
        }
    }
}

impl List {
    /// Refuses what it does not know: a filter that is misspelt would list too much.
    pub(super) fn read(query: &str) -> Result<Self, BadParameter> {
        let mut list = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            list.set(&name, &value).ok_or_else(|| BadParameter(name.into_owned()))?;
        }
        Ok(list)
    }

    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        let text = || Some(value.to_owned());
        match name {
            "minDate" => self.min_date = Some(time::parse_date(value)?),
            "maxDate" => self.max_date = Some(time::parse_date(value)?),
            "max" => self.max = value.parse().ok().filter(|max| *max > 0)?,
            "canceled" => self.canceled = value.parse().ok()?,
            "calendarID" => self.calendar = Some(value.parse().ok()?),
            "appointmentTypeID" => self.appointment_type = Some(value.parse().ok()?),
            "excludeForms" => self.exclude_forms = value.parse().ok()?,
            "direction" => self.ascending = direction(value)?,
            "firstName" => self.first_name = text(),
            "lastName" => self.last_name = text(),
            "email" => self.email = text(),
            "phone" => self.phone = text(),
            _ => self.fields.push((name.strip_prefix("field:")?.parse().ok()?, value.to_owned())),
        }
        Some(())
    }

    pub(super) fn of<'a>(&self, all: impl Iterator<Item = &'a Appointment>) -> Vec<serde_json::Value> {
        let mut chosen: Vec<&Appointment> = all.filter(|appointment| self.wants(appointment)).collect();
        chosen.sort_by_key(|appointment| (appointment.starts.timestamp(), appointment.id));
        if !self.ascending {
            chosen.reverse();
        }
        let shown = chosen.into_iter().take(self.max);
        shown.map(|appointment| appointment.to_json(!self.exclude_forms)).collect()
    }

    fn wants(&self, appointment: &Appointment) -> bool {
        let booking = &appointment.booking;
        let date = appointment.starts.date();
        appointment.canceled == self.canceled
            && self.min_date.is_none_or(|min| date >= min)
            && self.max_date.is_none_or(|max| date <= max)
            && self.calendar.is_none_or(|id| booking.calendar_id == id)
            && self.appointment_type.is_none_or(|id| booking.type_id == id)
            && same(self.first_name.as_ref(), &booking.first_name)
            && same(self.last_name.as_ref(), &booking.last_name)
            && same(self.email.as_ref(), &booking.email)
            && same(self.phone.as_ref(), &booking.phone)
            && self.fields.iter().all(|(id, value)| booking.fields.get(id) == Some(value))
    }
}

/// Whether the later appointments come last.
fn direction(value: &str) -> Option<bool> {
    match value {
        "ASC" | "asc" => Some(true),
        "DESC" | "desc" => Some(false),
        _ => None,
    }
}

fn same(wanted: Option<&String>, given: &str) -> bool {
    wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(given))
}
