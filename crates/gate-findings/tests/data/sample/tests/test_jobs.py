import pytest


def test_passes():
    assert 1 + 1 == 2


def test_fails():
    left = {"a": "<&>"}
    assert left == {"a": "]]>"}, "texts differ: <&>"


@pytest.fixture
def broken():
    raise RuntimeError("no service")


def test_errors(broken):
    pass


@pytest.mark.skip(reason="later")
def test_skipped():
    assert False


@pytest.mark.parametrize("value", ["a,b", "x=1 é"])
def test_values(value):
    assert value == "other"
