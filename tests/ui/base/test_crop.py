"""What the browser says of the part that a person has chosen."""

import pytest

from ui.base.crop import read_crop
from ui.base.image import Crop


def test_the_part_is_read() -> None:
    value = {"picture": "one", "x": 0.25, "y": 1, "share": 0.5}
    assert read_crop(value, "one") == Crop(0.25, 1.0, 0.5)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "0.5",
        {"picture": "other", "x": 0.1, "y": 0.1, "share": 0.5},
        {"picture": "one", "x": 0.1, "y": 0.1},
        {"picture": "one", "x": 2, "y": 0.1, "share": 0.5},
        {"picture": "one", "x": float("nan"), "y": 0.1, "share": 0.5},
        {"picture": "one", "x": "0.1", "y": 0.1, "share": 0.5},
    ],
)
def test_anything_else_is_the_middle(value: object) -> None:
    assert read_crop(value, "one") == Crop()
