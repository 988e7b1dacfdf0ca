"""A real process writes, another reads along, and the writer is killed at a random instant."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from formicary.log import FileLog, FileLogReader

from tests.log.conformance import check_chain

WRITER = """
import random, sys
from formicary.base.entry import Draft, EntryKind
from formicary.log import open_log
log = open_log(sys.argv[1])
sizes = random.Random(int(sys.argv[2]))
while True:
    for _ in range(sizes.randint(1, 4)):
        body = bytes([log.head.index % 251]) * sizes.choice((0, 40, 4000, 200_000))
        log.append(Draft(index=log.head.index + 1, time_ns=log.head.time_ns + 1, kind=EntryKind.TRANSFERS, body=body))
    log.sync()
    print(log.head.index, flush=True)
"""


@pytest.mark.crash
def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    """Six writers in a row are killed; each next one finds all that the ones before had printed."""
    chance = random.Random(5)
    acknowledged = 0
    for seed in range(6):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(seed)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            acknowledged = int(writer.stdout.readline())
            seen = tail(tmp_path, chance.uniform(0.01, 0.2))
            writer.kill()
            acknowledged = max(
                [acknowledged, *(int(line) for line in writer.stdout.readlines() if line.endswith("\n"))]
            )
        log = FileLog.open(tmp_path, verify_from=1)
        found = list(log.read(1))
        assert seen <= len(found)
        assert len(found) >= acknowledged
        check_chain(found)
        log.close()
    assert acknowledged > 20


def tail(folder: Path, seconds: float) -> int:
    """Follow a log that another process writes; how far it came."""
    reader = FileLogReader(folder)
    newest = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        entries = list(reader.read(newest + 1))
        assert [entry.index for entry in entries] == list(range(newest + 1, newest + 1 + len(entries)))
        newest += len(entries)
    reader.close()
    return newest
