"""Compare `curate fetch` with img2dataset: same loopback nginx, same URLs, 17 % of them dead.

The URLs are on `HOSTS` hosts; `curate` runs with one process and with one a core.

    python -m benchmarks.fetch --rival /path/to/venv/bin/img2dataset

Work on a file system from which nothing was deleted in the last five minutes (`--folder`): ext4
passes over inodes freed since then, and making a file costs up to ten times as much.

nginx must be installed (`apt-get install nginx-light`), img2dataset in an environment of its own.
"""

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import numpy as np

from benchmarks.fetch_floor import floor
from benchmarks.measure import MEGABYTE, Cost, run
from webemo_curate.demo.scenes import draw_scene
from webemo_curate.machine import usable_cores
from webemo_curate.taxonomies.webemo_labels import LABELS

DEAD_SHARE = 0.17
DRAWINGS = 100
QUALITY = 93  # about 15 KB a drawing, as WEBEmo's thumbnails have
PORT = 8931
HOSTS = 8
CURATE = Path(sys.executable).with_name("curate")
CONCURRENCY = 32

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log crit; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; keepalive_requests 100000; default_type image/jpeg;
  client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp;
  uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
  server {{ listen {port}; root {folder}/www; }}
}}
"""


def main() -> None:
    """Run both on the same world and print the ratios."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        alive = _make_world(folder, arguments.urls)
        with _served(folder):
            ours = {
                workers: _curate(folder, workers, alive) for workers in sorted({1, usable_cores()})
            }
            theirs = _img2dataset(folder, arguments.rival)
            _check(len(list((folder / "theirs").rglob("*.jpg"))), alive, "img2dataset")
            urls = (folder / "urls.txt").read_text().split()
            least = floor(urls, folder / "floor", CONCURRENCY)
        print(
            f"{arguments.urls} URLs, {alive} alive, {usable_cores()} cores, "
            f"{CONCURRENCY} connections"
        )
        _print("img2dataset", theirs, alive)
        for workers, cost in ours.items():
            _print(f"curate, {workers}", cost, alive)
            print(
                f"ratio: {theirs.seconds / cost.seconds:.2f} times its rate, "
                f"{cost.cpu_seconds / theirs.cpu_seconds:.2f} of its CPU, "
                f"{cost.peak_bytes / theirs.peak_bytes:.2f} of its memory"
            )
        for step, seconds in least.items():
            print(
                f"{step}: {1000 * seconds / alive:.3f} CPU-s per 1,000 images, "
                f"{seconds / theirs.cpu_seconds:.2f} of img2dataset's"
            )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--urls", type=int, default=20_000)
    parser.add_argument("--rival", type=Path, required=True, help="img2dataset's command")
    parser.add_argument("--folder", type=Path, help="where to work; default: the system's")
    return parser.parse_args()


def _make_world(folder: Path, urls: int) -> int:
    """Draw pictures, lay them out for nginx, write the lists; returns how many are alive."""
    rng = np.random.default_rng(0)
    drawings = [_encoded(rng) for _ in range(DRAWINGS)]
    dead = rng.random(urls) < DEAD_SHARE
    paths = [f"/jpg/{index % 100:02}/220_F_{index:08}_x.jpg" for index in range(urls)]
    for index, path in enumerate(paths):
        file = folder / "www" / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        if not dead[index]:
            file.write_bytes(_distinct(drawings[index % DRAWINGS], index))
    urls_there = [f"http://127.0.0.{2 + n % HOSTS}:{PORT}{path}" for n, path in enumerate(paths)]
    lines = [f"{url} {index % len(LABELS)}\n" for index, url in enumerate(urls_there)]
    (folder / "test25.txt").write_text("".join(lines))
    (folder / "urls.txt").write_text("".join(f"{url}\n" for url in urls_there))
    return int((~dead).sum())


def _encoded(rng: np.random.Generator) -> bytes:
    stream = io.BytesIO()
    draw_scene(LABELS[int(rng.integers(len(LABELS)))], rng).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def _distinct(jpeg: bytes, index: int) -> bytes:
    """Give a JPEG a comment segment of its own, so that no two files are the same bytes."""
    comment = f"{index:08}".encode()
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


@contextmanager
def _served(folder: Path) -> Iterator[None]:
    if shutil.which("nginx") is None:
        sys.exit("nginx is missing: apt-get install nginx-light")
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=PORT))
    folder.chmod(0o755)
    process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)])
    try:
        _wait_for_server()
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for_server() -> None:
    for _ in range(50):
        try:
            with urlopen(f"http://127.0.0.1:{PORT}/", timeout=1):
                return
        except OSError as error:
            if getattr(error, "code", None):
                return  # it answers, if only with 403
            time.sleep(0.1)
    sys.exit("nginx did not start")


def _curate(folder: Path, workers: int, alive: int) -> Cost:
    place = folder / f"workspace-{workers}"
    cost = run(
        [
            *(CURATE, "fetch", "--lists", folder / "test25.txt", "--workspace", place),
            *("--rate", "100000", "--concurrency", str(CONCURRENCY), "--workers", str(workers)),
        ],
        folder / f"curate-{workers}.log",
    )
    _check(len(list((place / "data/images").rglob("*.jpg"))), alive, "curate")
    return cost


def _img2dataset(folder: Path, rival: Path) -> Cost:
    """Run img2dataset at its fastest: bytes kept as served, a process a core."""
    return run(
        [
            *(rival, "--url_list", folder / "urls.txt", "--output_folder", folder / "theirs"),
            *("--output_format", "files", "--resize_mode", "no", "--skip_reencode", "True"),
            *("--processes_count", str(usable_cores()), "--thread_count", str(CONCURRENCY)),
            *("--number_sample_per_shard", "1000"),
        ],
        folder / "theirs.log",
    )


def _check(stored: int, alive: int, who: str) -> None:
    if stored != alive:
        print(f"{who} stored {stored} images of {alive}")


def _print(who: str, cost: Cost, images: int) -> None:
    print(
        f"{who:14} {images / cost.seconds:7.0f} images/s "
        f"{1000 * cost.cpu_seconds / images:7.2f} CPU-s per 1,000 images "
        f"{cost.peak_bytes / MEGABYTE:7.0f} MB at most"
    )


if __name__ == "__main__":
    main()
