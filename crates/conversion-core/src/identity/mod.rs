//! Primitives that platforms' recipes for personal identifiers are made of. Which of them a platform wants, and in
//! which order, its own sink says: platforms differ.

mod digest;
mod phone;
mod recipe;
mod text;

pub use digest::Digest;
pub use phone::{CallingCode, PhoneForm};
pub use recipe::{Recipe, Source, Step, Trace};
pub use text::{gmail_canonical, lowercase, without_punctuation, without_whitespace};
