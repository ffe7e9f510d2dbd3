"""Start and rest of the window, beside an empty Tauri window in the same session; part of `make bench`.

    dbus-run-session -- python3 .ci/bench/window.py STORE QUORUM EMPTY [--rounds 5] [--rest 30]

Prints one JSON object. STORE is copied first. A screen of its own (Xvfb) writes its picture into a file, which is read here every few
milliseconds, so that both programs are judged from outside and alike:

- *start* is from exec to the first picture in which 95 % of what the window shows at rest is there. What it shows are the
  points of another colour than the commonest, so that a blank window counts for nothing. A clock that ticks is at rest.
- *rest* is the processor time of the program and its web processes while the window is hidden, and the resident memory of the
  main process.

Deliberately not here: a window manager, which would add its own time to both.
"""

import argparse
import collections
import ctypes
import ctypes.util
import json
import mmap
import operator
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WIDTH, HEIGHT = 1280, 800
# Every fourth point across and down is looked at.
STEP = 4
SHOWN = 0.95
SETTLED_S = 2.0
# A change of fewer points than this is a clock, not a page that is still being drawn.
TICKS = 0.005
STARTED_S_MAX = 60.0
LOOK_EVERY_S = 0.002
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Screen:
    """An X server whose picture is a mapped file."""

    def __init__(self, folder):
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-fbdir", str(folder), "-nolisten", "tcp"],
            pass_fds=[write],
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as number:
            self.display = ":" + number.readline().strip()
        file = open(folder / "Xvfb_screen0", "rb")
        self.map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        # XWD, big-endian: header size first, colours behind it, 12 bytes each, then the points.
        header, colours = struct.unpack_from(">I", self.map, 0)[0], struct.unpack_from(">I", self.map, 76)[0]
        self.line = struct.unpack_from(">I", self.map, 48)[0]
        self.points = header + colours * 12

    def picture(self):
        lines = range(self.points, self.points + HEIGHT * self.line, self.line * STEP)
        # The green of each point: enough to tell letters from paper.
        return b"".join(self.map[line + 1 : line + self.line : 4 * STEP] for line in lines)

    def close(self):
        self.server.terminate()
        self.server.wait()


def tree(root):
    """A process and all below it."""
    children = collections.defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children[int(stat[1])].append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += children[process]
    return found


def cpu_s(process):
    try:
        stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(stat[11]) + int(stat[12])) / TICKS_A_SECOND


def resident_bytes(process):
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {process} has no resident memory")


def hide_windows(display):
    """Takes every window off the screen, as a desktop does with hidden ones."""
    x11 = ctypes.CDLL(ctypes.util.find_library("X11"))
    x11.XOpenDisplay.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    x11.XDefaultRootWindow.restype = ctypes.c_ulong
    root = ctypes.c_ulong(x11.XDefaultRootWindow(connection))
    found_root, parent, children, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.POINTER(ctypes.c_ulong)(), ctypes.c_uint()
    x11.XQueryTree(connection, root, *map(ctypes.byref, (found_root, parent, children, count)))
    for at in range(count.value):
        x11.XUnmapWindow(connection, ctypes.c_ulong(children[at]))
    x11.XSync(connection, 0)
    x11.XCloseDisplay(connection)


def run(program, environment, screen, rest_s):
    """Starts a program, waits until its picture rests, and with `rest_s` looks at it at rest. Milliseconds, bytes, share of a core."""
    pictures, before = [], screen.picture()
    began = time.perf_counter()
    process = subprocess.Popen([program], env={**environment, "DISPLAY": screen.display}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    last, drawn, changed = before, before, began
    while True:
        now = time.perf_counter()
        picture = screen.picture()
        if picture != last:
            pictures.append((now - began, picture))
            last = picture
            if sum(map(operator.ne, picture, drawn)) > TICKS * len(picture):
                drawn, changed = picture, now
        elif pictures and now - changed > SETTLED_S:
            break
        elif now - began > STARTED_S_MAX or process.poll() is not None:
            sys.exit(f"{program} shows nothing")
        time.sleep(LOOK_EVERY_S)
    commonest = collections.Counter(last).most_common(1)[0][0]
    shown = [at for at, point in enumerate(last) if point != commonest]
    is_there = lambda picture: sum(picture[at] == last[at] for at in shown) >= SHOWN * len(shown)
    figures = {"start_ms": next(at for at, picture in pictures if is_there(picture)) * 1e3}
    if rest_s:
        hide_windows(screen.display)
        time.sleep(5)
        processes = tree(process.pid)
        spent = {process: cpu_s(process) for process in processes}
        time.sleep(rest_s)
        figures["rest_main"] = (cpu_s(process.pid) - spent[process.pid]) / rest_s
        figures["rest_all"] = sum(cpu_s(process) - before for process, before in spent.items()) / rest_s
        figures["main_bytes"] = resident_bytes(process.pid)
    process.terminate()
    process.wait()
    while screen.picture() != before:
        time.sleep(LOOK_EVERY_S)
    return figures


def main():
    words = argparse.ArgumentParser()
    words.add_argument("store", type=Path)
    words.add_argument("quorum", type=Path)
    words.add_argument("empty", type=Path)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--rest", type=float, default=30)
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        data, home = folder / "data", folder / "home"
        for made in (data, home, folder / "screen"):
            made.mkdir()
        shutil.copy(given.store, data / "quorum.redb")
        environment = {**os.environ, "HOME": str(home), "QUORUM_DATA": str(data), "LIBGL_ALWAYS_SOFTWARE": "1", "NO_AT_BRIDGE": "1"}
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "WAYLAND_DISPLAY"):
            environment.pop(name, None)
        screen = Screen(folder / "screen")
        programs = {"quorum": given.quorum.resolve(), "empty": given.empty.resolve()}
        runs = {name: [] for name in programs}
        try:
            # The first start of each warms the page cache and is not counted.
            for round in range(given.rounds + 1):
                for name, program in programs.items():
                    figures = run(program, environment, screen, given.rest if round == given.rounds else 0)
                    if round > 0:
                        runs[name].append(figures)
        finally:
            screen.close()
    print(json.dumps({
        name: {"start_ms": statistics.median(one["start_ms"] for one in all), "starts_ms": [one["start_ms"] for one in all], **{key: value for key, value in all[-1].items() if key != "start_ms"}}
        for name, all in runs.items()
    }))


main()
