"""The pages look as their reference pictures do, within a tolerance; and a broken page does not."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visitors
from tests.browser.pictures import (
    ALL_BYTES_MAX,
    DIFFERENCE_MAX,
    FOLDER,
    SCALE,
    SCENES,
    Scene,
    difference,
    scene_taken,
    small_file,
    take,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]
UNSTYLED = "() => document.querySelectorAll('link[rel=stylesheet], style').forEach((one) => one.remove())"
MOVED = "() => { document.querySelector('#content').style.paddingTop = '160px'; }"


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_looks_as_it_should(visitors: Visitors, scene: Scene) -> None:
    """Each picture of a scene differs little from the reference.

    Looks new on purpose: make the references anew with ``make pictures``, and look at them.
    """
    far = {}
    for name, png, boxes in scene_taken(scene, visitors(scale=SCALE)):
        off = difference(small_file(png), (FOLDER / name).read_bytes(), boxes)
        if off > DIFFERENCE_MAX:
            far[name] = round(off, 1)
    assert not far, f"mean difference above {DIFFERENCE_MAX}: {far}"


def test_a_broken_page_is_noticed(visitors: Visitors) -> None:
    """A page with everything moved down, and one without its style, are far from the reference."""
    visitor = visitors(scale=SCALE)
    name, png, boxes = next(scene_taken(SCENES[0], visitor))
    reference = (FOLDER / name).read_bytes()
    assert difference(png, reference, boxes) <= DIFFERENCE_MAX
    for damage in (MOVED, UNSTYLED):
        visitor.page.evaluate(damage)
        png, boxes = take(visitor, "phone")
        assert difference(png, reference, boxes) > DIFFERENCE_MAX


def test_the_pictures_are_all_here_and_small() -> None:
    """No picture is missing, none is left over, and together they are small."""
    names = {name for scene in SCENES for name, _, _ in scene.pictures()}
    assert {file.name for file in FOLDER.glob("*.png")} == names
    assert sum(file.stat().st_size for file in FOLDER.glob("*.png")) <= ALL_BYTES_MAX
