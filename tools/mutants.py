"""Changes the kernel and money in small ways, and counts the changes that no test notices.

mutmut swaps functions behind a trampoline, which neither Numba nor a decorated function takes. So it works on a copy of
the tree under build/mutants, in which the kernel's functions have lost their ``@compiled`` and are plain Python. Each
argument is a pattern of names, such as ``formicary.base.money*``; without one, everything is tried.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
COPY: Final = ROOT / "build" / "mutants"
COPIED: Final = ["src", "tests", "tools", "pyproject.toml", "README.md", "LICENSE"]
COMPILED: Final = re.compile(r"^[ \t]*@compiled\n", re.MULTILINE)


def copy_tree() -> None:
    """Make the copy anew, but keep what mutmut has found so far beside it."""
    for name in COPIED:
        source, target = ROOT / name, COPY / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    for path in (COPY / "src" / "formicary").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if COMPILED.search(text):
            path.write_text(COMPILED.sub("", text), encoding="utf-8")


def mutmut(*arguments: str, quiet: bool = False) -> subprocess.CompletedProcess[str]:
    """Run one of mutmut's verbs in the copy, with compiling off."""
    program = Path(sys.executable).parent / "mutmut"
    surroundings = {**os.environ, "FORMICARY_UNCOMPILED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    out = subprocess.PIPE if quiet else None
    return subprocess.run([program, *arguments], cwd=COPY, env=surroundings, stdout=out, text=True, check=False)


def main() -> int:
    """Run, list the survivors, and print the score: mutants noticed, of those that a test reached."""
    copy_tree()
    status = mutmut("run", *sys.argv[1:]).returncode
    if status:
        return status
    survivors = [line.strip() for line in mutmut("results", quiet=True).stdout.splitlines() if "survived" in line]
    print("\n".join(survivors))
    if survivors:
        print("see one with: cd build/mutants && ../../.venv/bin/mutmut show NAME")
    mutmut("export-cicd-stats", quiet=True)
    counts = json.loads((COPY / "mutants" / "mutmut-cicd-stats.json").read_text(encoding="utf-8"))
    noticed = counts["killed"] + counts["timeout"] + counts.get("segfault", 0)
    reached = noticed + counts["survived"] + counts.get("suspicious", 0)
    print(f"{noticed} of {reached} mutants noticed ({100 * noticed / max(reached, 1):.1f} %);", end=" ")
    print(f"{counts.get('no_tests', 0)} that no test reaches")
    return 0


if __name__ == "__main__":
    sys.exit(main())
