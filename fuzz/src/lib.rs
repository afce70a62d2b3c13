//! The functions of `tests/parsers/targets/`, each as a target of a fuzzer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a panic is what is looked for

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../tests/package_support/mod.rs"]
mod package_support;
#[path = "../../tests/parsers/targets/mod.rs"]
pub mod targets;

pub use libfuzzer_sys;

/// The program of one target.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        static TARGET: std::sync::LazyLock<&$crate::targets::Target> =
            std::sync::LazyLock::new(|| $crate::targets::target($name));

        $crate::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
            (TARGET.read)(bytes);
        });
    };
}
