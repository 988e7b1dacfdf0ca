"""``python -m tests.browser.screenshots``: make the reference pictures in docs/images/pages anew, from a fresh town.

Look at each of them before you keep it: the tests compare what people will see with these.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.pictures import ALL_BYTES_MAX, FOLDER, SCALE, SCENES, scene_taken, small_file, town_for_pictures
from tests.browser.visitor import CHROMIUM, FLAGS, Visitor


def main() -> int:
    """Write every picture, and say how large they are together."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    whole = 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        town = town_for_pictures(Path(folder))
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            for scene in SCENES:
                visitor = Visitor(chromium, town, scale=SCALE)
                for name, png, _ in scene_taken(scene, visitor):
                    written = small_file(png)
                    (FOLDER / name).write_bytes(written)
                    whole += len(written)
                    print(f"{len(written) / 1000:7.1f} kB  {name}")
                visitor.check()
                visitor.close()
        finally:
            chromium.close()
            town.stop()
    print(f"{whole / 1000:7.1f} kB together, at most {ALL_BYTES_MAX / 1000:.0f}")
    return 0 if whole <= ALL_BYTES_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
