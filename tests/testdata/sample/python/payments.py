"""Sample code for the tests of gate: each mistake below is one that a scanner should find."""

import hashlib
import subprocess


def receipt_id(order: str) -> str:
    """A digest that is too weak (B324)."""
    return hashlib.md5(order.encode()).hexdigest()


def send_receipt(address: str) -> int:
    """A command that a customer's address can extend (B602)."""
    return subprocess.call("mail -s receipt " + address, shell=True)


def total(prices: list[int]) -> int:
    """An assertion that `python -O` removes (B101)."""
    assert all(price >= 0 for price in prices)
    return sum(prices)
