//! The body of `POST /api/events`: which events are in it does not depend on how it is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use signalbox::ingest::{SplitError, split};
use signalbox_fuzz::{SENTINEL, repeats_a_value};

const MOST: usize = 100;

fuzz_target!(|body: &[u8]| {
    match split(body, MOST) {
        Ok(events) => found(body, &events),
        Err(SplitError::TooMany { found, most }) => {
            assert!(found > MOST && most == MOST);
            assert_eq!(split(body, found).map(|events| events.len()), Ok(found));
        }
        Err(error) => assert_eq!(split(body, usize::MAX), Err(error)),
    }
    let marked = [body, SENTINEL.as_bytes()].concat();
    if let Err(error) = split(&marked, MOST) {
        assert!(!repeats_a_value(&error.to_string()), "{error}");
    }
});

fn found(body: &[u8], events: &[&str]) {
    assert!((1..=MOST).contains(&events.len()));
    let all = body.as_ptr_range();
    let mut end = all.start;
    for event in events {
        assert!(!event.is_empty());
        let part = event.as_bytes().as_ptr_range();
        assert!(end <= part.start && part.end <= all.end, "the events are parts of the body, in its order");
        end = part.end;
    }
    assert_eq!(split(body, events.len()).as_deref(), Ok(events));
    assert_eq!(split(body, events.len() - 1).is_ok(), false, "the bound counts events");
    assert_eq!(split(&[b" \r\n", body, b"\r\n\t "].concat(), MOST).as_deref(), Ok(events));
    let is_value = |event: &&str| serde_json::from_str::<&RawValue>(event).is_ok();
    if events.iter().all(is_value) {
        let array = format!("[{}]", events.join(" ,\n"));
        assert_eq!(split(array.as_bytes(), MOST).as_deref(), Ok(events), "as an array");
    }
    let is_line = |event: &&str| event.starts_with('{') && !event.contains(['\n', '\r']) && is_value(event);
    if events.iter().all(is_line) {
        for end_of_line in ["\n", "\r\n", "\n\n"] {
            assert_eq!(split(events.join(end_of_line).as_bytes(), MOST).as_deref(), Ok(events), "as lines");
        }
        // One that is broken hides no other.
        let broken = [events, &["{broken"], events].concat();
        assert_eq!(split(broken.join("\n").as_bytes(), usize::MAX).as_deref(), Ok(&*broken));
    }
}
