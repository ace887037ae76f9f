//! Webhooks: whether one is genuine, and what it is about (platforms/acuity.md, sections 1 and 2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conversion_core::reason::Reason;
use conversion_core::secret::Secret;
use conversion_core::source::{Ignored, Notice};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use crate::config::is_id;

conversion_core::reasons! {
    const UNUSABLE_ID: "unusable_id" of [NoticeIgnored] =
        "the webhook names no appointment by an id of 1 to 19 digits";
    Nobody: "nothing";

    const ORDER: "order" of [NoticeIgnored] = "an order of a package or gift certificate is no appointment";
    Nobody: "nothing";

    const UNKNOWN_ACTION: "unknown_action" of [NoticeIgnored] =
        "Signalbox knows no appointment that this action is about";
    Nobody: "nothing";
}

/// Bytes of an HMAC-SHA256.
const MAC: usize = 32;
/// Longest action that is repeated.
const MAX_ACTION: usize = 64;

/// Whether one of `keys` signed `body`. All are tried, whatever the signature looks like.
pub(crate) fn is_genuine<'k>(
    keys: impl Iterator<Item = &'k Secret>,
    signature: Option<&[u8]>,
    body: &[u8],
) -> bool {
    let decoded = STANDARD.decode(signature.unwrap_or_default()).unwrap_or_default();
    let well_formed = Choice::from(u8::from(decoded.len() == MAC));
    let mut claimed = [0; MAC];
    claimed.iter_mut().zip(&decoded).for_each(|(slot, byte)| *slot = *byte);
    let signed = keys.fold(Choice::from(0), |signed, key| signed | signed_with(key, &claimed, body));
    (well_formed & signed).into()
}

fn signed_with(key: &Secret, claimed: &[u8; MAC], body: &[u8]) -> Choice {
    // An HMAC takes a key of any length, so there is always one.
    Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
        .map_or(Choice::from(0), |mac| mac.chain_update(body).finalize().into_bytes().ct_eq(claimed))
}

/// What a genuine body says.
pub(crate) fn notice(body: &[u8]) -> Notice {
    let field = |name: &str| {
        let value = form_urlencoded::parse(body).find(|(field, _)| field == name);
        value.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let action = field("action");
    // Webhooks that were made through the API may write the name that they were made with.
    let action = action.strip_prefix("appointment.").unwrap_or(&action);
    let id = field("id");
    let appointment = match action {
        "scheduled" | "rescheduled" | "canceled" | "changed" if is_id(&id) => Ok(id),
        "scheduled" | "rescheduled" | "canceled" | "changed" => Err(ignored(UNUSABLE_ID)),
        "order.completed" => Err(ignored(ORDER)),
        _ => Err(ignored(UNKNOWN_ACTION)),
    };
    let action = action.chars().filter(|c| !c.is_control()).take(MAX_ACTION).collect();
    Notice { action, appointment }
}

fn ignored(reason: &'static Reason) -> Ignored {
    Ignored { reason, message: reason.tell(&[]) }
}
