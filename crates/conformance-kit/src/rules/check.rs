//! The check of credentials and reachability.

use conversion_core::failure::FailureClass;

use crate::platform::{Action, Nobody};
use crate::profile::Profile;
use crate::rig::{Rig, Sink, within};
use crate::rule::{Broken, Verdict, broken, ensure};

pub(crate) async fn check_tells_good_bad_and_unreachable(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let online = rig.online().await?;
    let report = within(online.sink.check()).await?;
    let report = report.map_err(|failure| broken(format!("good credentials: {}", failure.message)))?;
    ensure!(!report.summary.trim().is_empty(), "it says nothing of good credentials");

    online.platform.answers([Action::Reply(profile.unauthorized())]);
    let class = failure(&online.sink, "refused credentials").await?;
    let holds = matches!(class, FailureClass::Unauthorized { .. });
    ensure!(holds, "refused credentials are {class:?}, and not Unauthorized");

    let nobody = Nobody::new()?;
    for granted_by in [None, Some(&online.platform)] {
        let class = failure(&rig.deserted(&nobody, granted_by)?, "a platform where nobody listens").await?;
        ensure!(class == FailureClass::Unreachable, "a platform where nobody listens is {class:?}");
    }

    let requests = online.platform.requests();
    let mut table = rig.table(&online.platform.url(), "")?;
    profile.credentials().iter().for_each(|name| drop(table.remove(*name)));
    let bare = rig.build(table).map_err(|_| Broken::After("missing_credentials_are_skipped"))?;
    let class = failure(&bare, "missing credentials").await?;
    let holds = matches!(class, FailureClass::Unauthorized { .. });
    ensure!(holds, "missing credentials are {class:?}, and not Unauthorized");
    ensure!(online.platform.requests() == requests, "without credentials the platform is asked all the same");
    Ok(())
}

async fn failure(sink: &Sink, what: &str) -> Verdict<FailureClass> {
    match within(sink.check()).await? {
        Ok(_) => Err(broken(format!("{what} pass the check"))),
        Err(failure) => Ok(failure.class),
    }
}
