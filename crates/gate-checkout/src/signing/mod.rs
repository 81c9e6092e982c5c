//! SSH signatures made by `ssh-keygen`, with the keys, agents, security keys and certificates that people have.

mod git_config;
mod sign;

pub use git_config::GitSigning;
pub use sign::{SignError, sign};
