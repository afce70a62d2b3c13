//! The data map: a database described once. Whose its rows are, how they lead to a person, what
//! each column holds, what is kept, and what an erasure does.
//!
//! Pure: no I/O, no SQL, no clock, no async. A database comes in as a [`Catalogue`], a value.
//! Knows `model` and the duties to keep data of `law`; adapters turn a map into statements.

mod build;
mod catalogue;
mod check;
mod clash;
mod draft;
mod error;
mod file;
mod map;
mod strategy;
mod validate;

pub use catalogue::{Catalogue, CatalogueColumn, CatalogueTable, Class, DeleteRule, ForeignKey};
pub use check::PSEUDONYM_LENGTH;
pub use draft::{Draft, Guess};
pub use error::{MapFileError, MapProblem, MapProblems, Problem};
pub use map::{
    Column, DataMap, Exemption, FileOf, JsonPath, KeptWhile, Link, Place, Retention, RetentionRule,
    RowErasure, SCHEMA, SoftDelete, Table, Target, UseEnd, Via, When, Whose,
};
pub use strategy::{Generalise, Plain, Strategy};
