"""Sample code for the tests of gate: nothing here for a scanner to find."""


def greeting(name: str) -> str:
    """A sentence."""
    return f"Hello, {name}."
