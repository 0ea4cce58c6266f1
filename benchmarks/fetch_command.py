"""Measure the memory of `curate fetch` over a long list, phase by phase, and stop it by Ctrl-C.

    python -m benchmarks.fetch_command --urls 10000000 --minutes 12

The URLs lead to loopback addresses at which one server answers 404. *Own* memory is what the system
cannot take back; mapped files come besides. Of all processes together, pages that several share
count once.
"""

import argparse
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import MEGABYTE, process_tree
from webemo_curate.download.journal import SUFFIX
from webemo_curate.machine import usable_cores

CURATE = Path(sys.executable).with_name("curate")
GONE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
SAMPLE_SECONDS = 0.25
LINES_A_WRITE = 100_000
LISTING, JOURNALS = "manifests/listing.parquet", "data/checkpoints/fetch"


def serve(listening: socket.socket) -> None:
    """Answer 404 to every request, a thread a connection; a request is never cut in two here."""

    def converse(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while request := connection.recv(65536):
                connection.sendall(GONE * request.count(b"\r\n\r\n"))

    while True:
        connection, _ = listening.accept()
        threading.Thread(target=converse, args=(connection,), daemon=True).start()


@contextmanager
def serving() -> Iterator[int]:
    """Serve at every loopback address while the block runs; yield the port."""
    with socket.create_server(("0.0.0.0", 0), backlog=1024) as listening:
        server = multiprocessing.get_context("fork").Process(target=serve, args=(listening,))
        server.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.kill()
            server.join()


@dataclass
class Most:
    """The most memory of a phase, in bytes, and its length in seconds."""

    one: int = 0
    all: int = 0
    mapped: int = 0
    seconds: float = 0.0

    def take(self, pids: list[int]) -> None:
        """Look at the processes."""
        seen = [found for pid in pids if (found := memory(pid))]
        if seen:
            self.one = max(self.one, *(own for own, _, _ in seen))
            self.all = max(self.all, sum(share for _, share, _ in seen))
            self.mapped = max(self.mapped, *(files for _, _, files in seen))


def memory(pid: int) -> tuple[int, int, int] | None:
    """Return a process's own bytes, its share of them where others share, and its mapped files."""
    try:
        status = _sizes(Path(f"/proc/{pid}/status"))
        shares = _sizes(Path(f"/proc/{pid}/smaps_rollup"))
    except OSError:
        return None  # it ended meanwhile
    if "RssAnon:" not in status or "Pss_Anon:" not in shares:
        return None
    own, share = (status["RssAnon:"] + status["RssShmem:"]), shares["Pss_Anon:"]
    return own, share + shares["Pss_Shmem:"], status["RssFile:"]


def _sizes(path: Path) -> dict[str, int]:
    lines = (line.split() for line in path.read_text().splitlines())
    return {words[0]: int(words[1]) * 1024 for words in lines if words[-1] == "kB"}


class Watch:
    """Follows a fetch from its listing to its end.

    Parameters
    ----------
    pid : int
        Process of the command.
    workspace : Path
        Where it works.
    """

    def __init__(self, pid: int, workspace: Path) -> None:
        self._pid, self._workspace = pid, workspace
        self.phases: dict[str, Most] = {}
        self.stopping = False
        self._looked = time.monotonic()

    def look(self) -> None:
        """Add a sample to the present phase."""
        most = self.phases.setdefault(self._phase(), Most())
        most.take(process_tree(self._pid))
        now = time.monotonic()
        most.seconds += now - self._looked
        self._looked = now

    def _phase(self) -> str:
        if self.stopping:
            return "ending after Ctrl-C"
        if "fetching" in self.phases or any(journals(self._workspace)):
            return "fetching"
        return "queueing" if (self._workspace / LISTING).exists() else "listing"


def journals(workspace: Path) -> Iterator[Path]:
    """Yield the journals that hold an outcome."""
    for path in (workspace / JOURNALS).rglob(f"*{SUFFIX}"):
        with path.open("rb") as stream:
            if len(stream.readlines(4096)) > 1:  # the first line holds settings
                yield path


def ended(workspace: Path) -> int:
    """Count the outcomes in the journals."""
    count = 0
    for path in journals(workspace):
        with path.open("rb") as stream:
            count += sum(line.startswith(b'{"url"') for line in stream)
    return count


def write_list(path: Path, urls: int, hosts: int, port: int) -> None:
    """Write a list of so many URLs, the hosts in turn."""
    names = [f"127.1.{number // 250}.{1 + number % 250}:{port}" for number in range(hosts)]
    with path.open("w") as stream:
        for start in range(0, urls, LINES_A_WRITE):
            numbers = range(start, min(urls, start + LINES_A_WRITE))
            stream.writelines(f"http://{names[n % hosts]}/jpg/{n:08}_x.jpg 3\n" for n in numbers)


def fetch(folder: Path, options: list[str], seconds: float) -> tuple[Watch, int]:
    """Run the command for so long at most; return what was seen, and its exit code."""
    workspace = folder / "ws"
    command = [str(CURATE), "fetch", "--lists", str(folder / "list.txt"), *options]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--workspace", str(workspace)],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        watch, end = Watch(process.pid, workspace), time.monotonic() + seconds
        while process.poll() is None:
            watch.look()
            if time.monotonic() >= end and not watch.stopping:
                watch.stopping = True
                os.killpg(process.pid, signal.SIGINT)
            time.sleep(SAMPLE_SECONDS)
    return watch, process.returncode


def main() -> None:
    """Write a list, fetch it for a while, print the memory of each phase."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--workers", type=int, default=usable_cores(), help="of the command")
    parser.add_argument("--minutes", type=float, default=3.0, help="until Ctrl-C")
    parser.add_argument("--folder", type=Path, help="where to work; default: the system's")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name, serving() as port:
        folder = Path(name)
        write_list(folder / "list.txt", arguments.urls, arguments.hosts, port)
        options = ["--workers", str(arguments.workers)]
        watch, code = fetch(folder, options, 60 * arguments.minutes)
        count = ended(folder / "ws") if code else arguments.urls
        last = (folder / "log").read_text(errors="replace").splitlines()[-1:]
    for phase, most in watch.phases.items():
        sizes = [f"{size / MEGABYTE:5.0f} MB" for size in (most.one, most.all, most.mapped)]
        print(
            f"{phase:20} {most.seconds:6.0f} s: {sizes[0]} of its own in a process, "
            f"{sizes[1]} in all; {sizes[2]} mapped"
        )
    print(f"{count:,} of {arguments.urls:,} URLs ended; exit code {code}; {last}")


if __name__ == "__main__":
    main()
