//! Ranges, and who may have which artifact.
