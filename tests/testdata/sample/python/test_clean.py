"""Sample tests for the tests of gate: all pass."""

from clean import greeting


def test_greeting_names_the_person():
    assert greeting("Alice") == "Hello, Alice."
