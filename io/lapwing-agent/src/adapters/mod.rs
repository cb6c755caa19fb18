//! What the brain's effects become on Linux: files, slots, sockets, processes.

pub(crate) mod artifact_file;
pub(crate) mod identity_files;
pub(crate) mod record_file;
pub(crate) mod reset_cause;
pub(crate) mod running_mark;
pub(crate) mod slots_app;
pub(crate) mod trust_files;
