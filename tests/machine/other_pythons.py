"""Compares digests on this Python with those on its other versions: ``make pythons``.

``python -m tests.machine.other_pythons [python3.12 …]`` looks for each interpreter on the path and under
``~/.pyenv/versions``, makes it an environment ``.venv-<version>`` from requirements/lock-core.txt, and lets it replay
the golden logs and the busy history. It exits non-zero when an answer differs, or when there was nothing to compare
with. The kernel runs uncompiled, so that no version needs its minutes of compiling; that compiled and uncompiled agree
is what the kernel's own tests show.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
LOCK: Final = "requirements/lock-core.txt"
VERSIONS: Final = ("python3.11", "python3.12", "python3.13", "python3.14")
STAMP: Final = ".stamp-lock"


def candidates(name: str) -> Iterator[Path]:
    """Every place where an interpreter of this name may be; pyenv's own are on no path."""
    yield from (Path(folder) / name for folder in os.environ["PATH"].split(os.pathsep))
    yield from sorted((Path.home() / ".pyenv" / "versions").glob(f"*/bin/{name}"))


def version_of(python: Path) -> str | None:
    """The version of an interpreter, or None for what does not run: a shim whose Python is not chosen, for one."""
    if not os.access(python, os.X_OK):
        return None
    code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    ran = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return ran.stdout.strip() if ran.returncode == 0 else None


def find(name: str) -> tuple[Path, str] | None:
    """Find an interpreter that runs: (where it is, its version)."""
    for python in candidates(name):
        version = version_of(python)
        if version is not None and name == f"python{'.'.join(version.split('.')[:2])}":
            return python, version
    return None


def environment_for(python: Path, version: str) -> Path:
    """The interpreter of an environment with the pinned packages; made once, and again when the pins change."""
    folder = ROOT / f".venv-{version}"
    own, stamp = folder / "bin" / "python", folder / STAMP
    pins = (ROOT / LOCK).read_text(encoding="utf-8")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != pins:
        print(f"{version}: installing {LOCK} into {folder.name}", file=sys.stderr)
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
        pip = [own, "-m", "pip", "install", "--quiet", "--no-input", "--require-hashes", "--only-binary", ":all:"]
        subprocess.run([*pip, "-r", LOCK], cwd=ROOT, check=True)
        stamp.write_text(pins, encoding="utf-8")
    return own


def answers_of(python: Path) -> str:
    """What an interpreter prints for the golden logs and the busy history, a line each."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "FORMICARY_UNCOMPILED": "1"}
    command = [python, "-W", "error", "-m", "tests.machine.digest_of", "golden"]
    return subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def main() -> int:
    """Compare, and say what was compared."""
    expected = answers_of(Path(sys.executable))
    print(f"{sys.version.split()[0]}, which all must agree with:\n{expected}", end="")
    compared = differing = 0
    for name in sys.argv[1:] or VERSIONS:
        if not re.fullmatch(r"python3\.\d+", name):
            raise SystemExit(f"{name!r} is not the name of an interpreter, such as python3.12")
        found = find(name)
        if found is None:
            print(f"{name}: not on this machine")
            continue
        answers = answers_of(environment_for(*found))
        same = answers == expected
        print(f"{found[1]}: {'the same' if same else f'differs:{os.linesep}{answers}'}")
        compared, differing = compared + 1, differing + (not same)
    return 1 if differing or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
