"""The demo's plan: the response of each URL, and the lists that name the URLs."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from webemo_curate.config import DemoConfig
from webemo_curate.demo import variants
from webemo_curate.demo.scenes import SADNESS, draw_scene
from webemo_curate.rooted import read_regular
from webemo_curate.storage.atomic import write_bytes
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.taxonomies.webemo_labels import LABELS

BODY = re.compile(r"[0-9a-f]{64}")
PATH = re.compile(r"/jpg/(?:\d\d/){4}220_F_\d+_[0-9a-f]{16}\.jpg")
"""Required form of names of bodies and of URL paths when a plan is read from disk."""

HOST = "https://pictures.example"
PLAN_FILE = "plan.json"
LISTS = "lists"
BODIES = "bodies"
DRAWING_VERSION = 2

SADNESS_SHARE = 0.34
TEST_SHARE = 0.2
KINDS = {
    "captioned": 0.08,
    "exact_copy": 0.03,
    "rescaled_copy": 0.03,
    "cropped_copy": 0.02,
    "second_label": 0.04,
    "web_page": 0.01,
    "broken": 0.01,
    "dead": 0.08,
    "placeholder": 0.02,
}
"""Shares of the pictures with each kind of mishap; most pictures have none."""

FAULTS = {"throttled": 0.005, "failing_once": 0.02, "slow": 0.02}
"""Shares of URLs that answer 429 once, 500 once, or late."""

FIRST_ASSET = 100_000_000


@dataclass(frozen=True)
class ServedAnswer:
    """The response to a request for a URL's path.

    Attributes
    ----------
    status
        HTTP status code.
    body
        File of the body in the folder of bodies; None for no body.
    fault
        `throttled`, `failing_once`, `slow` or None.
    """

    status: int
    body: str | None
    fault: str | None = None


@dataclass
class Plan:
    """The whole world.

    Attributes
    ----------
    answers
        Responses by URL path.
    lines
        Lines of the two lists, by file name.
    """

    answers: dict[str, ServedAnswer] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(
        default_factory=lambda: {"train25.txt": [], "test25.txt": []}
    )


def make_world(config: DemoConfig, folder: Path) -> Plan:
    """Draw the world into a folder, or read it if it exists.

    Parameters
    ----------
    config : DemoConfig
        Number of pictures and seed.
    folder : Path
        Receives bodies, lists and, last of all, the plan.

    Returns
    -------
    Plan
        What is served and listed.
    """
    identity = config.model_dump() | {"version": DRAWING_VERSION}
    path = folder / PLAN_FILE
    if (known := _known_plan(path, identity)) is not None:
        return known
    plan = _draw(config, folder)
    _write_lists(folder / LISTS, plan)
    served = {url: asdict(answer) for url, answer in plan.answers.items()}
    document = {"identity": identity, "answers": served, "lines": plan.lines}
    write_bytes(path, json.dumps(document).encode())
    return plan


def _known_plan(path: Path, identity: dict[str, Any]) -> Plan | None:
    """Read the plan of a drawn world; None if it is missing or invalid."""
    try:
        document = json.loads(read_regular(path))
        answers = {url: ServedAnswer(**answer) for url, answer in document["answers"].items()}
        plan = Plan(answers, document["lines"])
        if document["identity"] == identity and _is_sound(plan):
            return plan
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise_system_fault(error, str(path))
    return None


def _is_sound(plan: Plan) -> bool:
    """Return whether every name and path in a plan has the required form."""
    listed = [line.removeprefix(HOST).split(" ") for lines in plan.lines.values() for line in lines]
    return (
        plan.lines.keys() == Plan().lines.keys()
        and all(PATH.fullmatch(path) for path in plan.answers)
        and all(a.body is None or BODY.fullmatch(a.body) for a in plan.answers.values())
        and all(path in plan.answers and 0 <= int(label) < len(LABELS) for path, label in listed)
    )


def _draw(config: DemoConfig, folder: Path) -> Plan:
    plan = Plan()
    bodies = folder / BODIES
    bodies.mkdir(parents=True, exist_ok=True)
    for index in range(config.pictures):
        rng = variants.generator(config.seed, index)
        _add_picture(plan, bodies, index, rng)
    return plan


def _add_picture(plan: Plan, bodies: Path, index: int, rng: np.random.Generator) -> None:
    """Draw one picture, choose its mishap, and list its URLs."""
    kind = str(rng.choice([*KINDS, "plain"], p=[*KINDS.values(), 1 - sum(KINDS.values())]))
    label = _label(rng)
    scene = draw_scene(LABELS[label], rng)
    if kind == "captioned":
        scene = variants.captioned(scene, rng)
    content = variants.jpeg(scene)
    url = _list(plan, index, 0, label, rng)
    plan.answers[url] = _answer(kind, content, bodies, rng)
    copies = {
        "exact_copy": content,
        "rescaled_copy": variants.jpeg(variants.rescaled(scene), variants.COPY_QUALITY),
        "cropped_copy": variants.jpeg(variants.cropped(scene), variants.COPY_QUALITY),
    }
    if kind in copies:
        copy = _list(plan, index, 1, label, rng)
        plan.answers[copy] = ServedAnswer(200, _store(bodies, copies[kind]))
    if kind == "second_label":
        name = (
            "train25.txt" if f"{HOST}{url} {label}" in plan.lines["train25.txt"] else "test25.txt"
        )
        plan.lines[name].append(f"{HOST}{url} {_label(rng)}")


def _label(rng: np.random.Generator) -> int:
    sad = rng.random() < SADNESS_SHARE
    choices = [i for i, label in enumerate(LABELS) if (label.emotion == SADNESS) == sad]
    return int(rng.choice(choices))


def _answer(kind: str, content: bytes, bodies: Path, rng: np.random.Generator) -> ServedAnswer:
    if kind == "dead":
        return ServedAnswer(int(rng.choice([404, 410])), None)
    changed = {
        "web_page": variants.web_page,
        "broken": lambda: variants.broken(content),
        "placeholder": variants.placeholder,
    }
    body = changed[kind]() if kind in changed else content
    fault = str(rng.choice([*FAULTS, ""], p=[*FAULTS.values(), 1 - sum(FAULTS.values())]))
    return ServedAnswer(200, _store(bodies, body), fault or None)


def _list(plan: Plan, index: int, copy: int, label: int, rng: np.random.Generator) -> str:
    """Give a picture its URL path, in WEBEmo's form, and a line in one of the lists."""
    asset = FIRST_ASSET + index * 2 + copy
    digits = f"{asset:010d}"
    tag = hashlib.sha256(digits.encode()).hexdigest()[:16]
    folders = "/".join(digits[place : place + 2] for place in range(0, 8, 2))
    url = f"/jpg/{folders}/220_F_{asset}_{tag}.jpg"
    name = "test25.txt" if rng.random() < TEST_SHARE else "train25.txt"
    plan.lines[name].append(f"{HOST}{url} {label}")
    return url


def _store(bodies: Path, content: bytes) -> str:
    name = hashlib.sha256(content).hexdigest()
    (bodies / name).write_bytes(content)
    return name


def _write_lists(folder: Path, plan: Plan) -> None:
    """Write the lists as WEBEmo's authors publish them: sorted by label."""
    triples = ",\n".join(repr(tuple(label)) for label in LABELS)
    write_bytes(folder / "category.txt", f"# Three levels.\nlabels=[{triples}]".encode())
    for name, lines in plan.lines.items():
        ordered = sorted(lines, key=lambda line: int(line.rpartition(" ")[2]))
        write_bytes(folder / name, "".join(f"{line}\n" for line in ordered).encode())
