//! Profiles as TOML files.
