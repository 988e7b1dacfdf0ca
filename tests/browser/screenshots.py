"""``make pictures``: make the reference pictures in docs/images/pages and README's own anew, from a fresh town.

``ARGS='wallet-home portrait'`` makes some of them only: scenes by name, and ``portrait`` is README's. Look at each of
them before you keep it: the tests compare what people will see with these.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from tests.browser.pictures import ALL_BYTES_MAX, FOLDER, SCALE, SCENES, scene_taken, small_file, town_for_pictures
from tests.browser.portrait import FILE, portrait
from tests.browser.visitor import CHROMIUM, FLAGS, Visitor

PORTRAIT: Final = "portrait"


def main(wanted: Sequence[str] = ()) -> int:
    """Write every picture, or those that are wanted, and say how large the reference pictures are together."""
    names = {scene.name for scene in SCENES} | {PORTRAIT}
    if not names.issuperset(wanted):
        print(f"there is no {', '.join(set(wanted) - names)}; there are {', '.join(sorted(names))}", file=sys.stderr)
        return 2
    names = set(wanted) or names
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        town = town_for_pictures(Path(folder))
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            for scene in SCENES:
                if scene.name not in names:
                    continue
                visitor = Visitor(chromium, town, scale=SCALE)
                for name, png, _ in scene_taken(scene, visitor):
                    _write(FOLDER / name, small_file(png))
                visitor.check()
                visitor.close()
            if PORTRAIT in names:
                _write(FILE, portrait(chromium, town))
        finally:
            chromium.close()
            town.stop()
    whole = sum(file.stat().st_size for file in FOLDER.glob("*.png"))
    print(f"{whole / 1000:7.1f} kB together, at most {ALL_BYTES_MAX / 1000:.0f}")
    return 0 if whole <= ALL_BYTES_MAX else 1


def _write(file: Path, png: bytes) -> None:
    file.write_bytes(png)
    print(f"{len(png) / 1000:7.1f} kB  {file.name}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
