"""The second look spares what is confirmed, and keeps of the rest only what it confirms."""

from dataclasses import dataclass, field, replace

from PIL import Image

from tests.ocr.boxes import assert_same_boxes
from tests.ocr.pictures import as_pixels, scene, with_words
from webemo_curate.ocr.asking import OwnNetworks, served_by
from webemo_curate.ocr.detector import TextBox
from webemo_curate.ocr.rapidocr.rapidocr_detector import RapidDetector
from webemo_curate.ocr.rule import PRESETS
from webemo_curate.ocr.second_look import SecondLook

RULE = PRESETS["rapidocr"]["balanced"]
TOO_SMALL, LARGE_ENOUGH = 32, 320
"""Short sides at which the drawn words cannot and can be read."""


@dataclass
class Told:
    """A detector that reads in an image what it is told of its width."""

    words: dict[int, str]
    images_at_once: int = 7
    seen: list[int] = field(default_factory=list)
    ready: bool = False

    def setup(self):
        self.ready = True

    def detect(self, images):
        self.seen += [image.shape[1] for image in images]
        return [[read(self.words[image.shape[1]])] for image in images]


def read(word):
    return TextBox((0.0, 0.0, 9.0, 0.0, 9.0, 4.0, 0.0, 4.0), 0.9, word, 0.9, 0.1)


def pictures(*widths):
    return as_pixels(Image.new("RGB", (width, 8)) for width in widths)


def test_only_images_without_confirmed_text_are_looked_at_again():
    look = SecondLook(Told({1: "words", 2: "", 3: "x"}), Told({2: "more", 3: "y"}), RULE, RULE)

    found = look.detect(pictures(1, 2, 3))

    assert look.second.seen == [2, 3]
    assert found == [[read("words")], [read("more")], [read("x")]]


def test_where_all_is_confirmed_or_nothing_given_there_is_no_second_look():
    look = SecondLook(Told({1: "words"}), Told({}), RULE, RULE)

    assert look.detect(pictures(1)) == [[read("words")]]
    assert look.detect([]) == []
    assert look.second.seen == []


def test_the_second_look_is_held_against_a_rule_of_its_own():
    stern = replace(RULE, by_length=((2, 0.95),))
    look = SecondLook(Told({1: "words", 2: ""}), Told({2: "more"}), RULE, stern)

    assert look.detect(pictures(1, 2)) == [[read("words")], [read("")]]


def test_another_network_that_confirms_nothing_still_says_where_it_agrees():
    unsure = {1: "", 2: "x"}
    same = SecondLook(Told(unsure), Told(unsure), RULE, RULE)
    other = replace(same, independent=True)

    assert same.detect(pictures(1)) == [[read("")]]
    assert other.detect(pictures(1)) == [[replace(read(""), agreed=0.9)]]


def test_both_are_set_up_and_take_what_the_first_takes():
    look = SecondLook(Told({}, images_at_once=3), Told({}), RULE, RULE)

    look.setup()

    assert look.first.ready
    assert look.second.ready
    assert look.images_at_once == 3


def make_look(device):
    looks = [
        RapidDetector(device, side, score_floor=0.3, batch_size=4)
        for side in (TOO_SMALL, LARGE_ENOUGH)
    ]
    return SecondLook(*looks, RULE, RULE)


def real_look(device):
    look = make_look(device)
    look.setup()
    return look


def test_words_too_small_for_the_first_look_are_read_in_the_second():
    images = as_pixels([with_words("HELLO"), scene(), with_words("WORLD", seed=1)])
    look = real_look("cpu")

    found = look.detect(images)

    assert [" ".join(box.text for box in boxes) for boxes in found[::2]] == ["HELLO", "WORLD"]
    assert found == [look.detect([image])[0] for image in images]


def test_batches_in_torch_find_in_two_looks_what_onnx_runtime_does():
    images = as_pixels(
        [with_words("HELLO"), scene(), with_words("WORLD", seed=1), with_words("BIG", 120)]
    )
    expected = real_look("cpu").detect(images)

    with served_by(OwnNetworks(make_look("gpu").networks(), "cpu")):
        found = real_look("gpu").detect(images)

    assert_same_boxes(found, expected)
