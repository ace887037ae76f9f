//! What Google checks about the user identifiers of a row.

use super::error::{ApiError, Code};
use super::upload::Service;
use super::wire::UserIdentifier;

const FIELD: &str = "user_identifiers";

const MAX_IDENTIFIERS: usize = 5;

/// SHA-256 of nothing: never a person.
const EMPTY_DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(super) fn check(identifiers: &[UserIdentifier], service: Service, errors: &mut Vec<ApiError>) {
    if identifiers.len() > MAX_IDENTIFIERS {
        errors.push(Code("collectionSizeError", "TOO_MANY").at(FIELD, "Too many."));
    }
    for (index, identifier) in identifiers.iter().enumerate() {
        errors.extend(check_one(identifier, service).map(|error| error.within(FIELD, Some(index))));
    }
}

fn check_one(identifier: &UserIdentifier, service: Service) -> Option<ApiError> {
    let invalid = service.code("INVALID_USER_IDENTIFIER");
    if identifier.user_identifier_source.is_some_and(|source| !source.is_meant()) {
        return Some(Code::ENUM_VALUE.at("user_identifier_source", "Enum value is not permitted."));
    }
    let set = [
        identifier.hashed_email.is_some(),
        identifier.hashed_phone_number.is_some(),
        identifier.mobile_id.is_some(),
        identifier.third_party_user_id.is_some(),
        identifier.address_info.is_some(),
    ];
    if set.into_iter().filter(|set| *set).count() != 1 {
        return Some(invalid.error("Exactly one identifier must be set."));
    }
    let hashed = [
        ("hashed_email", &identifier.hashed_email),
        ("hashed_phone_number", &identifier.hashed_phone_number),
    ];
    match hashed.into_iter().find_map(|(field, value)| Some((field, value.as_ref()?))) {
        Some((_, digest)) if is_digest(digest) => None,
        Some((field, _)) => Some(invalid.at(field, "The identifier must be SHA-256 in lower-case hex.")),
        None if service == Service::Adjustments && identifier.address_info.is_some() => None,
        None => {
            let code = service.code("UNSUPPORTED_USER_IDENTIFIER");
            Some(code.error("This kind of identifier is not supported here."))
        }
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && text != EMPTY_DIGEST
}
