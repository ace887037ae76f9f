//! What Google's sinks share: access tokens, the recipe of personal identifiers, the words of consent, and the rule for
//! IP addresses.
//!
//! The order to read it in: [`AccessTokens`] (how a refresh token becomes an access token), [`send_authorised`] (one
//! request with it), [`identity`] (what is hashed, and how).

mod authorised;
mod consent;
mod grant;
pub mod identity;
mod ip;
mod tokens;

pub use authorised::{Authorised, send_authorised};
pub use consent::ConsentWords;
pub use ip::shareable_ip;
pub use tokens::{AccessTokens, Credentials};
