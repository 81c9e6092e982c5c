"""The section `remote` of scripts/bench: a ledger that machines share, over git and over PostgreSQL on this machine.

Beside each figure stands what it is compared with, in the same run: bare git of the same bytes, pgbench with the same
statements. Nothing here goes further than loopback.
"""

import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

# The helpers of scripts/bench, which sets this: Command, interleave, compare, tell, clock, fill, repository, ...
bench = None

SIZES = [int(size) for size in os.environ.get("GATE_BENCH_REMOTE", "1000,10000,100000").split(",")]
# Pushes whose bytes at the server are counted: more than a thousand, so that files are folded.
PUSHES = int(os.environ.get("GATE_BENCH_PUSHES", "1200"))
# A year of 200 decisions a day.
YEAR = 365 * 200
BRANCH = "gate-ledger"

POLICY = """version = 1
[ledger]
remote = "{address}"
{pin}publish = "each"
[gates.lint]
[[gates.lint.allow]]
actions = ["skip"]
who = ["*"]
max_ttl = "8h"
"""

# What any program does that adds one file to a branch which others push to: PLACE is a clone, $1 the bytes.
BARE = """set -e
git fetch -q --depth=1 origin {branch}
blob=$(git hash-object -w --stdin <"$1")
tree=$( (git ls-tree FETCH_HEAD; printf '100644 blob %s\\tn%s\\n' "$blob" "$$-$(date +%N)") | git mktree)
git push -q origin "$(git commit-tree -p FETCH_HEAD -m one "$tree"):refs/heads/{branch}"
"""

# The statements of gate-remote-postgres for one entry, as pgbench runs them.
SQL = """BEGIN;
SELECT seq FROM gate_ledger WHERE name = 'bare' FOR UPDATE \\gset
INSERT INTO gate_entry VALUES ('bare', :seq + 1, decode(repeat('ab', 32), 'hex'), decode(repeat('cd', 490), 'hex'));
UPDATE gate_ledger SET seq = seq + 1, hash = decode(repeat('ab', 32), 'hex') WHERE name = 'bare';
COMMIT;
"""


def environment(cache, **more):
    """The environment of a machine whose working copy lies in `cache`."""
    return {**bench.ENV, "XDG_CACHE_HOME": cache, "HOME": cache, **more}


def town(work, name, address):
    """A checkout of a commit whose policy names a ledger at `address`."""
    place = os.path.join(work, name)
    os.mkdir(place)
    write(place, address, "")
    bench.tell("git", "init", "-q", "-b", "main", ".", cwd=place)
    bench.tell("git", "add", "gate.toml", cwd=place)
    bench.tell("git", "commit", "-q", "-m", "a policy", cwd=place)
    return place


def write(place, address, pin):
    with open(os.path.join(place, "gate.toml"), "w") as out:
        out.write(POLICY.format(address=address, pin=pin))


def bare_repository(work, name):
    host = os.path.join(work, name)
    bench.tell("git", "init", "-q", "--bare", host, cwd=work)
    bench.tell("git", "config", "gc.auto", "0", cwd=host)
    return host


def begin(place, address, env):
    """Makes the ledger there and pins it."""
    made = tool(env, place, "gate-log", "init", "--remote", "--format", "json", "-q")
    write(place, address, f'genesis = "{json.loads(made)["genesis"]}"\n')


def tool(env, place, *argv, ok=(0,)):
    done = subprocess.run(argv, cwd=place, env=env, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode not in ok:
        sys.exit(f"scripts/bench: {' '.join(argv)} ended with {done.returncode}:\n{done.stderr.decode()}")
    return done.stdout


def timed(env, place, *argv):
    begun = time.perf_counter()
    tool(env, place, *argv)
    return time.perf_counter() - begun


def alternate(first, second):
    """Medians of RUNS runs of two functions in turn."""
    times = ([], [])
    first(), second()
    for _ in range(bench.RUNS):
        times[0].append(first())
        times[1].append(second())
    return [statistics.median(one) for one in times]


def over_git(work):
    """One decision, and sixteen machines at once, through a bare repository."""
    host, address = bare_repository(work, "host.git"), None
    address = f"git:{host}#{BRANCH}"
    place = town(work, "by-git", address)
    env = environment(os.path.join(work, "cache-git"))
    begin(place, address, env)
    one = ("gate-check", "-q", "lint", "--", "true")
    tool(env, place, *one)
    line = os.path.join(work, "line")
    with open(line, "wb") as out:
        out.write(tool(env, place, "gate-log", "export").splitlines(keepends=True)[-1])
    bare = os.path.join(work, "bare-clone")
    bench.tell("git", "clone", "-q", "--branch", BRANCH, host, bare, cwd=work)
    bench.tell("git", "push", "-q", "origin", f"{BRANCH}:refs/heads/bare", cwd=bare)
    script = ("sh", "-c", BARE.format(branch="bare"), "sh", line)
    gate, push = alternate(lambda: timed(env, place, *one), lambda: timed(env, bare, *script))
    print(f"  {'gate-check lint -- true, sent through git':<58} {bench.clock(gate):>10}")
    print(f"  {'git fetch, commit-tree, push of the same bytes':<58} {bench.clock(push):>10}")
    bench.compare("gate-check through git / bare git", gate / push, 1.5)
    crowd_of_git(work, place, one, bare, line)


def worker(argv, place, env, until, retries, results):
    done, refused = 0, 0
    while time.monotonic() < until:
        ended = subprocess.run(argv, cwd=place, env=env, stdin=subprocess.DEVNULL, capture_output=True).returncode
        if ended == 0:
            done += 1
        elif not retries:
            refused += 1
    results.put((done, refused))


def crowd(argvs, places, envs, seconds, retries=False):
    """As many workers at once for `seconds`: what each did. Those that may, try again when they were refused."""
    results, until = multiprocessing.Queue(), time.monotonic() + seconds
    workers = [
        multiprocessing.Process(target=worker, args=(argv, place, env, until, retries, results))
        for argv, place, env in zip(argvs, places, envs)
    ]
    for one in workers:
        one.start()
    done = [results.get(timeout=seconds + 120) for _ in workers]
    for one in workers:
        one.join()
    return [count for count, _ in done], sum(refused for _, refused in done)


def fair(what, counts, refused, seconds):
    rate, mean = sum(counts) / seconds, statistics.mean(counts)
    print(f"  {what:<58} {rate:8.1f} a second, {refused} refused")
    bench.compare(f"{what}: refused", refused, 0)
    bench.compare(f"{what}: slowest worker / mean", min(counts) / mean if mean else 0, 0.5, least=True)
    return rate


def crowd_of_git(work, place, one, bare, line):
    # A minute: nobody may be refused for as long as a transaction waits.
    count, seconds = bench.WRITERS, max(60.0, bench.ROUND)
    envs = [environment(os.path.join(work, f"cache-{n}")) for n in range(count)]
    for env in envs:
        tool(env, place, "gate-log", "sync", "-q")
    done, refused = crowd([one] * count, [place] * count, envs, seconds)
    gate = fair(f"{count} machines, gate-check through git", done, refused, seconds)
    clones = []
    for n in range(count):
        clones.append(os.path.join(work, f"clone-{n}"))
        shutil.copytree(bare, clones[-1])
    script = ("sh", "-c", BARE.format(branch="bare"), "sh", line)
    counts, _ = crowd([script] * count, clones, envs, seconds, retries=True)
    rate = sum(counts) / seconds
    print(f"  {f'{count} machines, a bare retry loop of git push':<58} {rate:8.1f} a second")
    bench.compare("pushes a second / bare retry loop", gate / rate if rate else 0, None)


class Cluster:
    """A throw-away PostgreSQL on loopback with the tables; passwords are the names."""

    def __init__(self, work):
        self.data = os.path.join(work, "pg")
        self.user = [] if os.geteuid() else ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        os.chmod(work, 0o777)
        password = os.path.join(work, "password")
        with open(password, "w") as out:
            out.write("owner\n")
        self.run("initdb", "-A", "scram-sha-256", "-U", "owner", "--locale=C", "--pwfile", password, "-D", self.data)
        self.port = free_port()
        options = f"-c port={self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=60"
        self.run("pg_ctl", "-w", "-D", self.data, "-o", options, "-l", os.path.join(self.data, "log"), "start")

    def furnish(self, work):
        tables = bench.tell("gate-remote-postgres", "--tables", cwd=work).decode()
        users = "".join(f"CREATE USER {one} PASSWORD '{one}' IN ROLE gate_{one};" for one in ("writer", "keeper"))
        bare = "INSERT INTO gate_ledger VALUES ('bare', repeat('0', 32), 0, decode(repeat('ab', 32), 'hex'));"
        self.sql(tables + users + bare)

    def run(self, name, *argv):
        bench.tell(*self.user, program(name), *argv, cwd="/tmp")

    def env(self, user):
        server = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGDATABASE": "postgres"}
        return {"PGUSER": user, "PGPASSWORD": user, **server}

    def sql(self, text):
        argv = [program("psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-c", text]
        tool({**bench.ENV, **self.env("owner")}, "/tmp", *argv)

    def pgbench(self, script, seconds, clients=1):
        argv = [program("pgbench"), "-n", "-c", str(clients), "-j", str(clients), "-T", str(int(seconds)), "-f", script]
        out = tool({**bench.ENV, **self.env("owner")}, "/tmp", *argv)
        rates = [text for text in out.decode().splitlines() if text.startswith("tps")]
        return float(rates[0].split("=")[1].split()[0])

    def stop(self):
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")


def program(name):
    """A program of PostgreSQL: on the PATH, or where Debian keeps them."""
    folder = "/usr/lib/postgresql"
    versions = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    kept = [os.path.join(folder, version, "bin", name) for version in versions]
    found = shutil.which(name) or next((path for path in reversed(kept) if os.path.exists(path)), None)
    return found or sys.exit(f"scripts/bench: {name} of PostgreSQL is not installed, and is compared with")


def free_port():
    import socket
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def over_postgres(work):
    """One connection against pgbench, and sixteen machines at once, through PostgreSQL."""
    # Where an ordinary user can look into, too: PostgreSQL refuses root.
    folder = tempfile.mkdtemp(prefix="gate-bench-")
    try:
        with_cluster(work, Cluster(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def with_cluster(work, cluster):
    try:
        cluster.furnish(work)
        address = f"postgres://127.0.0.1:{cluster.port}/postgres?ledger=payments"
        place = town(work, "by-postgres", address)
        begin(place, address, environment(os.path.join(work, "cache-pg"), **cluster.env("keeper")))
        script = os.path.join(work, "bare.sql")
        with open(script, "w") as out:
            out.write(SQL)
        seconds = max(5.0, bench.ROUND)
        name = f"postgres://keeper@127.0.0.1:{cluster.port}/postgres?ledger=speed&clock=off"
        helper = {**bench.ENV, "PGPASSWORD": "keeper"}
        built = [os.path.join(bench.TARGET, "release", one) for one in ("examples/appends", "gate-remote-postgres")]
        rates = ([], [])
        for _ in range(max(1, bench.RUNS // 10)):
            rates[0].append(float(tool(helper, work, *built, name, str(seconds))))
            rates[1].append(cluster.pgbench(script, seconds))
            cluster.sql("DELETE FROM gate_entry WHERE ledger = 'speed'; DELETE FROM gate_ledger WHERE name = 'speed'")
        own, raw = map(statistics.median, rates)
        print(f"  {'appends through the helper, one connection':<58} {own:8.0f} a second")
        print(f"  {'the same statements by pgbench, one connection':<58} {raw:8.0f} a second")
        bench.compare("appends through the helper / pgbench", own / raw, 0.6, least=True)
        count = bench.WRITERS
        envs = [environment(os.path.join(work, f"cache-pg-{n}"), **cluster.env("writer")) for n in range(count)]
        for env in envs:
            tool(env, place, "gate-log", "sync", "-q")
        one = ("gate-check", "-q", "lint", "--", "true")
        counts, refused = crowd([one] * count, [place] * count, envs, max(20.0, bench.ROUND))
        fair(f"{count} machines, gate-check through PostgreSQL", counts, refused, max(20.0, bench.ROUND))
    finally:
        cluster.stop()


def size_of(folder):
    return sum(os.path.getsize(os.path.join(top, one)) for top, _, files in os.walk(folder) for one in files)


def fresh(work):
    """A fresh machine's first decision, by the size of the ledger."""
    before = None
    for size in SIZES:
        host = bare_repository(work, f"large-{size}.git")
        address = f"git:{host}#{BRANCH}"
        local = bench.repository(work, f"large-{size}")
        bench.fill(local, size)
        env = environment(os.path.join(work, f"cache-large-{size}"))
        copied = json.loads(tool(env, local, "gate-log", "copy", address, "--format", "json", "-q"))
        for file in os.listdir(local):
            if file.startswith("ledger.db"):
                os.remove(os.path.join(local, file))
        write(local, address, f'genesis = "{copied["genesis"]}"\n')
        times = []
        for n in range(3):
            cache = os.path.join(work, f"fresh-{size}-{n}")
            times.append(timed(environment(cache), local, "gate-check", "-q", "lint", "--", "true"))
        fetched = size_of(os.path.join(cache, "gate", "git")) / size
        again = timed(environment(cache), local, "gate-check", "-q", "lint", "--", "true")
        copies = os.path.join(cache, "gate")
        copy = next(one for one in os.listdir(copies) if one.endswith(".db"))
        checked = timed(environment(cache), local, "gate-verify", "-q", os.path.join(copies, copy))
        took = statistics.median(times)
        print(f"  {f'first decision, {size:,} entries':<58} {bench.clock(took):>10}")
        print(f"  {'  the next one there':<58} {bench.clock(again):>10}")
        print(f"  {'  a verification of the working copy':<58} {bench.clock(checked):>10}")
        bench.compare(f"bytes that lie here after fetching {size:,}, an entry", fetched, 150)
        print(f"  {'  the part of it that verification takes':<58} {checked / took:10.2f}")
        if before:
            bench.compare("growth of the time / growth of the ledger", (took / before[1]) / (size / before[0]), 1.1)
            archived(work, size, local, before)
        before = (size, took)


def archived(work, size, place, smaller):
    """A fresh machine's first decision when as much is left of a ledger of `size` as a `smaller` one has."""
    left, took = smaller
    env = environment(os.path.join(work, f"cache-archive-{size}"))
    segments = os.path.join(work, f"segments-{size}")
    os.mkdir(segments)
    key = (["--key-file", os.path.join(segments, "key"), "--origin", "example.com/bench"])
    tool(env, place, "gate-log", "checkpoint", "-q", "--new-key", key[1], "--origin", key[3])
    tool(env, place, "gate-log", "archive", "-q", "--before", str(size - left), "--to", segments, *key)
    fresh_env = [environment(os.path.join(work, f"archived-{size}-{n}")) for n in range(3)]
    after = statistics.median(timed(one, place, "gate-check", "-q", "lint", "--", "true") for one in fresh_env)
    print(f"  {f'first decision, {size:,} entries but for {size - left:,} in an archive':<58} {bench.clock(after):>10}")
    bench.compare(f"first decision on what is left / on a ledger of {left:,}", after / took, 1.5)


def growth(work):
    """What a push adds at the server, folding included."""
    host = bare_repository(work, "growth.git")
    address = f"git:{host}#{BRANCH}"
    place, env = town(work, "growth", address), environment(os.path.join(work, "cache-growth"))
    begin(place, address, env)
    tool(env, place, "gate-check", "-q", "lint", "--", "true")
    begun = size_of(host)
    for _ in range(PUSHES):
        tool(env, place, "gate-check", "-q", "lint", "--", "true")
    loose = (size_of(host) - begun) / PUSHES
    bench.tell("git", "gc", "-q", "--prune=now", cwd=host)
    packed = (size_of(host) - begun) / PUSHES
    print(f"  {'bytes at the server a push: as they come, and packed':<58} {loose:8.0f} {packed:8.0f}")
    print(f"  {'a year of 200 decisions a day, packed':<58} {packed * YEAR / 1e6:8.1f} MB")


def section(material):
    """One ledger, many machines"""
    for part in (over_git, over_postgres, fresh, growth):
        print(f"  -- {part.__doc__}", flush=True)
        part(material.work)
