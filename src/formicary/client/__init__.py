"""The API's client for Python, over httpx: :class:`Client` waits, :class:`AsyncClient` is for asyncio."""

from formicary.client.asynchronous import AsyncClient
from formicary.client.problems import ApiFault, ApiRefusal, Conflict, NotAllowed, NotFound, NotSignedIn, TooMany
from formicary.client.signing import Signer
from formicary.client.sync import Client

__all__ = [
    "ApiFault",
    "ApiRefusal",
    "AsyncClient",
    "Client",
    "Conflict",
    "NotAllowed",
    "NotFound",
    "NotSignedIn",
    "Signer",
    "TooMany",
]
