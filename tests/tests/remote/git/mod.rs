//! gate-remote-git: the checks of all remotes over each transport, and what is special about git.

mod attacks;
mod failures;
mod layout;
mod place;

/// A bare repository by path, through one cache.
mod by_path {
    use super::place::Place;

    gate_tests::conformance!(Some(Place::new()));
}

/// The same, each connection from a machine of its own.
mod many_machines {
    use super::place::Place;

    gate_tests::conformance!(Some(Place::new().with_a_cache_each()));
}

/// Over HTTP, with a token that the checkout's configuration holds, as CI systems leave it there.
mod over_http {
    use super::place::Place;

    gate_tests::conformance!(Place::new().over_http());
}

/// Over ssh, with the command that the checkout's configuration names.
mod over_ssh {
    use super::place::Place;

    gate_tests::conformance!(Place::new().over_ssh());
}
