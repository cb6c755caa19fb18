//! Trust documents and version sets.
