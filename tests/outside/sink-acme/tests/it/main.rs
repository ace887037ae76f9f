//! The sink through its public door: the trait, and real sockets for what the platform answers.

mod conformance;
