//! Codes for what the file system says, without its text: that may hold a path.

use std::io::{Error, ErrorKind};

/// A code in snake case, and whether trying again can help.
pub(super) fn io_code(error: &Error) -> (&'static str, bool) {
    match error.kind() {
        ErrorKind::NotFound => ("not_found", false),
        ErrorKind::PermissionDenied => ("permission_denied", false),
        ErrorKind::ReadOnlyFilesystem => ("read_only", false),
        ErrorKind::NotADirectory => ("not_a_directory", false),
        ErrorKind::IsADirectory => ("is_a_directory", false),
        ErrorKind::InvalidFilename => ("name_too_long", false),
        ErrorKind::StorageFull => ("storage_full", true),
        ErrorKind::QuotaExceeded => ("quota_exceeded", true),
        ErrorKind::Interrupted => ("interrupted", true),
        ErrorKind::TimedOut => ("timed_out", true),
        _ => ("io_error", true),
    }
}
