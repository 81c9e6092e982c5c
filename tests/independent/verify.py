#!/usr/bin/env python3
"""verify.py [FILE]: checks an export of a ledger, written from gate-ledger(5) alone.

It takes exact bytes: the lines that `gate-log export` writes, not what a filter made of them. It prints one
JSON object and exits with 0 for a good ledger, 1 for a bad one.
"""
import datetime
import hashlib
import json
import re
import sys

from blake3 import blake3

CONTEXT = "gate-ledger v1 entry"
KINDS = "genesis policy decision request grant denial approval revocation review import archive note".split()
MEMBERS = {"actor": dict, "at": str, "data": dict, "gate": str, "kind": str, "ledger": str, "prev": str,
           "ref": int, "seq": int, "v": int}
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def require(holds, reason):
    if not holds:
        raise ValueError(reason)


def members(pairs):
    require(len(dict(pairs)) == len(pairs), "duplicate key")
    require(all(re.fullmatch("[a-z0-9_]+", key) for key, _ in pairs), "key")
    return dict(pairs)


def refused(text):
    require(False, "number " + text)


def profile(value, depth=1):
    if isinstance(value, (dict, list)):
        require(depth <= 32, "too deep")
        for inner in value.values() if isinstance(value, dict) else value:
            profile(inner, depth + 1)
    elif isinstance(value, str):
        require(not CONTROL.search(value), "character")
    elif isinstance(value, int):
        require(abs(value) < 2 ** 53, "number")


def entry(line):
    found = re.fullmatch(rb'(.*),"hash":"(b3:[0-9a-f]{64})"}\n?', line, re.DOTALL)
    require(found, "no entry with its hash")
    body = found[1] + b"}"
    require(len(body) <= 1048576, "too large")
    value = json.loads(body.decode(), object_pairs_hook=members, parse_float=refused, parse_constant=refused)
    profile(value)
    require(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == body, "canonical")
    return body, value, found[2].decode()


def judge(value, seq, prev, ledger):
    require(value.get("v") == 1, "version")
    require(set(value) | {"gate", "ref"} == set(MEMBERS), "members")
    require(all(type(value[name]) is MEMBERS[name] for name in value), "type")
    require(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value["at"], re.ASCII), "time")
    datetime.datetime.strptime(value["at"], "%Y-%m-%dT%H:%M:%S.%fZ")
    require(value["kind"] in KINDS and value.get("gate") != "", "kind or gate")
    require(0 <= value.get("ref", 0) <= value["seq"], "ref")
    require((value["kind"] == "genesis") == (seq == 0) and (seq or not {"gate", "ref"} & set(value)), "genesis")
    require(value["seq"] == seq, "seq")
    require(value["prev"] == prev, "prev")
    require(re.fullmatch("[0-9a-f]{32}", value["ledger"]) and ledger in (None, value["ledger"]), "ledger")


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def verify(lines):
    prev, ledger, leaves, bad = "b3:" + "0" * 64, None, [], None
    for line in lines:
        try:
            body, value, recorded = entry(line)
            computed = "b3:" + blake3(body, derive_key_context=CONTEXT).hexdigest()
            require(computed == recorded, "hash")
            judge(value, len(leaves), prev, ledger)
        except (ValueError, RecursionError) as error:
            bad = {"seq": len(leaves), "reason": str(error)}
            break
        prev, ledger = recorded, value["ledger"]
        leaves.append(hashlib.sha256(b"\x00" + body).digest())
    return {"ok": bad is None, "entries": len(leaves), "head": prev, "root": root(leaves).hex(), "first_bad": bad}


if __name__ == "__main__":
    verdict = verify(open(sys.argv[1], "rb") if len(sys.argv) > 1 else sys.stdin.buffer)
    print(json.dumps(verdict))
    sys.exit(not verdict["ok"])
