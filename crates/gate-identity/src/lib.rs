//! Who acts, where, and how well that is known.

pub mod ci;
pub mod facts;
pub mod git;
pub mod oidc;
pub mod os;
pub mod ssh;
