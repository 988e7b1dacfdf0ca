"""Compares the digest of the busy history on this Python with other versions of it. ``make`` and a person may run it.

``python tests/machine/other_pythons.py python3.12 python3.13 …`` makes a virtual environment for each interpreter that
it finds, inside ``.venv/``, installs the package there, and exits non-zero when a digest differs. Uncompiled, so that
it needs no minute of compiling on each; the kernel's own tests compare compiled with uncompiled.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE = "tests.machine.digest_of"


def digest_with(python: str) -> str:
    """What an interpreter prints for the busy history."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "FORMICARY_UNCOMPILED": "1"}
    command = [python, "-W", "error", "-m", MODULE]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def environment_for(python: str) -> str | None:
    """The interpreter of a virtual environment with our dependencies, or None when there is no such Python."""
    found = shutil.which(python)
    if found is None:
        return None
    folder = ROOT / ".venv" / "pythons" / Path(found).resolve().parent.parent.name
    own = folder / "bin" / "python"
    if not own.exists():
        subprocess.run([found, "-m", "venv", folder], check=True)
    subprocess.run([own, "-m", "pip", "install", "-q", "-e", str(ROOT)], check=True)
    return str(own)


def main() -> int:
    """Compare, and say what was compared."""
    expected = digest_with(sys.executable)
    print(f"{sys.version.split()[0]}: {expected}")
    differing = 0
    for name in sys.argv[1:] or ["python3.12", "python3.13"]:
        own = environment_for(name)
        if own is None:
            print(f"{name}: not on this machine")
            continue
        found = digest_with(own)
        print(f"{name}: {found}")
        differing += found != expected
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
