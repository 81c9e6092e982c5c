#!/usr/bin/env python3
"""Known answers for Merkle trees, proofs and signed checkpoints, from the definitions alone.

usage: rfc6962.py [LARGEST]        (64 where it is left out)

Written from RFC 6962 section 2.1, RFC 8032 section 5.1, and the C2SP formats signed-note, tlog-checkpoint and
tlog-cosignature; it shares nothing with the Rust code and needs nothing but hashlib. The leaves are "0", "1",
"2", ... One line for each size from 0 to LARGEST:

    size root inclusion consistency signature cosignature

root         the root in hexadecimal
inclusion    SHA-256 over all inclusion proofs of that size, index 0 first; - where there is none
consistency  SHA-256 over all consistency proofs from 1 .. size to that size; - where there is none
             (a proof enters as its number of hashes in one byte, then the hashes)
signature    the base64 of a signed note over the checkpoint of that size, by the key of LOG
cosignature  the base64 of the cosignature of WITNESS at the time 1700000000 + size
"""

import base64
import functools
import hashlib
import sys

LOG, LOG_SEED = "example.org/ledger", b"\x01" * 32
WITNESS, WITNESS_SEED = "witness.example", b"\x02" * 32


def sha256(data):
    return hashlib.sha256(data).digest()


# --- RFC 6962, section 2.1: D[lo:hi] in its words --------------------------------------------------------------


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


@functools.lru_cache(maxsize=None)
def mth(lo, hi):
    if lo == hi:
        return sha256(b"")
    if hi - lo == 1:
        return sha256(b"\x00" + str(lo).encode())
    k = split(hi - lo)
    return sha256(b"\x01" + mth(lo, lo + k) + mth(lo + k, hi))


def path(m, lo, hi):
    if hi - lo == 1:
        return []
    k = split(hi - lo)
    if m < k:
        return path(m, lo, lo + k) + [mth(lo + k, hi)]
    return path(m - k, lo + k, hi) + [mth(lo, lo + k)]


def subproof(m, lo, hi, known):
    if m == hi - lo:
        return [] if known else [mth(lo, hi)]
    k = split(hi - lo)
    if m <= k:
        return subproof(m, lo, lo + k, known) + [mth(lo + k, hi)]
    return subproof(m - k, lo + k, hi, False) + [mth(lo, lo + k)]


# --- RFC 8032, section 5.1: Ed25519 in extended coordinates ----------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(s, p):
    q = (0, 1, 1, 0)
    while s:
        if s & 1:
            q = add(q, p)
        p = add(p, p)
        s >>= 1
    return q


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x & 1:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = base_point()


def compress(p):
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


@functools.lru_cache(maxsize=None)
def expand(seed):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & (2**254 - 8) | 2**254
    return scalar, digest[32:], compress(multiply(scalar, BASE))


def sign(seed, message):
    scalar, prefix, public = expand(seed)
    r = number(prefix, message)
    point = compress(multiply(r, BASE))
    s = (r + number(point, public, message) * scalar) % L
    return point + s.to_bytes(32, "little")


# --- C2SP: signed-note, tlog-checkpoint, tlog-cosignature ------------------------------------------------------


def key_id(name, kind, seed):
    return sha256(name.encode() + b"\n" + bytes([kind]) + expand(seed)[2])[:4]


def verifier_key(name, kind, seed):
    material = base64.b64encode(bytes([kind]) + expand(seed)[2]).decode()
    return "%s+%s+%s" % (name, key_id(name, kind, seed).hex(), material)


def note_signature(name, seed, text):
    return base64.b64encode(key_id(name, 1, seed) + sign(seed, text.encode())).decode()


def cosignature(name, seed, text, time):
    message = "cosignature/v1\ntime %d\n%s" % (time, text)
    signed = key_id(name, 4, seed) + time.to_bytes(8, "big") + sign(seed, message.encode())
    return base64.b64encode(signed).decode()


# --- The answers -----------------------------------------------------------------------------------------------


def digest(proofs):
    if not proofs:
        return "-"
    return sha256(b"".join(bytes([len(proof)]) + b"".join(proof) for proof in proofs)).hex()


def answer(size):
    root = mth(0, size)
    text = "%s\n%d\n%s\n" % (LOG, size, base64.b64encode(root).decode())
    return " ".join([
        str(size),
        root.hex(),
        digest([path(m, 0, size) for m in range(size)]),
        digest([subproof(m, 0, size, True) for m in range(1, size + 1)]),
        note_signature(LOG, LOG_SEED, text),
        cosignature(WITNESS, WITNESS_SEED, text, 1700000000 + size),
    ])


def self_test():
    """RFC 8032, section 7.1, test 1: an empty message."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    assert expand(seed)[2].hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert sign(seed, b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b"
    )


def main():
    self_test()
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    print("#", verifier_key(LOG, 1, LOG_SEED))
    print("#", verifier_key(WITNESS, 4, WITNESS_SEED))
    for size in range(largest + 1):
        print(answer(size))


if __name__ == "__main__":
    main()
