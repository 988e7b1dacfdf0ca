"""Personal data, sealed under a key per person and kept outside the log; destroying the key erases the person."""

from formicary.vault.kms import FileKms, KeyLost, Kms, LocalKms
from formicary.vault.vault import ANYBODY, INSTITUTION, READERS_MAX, TEXT_CHARS_MAX, Erased, Use, Vault

__all__ = [
    "ANYBODY",
    "INSTITUTION",
    "READERS_MAX",
    "TEXT_CHARS_MAX",
    "Erased",
    "FileKms",
    "KeyLost",
    "Kms",
    "LocalKms",
    "Use",
    "Vault",
]
