//! What Google's sinks share: access tokens, the recipe of personal identifiers, click ids, the words of consent, the
//! rule for IP addresses, and how settings write ids.
//!
//! A refresh token carries the scopes that it was granted for, and the two APIs want different ones: one that was granted
//! for `adwords` alone is refused by the Data Manager API (`platforms/google-ads.md`, section 1).
//!
//! The order to read it in: [`AccessTokens`] (how a refresh token becomes an access token), [`send_authorised`] (one
//! request with it), [`identity`] (what is hashed, and how).

mod authorised;
mod click;
mod consent;
mod grant;
pub mod identity;
pub mod ids;
mod ip;
mod tokens;

pub use authorised::{Authorised, get_authorised, send_authorised};
pub use click::{Click, ClickKind};
pub use consent::ConsentWords;
pub use ip::shareable_ip;
pub use tokens::{AccessTokens, Credentials};
