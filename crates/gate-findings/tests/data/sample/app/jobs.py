"""Sample code for the tests of gate: every line that a scanner dislikes is meant."""
import hashlib
import subprocess


def run(command):
    return subprocess.call(command, shell=True)


def token(text):
    return hashlib.md5(text.encode()).hexdigest()


def check(value):
    assert value > 0
    return eval(value)
