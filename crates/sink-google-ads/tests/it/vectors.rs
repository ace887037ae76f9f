//! The test vectors of `platforms/google-ads.md`, section 5, as they leave in a payload.

use crate::support::{booking, prepare, sink};

const ALEXZ: &str = "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a";

fn item(fields: &str) -> String {
    prepare(&sink(""), &booking(fields)).unwrap().item.get().to_owned()
}

#[test]
fn emails_are_hashed_as_google_documents() {
    for (email, digest) in [
        (" ALEXZ@example.com ", ALEXZ),
        ("Jane.Doe+vip@Gmail.com", "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69"),
        ("Jane.Doe+VIP@example.com", "c9a05fd086c1c335f42f180255a199426c7f5c3666de331a030e33fd7169bc39"),
        // Already a digest: passed on in lower case, never hashed again.
        (&ALEXZ.to_uppercase(), ALEXZ),
    ] {
        let item = item(&format!(r#""email":"{email}""#));
        assert!(
            item.contains(&format!(r#""userIdentifiers":[{{"hashedEmail":"{digest}"}}]"#)),
            "{email}: {item}"
        );
    }
}

#[test]
fn phones_are_hashed_with_their_plus() {
    for (phone, digest) in [
        ("+1 (800) 555-0100", "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"),
        ("(800) 555-0100", "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"),
        ("+49 30 1234-5678", "b947f8ad7dc00f0f4ba3da5a5fbdf3959603e725e50858e8383eb4fd109fc591"),
    ] {
        let item = item(&format!(r#""phone":"{phone}""#));
        assert!(
            item.contains(&format!(r#""userIdentifiers":[{{"hashedPhoneNumber":"{digest}"}}]"#)),
            "{phone}: {item}"
        );
    }
}

#[test]
fn the_sinks_own_country_wins() {
    let booking = booking(r#""phone":"030 1234-5678""#);
    let payload = prepare(&sink("phone_country = '49'"), &booking).unwrap();
    assert!(payload.item.get().contains("b947f8ad7dc00f0f4ba3da5a5fbdf3959603e725e50858e8383eb4fd109fc591"));
}
