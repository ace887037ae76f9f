//! What must never be told of a person.

use std::sync::Arc;

use conversion_core::exchange::{Exchange, Header};
use conversion_core::report::{Outcome, SendReport};
use conversion_core::sink::{NotSent, Subject};

use crate::fixture::NOW;
use crate::generate::for_all;
use crate::leak::Person;
use crate::logs::Capture;
use crate::platform::{Action, Nobody, access_token};
use crate::profile::{Profile, Reply};
use crate::rig::{Rig, payload, within};
use crate::rule::{Verdict, ensure};
use crate::rules::settings::secret_in;

pub(crate) async fn personal_data_is_not_sent_raw(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let sinks = rig.every_sink()?;
    for_all((1000..9999_u16, "[ \u{a0}\t]{0,2}", 0..sinks.len()), |(number, pad, at)| {
        let person = Person::new(number, &pad);
        for event in [&person.event, &person.event.without_identifiers()] {
            let told = match sinks[at].prepare(&Subject::new(event), NOW) {
                Ok(payload) => {
                    let request = sinks[at].compose(&[&payload]);
                    format!("{}\n{}\n{:?}", request.url, request.body.json(), payload)
                }
                Err(NotSent::Skip(skip)) => format!("{}\n{}", skip.message, skip.reason.fix),
                Err(other) => format!("{other:?}"),
            };
            if let Some(line) = person.found_in(&told) {
                return Err(format!("a person is named: {line}"));
            }
        }
        Ok(())
    })
}

pub(crate) async fn secrets_and_persons_are_not_spoken_of(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let person = Person::new(142, "");
    let logs = Capture::start()?;
    let mut spoken = String::new();
    for action in [
        Action::Reply(profile.taken(1)),
        Action::Reply(profile.refusing(1, 0)),
        Action::Reply(profile.unauthorized()),
        Action::Reply(Reply::new(500, "down")),
        Action::Echo(200),
        Action::Echo(400),
        Action::Echo(500),
        Action::HangUp,
    ] {
        let online = rig.online().await?;
        online.platform.answers([action]);
        let payload = payload(&online.sink, &person.event)?;
        let request = Arc::new(online.sink.compose(&[&payload]));
        speak(&mut spoken, &within(online.sink.send(request)).await?);
        spoken.push_str(&format!("\n{:?}", within(online.sink.check()).await?));
    }
    let online = rig.online().await?;
    for action in [Action::Echo(200), Action::Echo(400), Action::Echo(500)] {
        online.platform.answers_tokens([action]);
        let payload = payload(&online.sink, &person.event)?;
        let request = Arc::new(online.sink.compose(&[&payload]));
        speak(&mut spoken, &within(online.sink.send(request)).await?);
    }
    let nobody = Nobody::new()?;
    let deserted = rig.deserted(&nobody, Some(&online.platform))?;
    let request = Arc::new(deserted.compose(&[&payload(&deserted, &person.event)?]));
    speak(&mut spoken, &within(deserted.send(request)).await?);

    let settings = rig.table(&online.platform.url(), "")?;
    for (what, text) in [("the log", logs.read()), ("a failure or an exchange", spoken)] {
        let found = person.found_in(&text);
        ensure!(found.is_none(), "{what} names a person: {}", found.unwrap_or_default());
        let secret = secret_in(&text, profile, &settings);
        ensure!(secret.is_none(), "{what} holds the value of {}", secret.unwrap_or_default());
        ensure!(!text.contains(&access_token(1)), "{what} holds an access token");
    }
    Ok(())
}

/// All that is kept of a report: exchanges as they are recorded, and failures.
fn speak(spoken: &mut String, report: &SendReport) {
    let mut say = |text: &str| {
        spoken.push('\n');
        spoken.push_str(text);
    };
    say(&format!("{report:?}"));
    for Exchange { request, reply, .. } in report.exchanges() {
        say(&request.url);
        say(request.body.json());
        request.headers.iter().map(Header::recorded_value).for_each(&mut say);
        say(reply.as_ref().map_or("", |reply| &reply.body));
    }
    match report.verdict() {
        Err(failure) => say(&failure.message),
        Ok(outcomes) => outcomes.iter().for_each(|outcome| match outcome {
            Outcome::Delivered { note } => say(note.as_deref().unwrap_or_default()),
            Outcome::Failed(failure) => say(&failure.message),
            Outcome::RefusedWithOthers => {}
        }),
    }
}
