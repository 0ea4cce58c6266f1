"""`curate doctor`: what works here, what to do about the rest, and silence on the network."""

import json
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.cli.command import curate
from webemo_curate.installation import checks
from webemo_curate.installation.checks import Check, State, ask_hosts
from webemo_curate.models.weight_places import kept_weights


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder on a machine without weights, whose network nobody may touch."""
    for name in ("XDG_CACHE_HOME", "EASYOCR_MODULE_PATH", "HF_HUB_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "none"))

    def forbidden(*_: object) -> None:
        raise AssertionError("doctor asked the network unasked")

    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    monkeypatch.setattr(socket.socket, "connect", forbidden)
    return tmp_path


def test_what_is_missing_is_said_with_the_command_that_brings_it(bare: Path) -> None:
    said = curate("doctor", "--workspace", bare / "ws", "--models", bare, "--json")
    document = json.loads(said.results)
    found = {check["name"]: check for check in document["checks"]}
    assert {"Python", "torch", "CUDA", "OCR", "disk", "open files", "memory"} <= found.keys()
    assert found["Python"]["state"] == found["torch"]["state"] == "works"
    assert "curate get-weights easyocr" in found["EasyOCR's weights"]["remedy"]
    assert "curate get-weights timm" in found["pretrained weights"]["remedy"]
    assert "network" not in found
    assert (said.code == 0) == document["works"]
    assert not (bare / "ws").exists()


def test_what_fails_is_exit_code_1(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = Check("disk", State.FAILS, "0 GiB free", "free some space")
    monkeypatch.setattr(checks, "look_around", lambda *_: [failing])
    said = curate("doctor", "--workspace", bare)
    assert said.code == 1
    assert "to do: free some space" in said.results


def test_weights_that_are_kept_are_found(bare: Path) -> None:
    place = kept_weights("tf_efficientnetv2_b2.in1k")
    place.parent.mkdir(parents=True)
    place.write_bytes(b"weights")
    said = curate("doctor", "--workspace", bare)
    assert str(place) in said.results


def test_a_host_that_is_named_is_asked() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert [check.state for check in ask_hosts((url,))] == [State.WORKS]
        server.shutdown()
    (check,) = ask_hosts((url,))
    assert (check.state, "does not answer" in check.found) == (State.FAILS, True)
