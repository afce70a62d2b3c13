//! The answer a person can open: spools of what was read, and the ZIP made of them.
//!
//! Knows nothing of requests' courses, laws or who may do what; time comes in as an argument.
//! May use `model` and `ports`.
