//! From a webhook to the event that follows from its appointment.

use conversion_store::crash::{Point, Room};
use platform_sandbox::AcuitySettings;

use super::{commits, crash, restart};
use crate::harness::{Ground, Outcome, SMALL_BATCHES, TRIAL, WEBHOOKS, trial, until};

pub(super) fn points() -> Vec<Point> {
    let rooms = [Room::WebhookRead, Room::AppointmentFetched].map(Point::At);
    commits(&["keep notices", "settle notices"]).into_iter().chain(rooms).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_webhook_to_its_event() {
    for point in points() {
        let mut ground = Ground::start(SMALL_BATCHES).await;
        let (address, base) = (Ground::free_address(), ground.platforms.base.clone());
        let settings = AcuitySettings { retry_ms: 100, ..AcuitySettings::default() };
        for (name, value) in [
            ("SIGNALBOX_SOURCES", "acuity"),
            ("ACUITY_USER_ID", &settings.user_id),
            ("ACUITY_API_KEY", &settings.api_key),
            ("ACUITY_TRIAL_TYPES", &TRIAL.to_string()),
            ("ACUITY_BASE_URL", &base),
        ] {
            ground.set(name, value);
        }
        let acuity = ground.platforms.sandbox.acuity();
        let webhook_target = Some(format!("http://{address}{WEBHOOKS}"));
        acuity.configure(AcuitySettings { webhook_target, ..settings });
        let mut booked = None;
        let act = async |_: &_| {
            booked = Some(acuity.book(trial("ada", "2027-03-01T10:15:00-0500")).unwrap());
        };
        let resends = crash(&ground, &address, (point, 1), act).await;
        let program = restart(&ground, &address).await;
        let id = format!("appt-{}", booked.unwrap());
        until("its event", async || {
            let told = program.api.told("tiktok").await;
            if told.is_empty() { Err(point.name()) } else { Ok(()) }
        })
        .await;
        assert_eq!(program.api.told("tiktok").await, [["TRIAL_BOOKED", &id, &id]], "{}", point.name());
        until("the notice to be worked off", async || {
            let source = program.api.source("acuity").await;
            if source["pending"] == 0 && source["failed"] == 0 { Ok(()) } else { Err(source.to_string()) }
        })
        .await;
        ground
            .assert_outcome(program, &Outcome { delivered: [id].into(), resends, ..Outcome::default() })
            .await;
    }
}
