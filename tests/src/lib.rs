//! The whole program under test: real sockets, a real database, real processes. The tests are in `tests/it`.
