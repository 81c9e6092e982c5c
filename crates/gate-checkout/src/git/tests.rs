//! Against the real git, in repositories that mean harm.

mod checkout;
mod revision;
