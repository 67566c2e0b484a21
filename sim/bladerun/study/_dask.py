"""A Dask cluster that runs somewhere: its workers do jobs as processes here would.

Takes the address of its scheduler, and files for TLS; gives an executor. Whoever reaches a
scheduler, a worker or a client of a cluster without TLS runs code there as its owner.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bladerun._lib.messages import say
from bladerun.errors import InputError
from bladerun.study._processes import WorkerLost

KEY, TLS_KEY = "--cluster", "--cluster-tls"
Files = tuple[str | Path, str | Path, str | Path]
_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+):(\d{1,5})/?")
_PATIENCE_S = 20
_LONGEST = 2**20  # bytes of a first message
_SETTINGS = {
    "distributed.admin.large-graph-warning-threshold": "100MB",
    "distributed.admin.low-level-log-length": 10,  # of messages, with their seeds
    "distributed.comm.timeouts.connect": f"{_PATIENCE_S}s",
}


@dataclass(frozen=True)
class Cluster:
    """Where a scheduler listens: `tcp://host:port`, or `tls://host:port` and three PEM files in `tls`: the
    authority that signed everybody's certificates, one's own certificate and its key. Raises InputError for
    anything else, before the network is asked.
    """

    address: str
    tls: Files | None = None

    def __post_init__(self):
        found = _ADDRESS.fullmatch(self.address)
        if not found or not 0 < int(found[3]) < 2**16:
            raise InputError(
                f"{self.address!r} is not an address; tcp://host:port or tls://host:port", key=KEY
            )
        if (found[1] == "tls") != (self.tls is not None):
            what = "tls:// needs three files: authority, certificate, key"
            raise InputError(what if found[1] == "tls" else "needs a tls:// address", key=TLS_KEY)
        self._context()

    def _context(self) -> ssl.SSLContext | None:
        if self.tls is None:
            return None
        authority, certificate, key = map(str, self.tls)
        for path in (authority, certificate, key):
            try:
                Path(path).read_bytes()
            except OSError as error:
                raise InputError(f"cannot be read: {error.strerror}", file=path, key=TLS_KEY) from None
        try:
            context = ssl.create_default_context(cafile=authority)
            context.load_cert_chain(certificate, key)
        except (ssl.SSLError, ValueError) as error:
            raise InputError(
                f"{authority}, {certificate} and {key} are not an authority, a certificate and its key: "
                f"{getattr(error, 'reason', None) or error}",
                key=TLS_KEY,
            ) from None
        context.check_hostname = False
        return context

    def knock(self) -> None:
        """InputError where no scheduler answers, or not one that the files belong to. It speaks first, and in
        numbers: what else listens there would keep a client of Dask waiting for ever.
        """
        host, _, port = self.address.partition("://")[2].strip("/").rpartition(":")
        context = self._context()
        try:
            with socket.create_connection((host.strip("[]"), int(port)), _PATIENCE_S / 2) as plain:
                said = _greeting(context.wrap_socket(plain) if context else plain)
        except ssl.SSLCertVerificationError as error:
            raise InputError(
                f"'{self.address}' shows no certificate of that authority: {error.verify_message}",
                key=TLS_KEY,
            ) from None
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"'{self.address}' does not answer: {reason}", key=KEY) from None
        if len(said) < 8 or int.from_bytes(said, "little") > _LONGEST:
            raise InputError(f"'{self.address}' is no Dask scheduler that lets us in", key=KEY)


def _greeting(comm: socket.socket) -> bytes:
    """The eight bytes that a scheduler begins with; none from one that refuses or waits."""
    try:
        return comm.recv(8)
    except (ssl.SSLError, TimeoutError, ConnectionError):
        return b""


@contextmanager
def joined(cluster: Cluster) -> Iterator[_Dask]:
    """The cluster as an executor while the block runs. Raises InputError where it is not reached."""
    from dask import config
    from distributed import Client, Security

    cluster.knock()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    security = None
    if cluster.tls:
        authority, certificate, key = map(str, cluster.tls)
        security = Security(
            tls_ca_file=authority, tls_client_cert=certificate, tls_client_key=key, require_encryption=True
        )
    with config.set(_SETTINGS):
        try:
            client = Client(cluster.address, security=security, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"'{cluster.address}' is no Dask scheduler that lets us in: {error}", key=KEY
            ) from None
        try:
            yield _Dask(client)
        finally:
            with suppress(TimeoutError):  # what is just starting ends with this process
                client.close(timeout=5)


class _Dask:
    def __init__(self, client: Any):
        self._client, self._waited = client, False

    @property
    def size(self) -> int:
        return max(1, sum(self._client.nthreads().values()))

    def submit(self, work: Callable[[Any], Any], job: Any) -> Any:
        return _Promise(self._client.submit(work, job, pure=False), self._client)

    def poll(self) -> None:
        if self._client.status not in ("running", "connecting"):
            raise _gone()
        alive = len(self._client.scheduler_info(n_workers=-1)["workers"])
        if not alive and not self._waited:
            say("the cluster has no workers now; waiting for some")
        self._waited = not alive


class _Promise:
    def __init__(self, future: Any, client: Any):
        self._future, self._client = future, client

    def add_done_callback(self, call: Callable[[Any], None]) -> None:
        self._future.add_done_callback(call)

    def result(self) -> Any:
        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        try:
            return self._future.result()
        except KilledWorker:
            raise WorkerLost from None
        except FutureCancelledError:
            raise _gone() from None
        except ModuleNotFoundError as error:
            raise InputError(
                f"the cluster lacks {error.name}; install the same bladerun on its scheduler and workers",
                key=KEY,
            ) from None


def _gone() -> InputError:
    return InputError("the Dask cluster is gone; do the same again to go on from here", key=KEY)
