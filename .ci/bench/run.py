"""`make bench`: makes work of the published size and of a tenth and ten times of it, times Quorum, other tools and the
machine's limits on it in turn, and prints one table. The table is also written to target/bench/table.md.

    python3 .ci/bench/run.py [--rounds 5] [--sizes 1844,18440,184400]
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "target/bench"
VENV = ROOT / ".local/bench-venv"
QUORUMCTL = ROOT / "target/release/quorumctl"
WINDOW, EMPTY = ROOT / "target/release/quorum", ROOT / "target/release/examples/empty_window"
PUBLISHED = 18_440
TOPICS = 18
# Output files, and as much again for the store and the room that the file system wants.
BYTES_A_REVIEW = 110_000


def bench(part, *rest):
    done = subprocess.run([QUORUMCTL, "--json", "bench", part, *map(str, rest)], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def peer(name, folder):
    python = VENV / "bin/python"
    done = subprocess.run([python, ROOT / ".ci/bench/peers.py", name, folder], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def prepare_peers():
    """DuckDB and orjson from PyPI; False with a word where there is no network."""
    if not (VENV / "bin/python").exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    known = subprocess.run([VENV / "bin/python", "-c", "import duckdb, orjson"], stderr=subprocess.DEVNULL)
    if known.returncode == 0:
        return True
    pip = subprocess.run([VENV / "bin/pip", "install", "--quiet", "duckdb>=1.1", "orjson>=3.10"])
    if pip.returncode != 0:
        print("DuckDB and orjson cannot be had from PyPI here; the table goes without them.", file=sys.stderr)
    return pip.returncode == 0


def middle(runs, *path):
    values = []
    for run in runs:
        for key in path:
            run = run[key]
        values.append(run)
    return statistics.median(values)


def seconds(ms):
    return f"{ms / 1e3:.2f} s" if ms >= 1e3 else f"{ms:.0f} ms" if ms >= 10 else f"{ms:.1f} ms"


def megabytes(count):
    return f"{count / 1e6:,.0f} MB"


def times(ratio):
    return f"{ratio:.2f} ×" if ratio < 10 else f"{ratio:.1f} ×"


def said(word):
    print(word, file=sys.stderr, flush=True)


def published(rounds, has_peers):
    """Rows of the published size."""
    folder = WORK / str(PUBLISHED)
    names = ["duckdb", "orjson", "json"] if has_peers else []
    limits, ingests, peers = [], [], {name: [] for name in names}
    for round in range(rounds):
        said(f"ingest, round {round + 1} of {rounds}")
        limits.append(bench("read", folder))
        ingests.append(bench("ingest", folder))
        for name in names:
            # The slow ones once: they differ by seconds, not by their noise.
            if name == "duckdb" or round == 0:
                peers[name].append(peer(name, folder))
    limit = middle(limits, "spent", "wall_ms")
    ingest = middle(ingests, "spent", "wall_ms")
    first = ingests[0]
    expected = first["votes"]
    for name, runs in peers.items():
        if runs[0]["votes"] != expected:
            sys.exit(f"{name} found {runs[0]['votes']} votes and Quorum {expected}: they do not do the same work")
    rows = [
        ("read the files, count lines (one core's limit)", seconds(limit), megabytes(first["input_bytes"])),
        ("**ingest to durable votes**", seconds(ingest), f"{times(ingest / limit)} the limit; processor time {seconds(middle(ingests, 'spent', 'cpu_ms'))}"),
    ]
    for name, label in {"duckdb": "DuckDB, majority in SQL, nothing stored", "orjson": "Python with orjson, nothing stored", "json": "Python, nothing stored"}.items():
        if name in peers:
            wall = middle(peers[name], "wall_ms")
            rows.append((label, seconds(wall), f"{times(wall / ingest)} Quorum's time"))
    rows += [
        ("peak memory of ingest", megabytes(middle(ingests, "spent", "memory_peak_bytes")), "goal 250 MB"),
        ("store growth a vote", f"{first['bytes_a_vote']:.1f} B", f"{first['votes']:,} votes; goal 40 B"),
    ]
    plans = [bench("plan", folder) for _ in range(rounds)]
    said("upload")
    uploads = [bench("upload", folder) for _ in range(max(rounds // 2, 1))]
    verdicts = [bench("verdicts", folder) for _ in range(rounds)]
    upload = uploads[0]
    rows += [
        ("plan: missing votes, tokens, bytes", seconds(middle(plans, "spent", "wall_ms")), f"{plans[0]['requests']:,} requests"),
        ("input files into a pipe", seconds(middle(uploads, "spent", "wall_ms")), f"{megabytes(upload['bytes'])}; peak memory {megabytes(middle(uploads, 'spent', 'memory_peak_bytes'))}"),
        ("the same bytes into a pipe, not made", seconds(middle(uploads, "pipe_ms")), f"Quorum at {middle(uploads, 'share_of_pipe') * 100:.0f} % of its speed; goal 60 %"),
        ("bytes a request", f"{upload['bytes_a_request']:,.0f} B", f"{upload['fixed_bytes_a_request']:,.0f} B the same for all reviews of a topic"),
        ("open the store", seconds(middle(verdicts, "open_ms")), "goal 50 ms"),
        ("all policies at four K, cold", seconds(middle(verdicts, "cold", "wall_ms")), f"{verdicts[0]['results']} results; warm {seconds(middle(verdicts, 'warm_ms'))}; goal 150 ms"),
        ("one policy under other weights", seconds(middle(verdicts, "what_if_ms")), "goal 5 ms"),
    ]
    said("trust")
    trusted = bench("trust", folder)
    again = lambda page: f"again {seconds(trusted[page]['again_ms'])}"
    trust_rows = {"certainties": "how sure every verdict is", "queue_by_value": "review queue by value", "report": "report on aggregators and gold"}
    rows += [(f"{label}, learned blend, {trusted['topic']}, first look", seconds(trusted[page]["first_ms"]), again(page)) for page, label in trust_rows.items()]
    micro = bench("micro")
    labels = {"read_line": "one result line", "write_request": "one request", "tally_review": "one review's consensus"}
    rows += [(f"{label}, one core", f"{micro[name]:,.0f} ns", "micro-benchmark") for name, label in labels.items()]
    return rows


def window(rounds):
    """Start and rest of the window with the published store, beside an empty one."""
    store = WORK / str(PUBLISHED) / "ingested/quorum.redb"
    script = ["dbus-run-session", "--", sys.executable, ROOT / ".ci/bench/window.py", store, WINDOW, EMPTY]
    said("start and rest of the window")
    done = subprocess.run([*script, "--rounds", str(rounds)], check=True, stdout=subprocess.PIPE)
    figures = json.loads(done.stdout.splitlines()[-1])
    quorum, empty = figures["quorum"], figures["empty"]
    share = lambda part: f"{part * 100:.2f} % of a core"
    return [
        ("exec to the first useful picture, with this store", seconds(quorum["start_ms"]), f"{times(quorum['start_ms'] / empty['start_ms'])} an empty Tauri window ({seconds(empty['start_ms'])}); goal 1.10 ×"),
        ("at rest and hidden, main process", share(quorum["rest_main"]), f"with its web processes {share(quorum['rest_all'])}; empty window {share(empty['rest_all'])}; goal 0.20 %"),
        ("resident memory of the main process", megabytes(quorum["main_bytes"]), f"empty window {megabytes(empty['main_bytes'])}; goal 130 MB"),
    ]


def scale(sizes, rounds):
    """Ingest at every size, with what grew by how much."""
    rows = []
    base = None
    for reviews in sizes:
        folder = WORK / str(reviews)
        runs = [bench("ingest", folder) for _ in range(rounds if reviews <= PUBLISHED else 1)]
        row = {
            "votes": runs[0]["votes"],
            "wall": middle(runs, "spent", "wall_ms"),
            "memory": middle(runs, "spent", "memory_peak_bytes"),
            "store": runs[0]["store_bytes"],
        }
        base = row if reviews == PUBLISHED else base
        rows.append((reviews, row))
    for reviews, row in rows:
        growth = ""
        if base is not None and base is not row:
            growth = f"time {times(row['wall'] / base['wall'])}, memory {times(row['memory'] / base['memory'])}, votes {times(row['votes'] / base['votes'])}"
        yield (
            f"ingest of {row['votes']:,} votes",
            seconds(row["wall"]),
            f"peak {megabytes(row['memory'])}, store {megabytes(row['store'])}" + (f"; {growth} of the published size" if growth else ""),
        )


def machine():
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        named = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        model = named[0] if named else model
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}; load before: {load}"


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--sizes", default=f"{PUBLISHED // 10},{PUBLISHED},{PUBLISHED * 10}")
    given = words.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    WORK.mkdir(parents=True, exist_ok=True)
    before = machine()
    has_peers = prepare_peers()
    made = []
    for reviews in sizes:
        if shutil.disk_usage(WORK).free < reviews * BYTES_A_REVIEW and not (WORK / str(reviews)).exists():
            said(f"{reviews:,} reviews need about {megabytes(reviews * BYTES_A_REVIEW)} of disk: left out.")
            continue
        said(f"making {reviews:,} reviews of {TOPICS} topics")
        start = time.perf_counter()
        figures = bench("generate", "--topics", TOPICS, "--reviews", reviews, "--out", WORK / str(reviews))
        said(f"  {figures['lines']:,} lines, {megabytes(figures['output_bytes'])}, {time.perf_counter() - start:.1f} s")
        made.append(reviews)
    rows = published(given.rounds, has_peers) if PUBLISHED in made else []
    if PUBLISHED in made and WINDOW.exists() and EMPTY.exists() and sys.platform == "linux":
        rows += window(given.rounds)
    rows += scale(made, given.rounds)
    lines = [f"Machine: {before}", "", "| what | figure | beside it |", "|---|---|---|"]
    lines += [f"| {what} | {figure} | {beside} |" for what, figure, beside in rows]
    table = "\n".join(lines) + "\n"
    (WORK / "table.md").write_text(table)
    print(table)
    for reviews in made:
        if reviews > PUBLISHED:
            shutil.rmtree(WORK / str(reviews))


main()
