"""Whether a Ray cluster can be joined, before anything is prepared for it."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

from data_prep.errors import UserError

_JOIN: Final = "import sys, ray; ray.init(address=sys.argv[1], log_to_driver=False)"
_JOIN_SECONDS: Final = 20
_BOOTSTRAP: Final = "ray_bootstrap_config.yaml"
"""What `ray up` leaves in the home folder of the head for its autoscaler, which adds workers when trials wait."""


def check_address(address: str) -> None:
    """Refuse what is not local, auto or the HOST:PORT of a Ray that lets us in: Ray itself would try for minutes.

    A cluster that asks for a token is joined with RAY_AUTH_MODE=token, which this sets if that is what works.
    """
    if address == "local":
        return
    told = f"The Ray address (--address, or RAY_ADDRESS) is {address!r}, but"
    if address != "auto":
        _check_port(address, told)
    if _joins(address):
        return
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    if not _joins(address):
        raise UserError(f"{told} no Ray cluster answers there, or it does not take this machine's token and versions.")


def may_grow(address: str) -> bool:
    """Whether machines may join by themselves: this is the head of a cluster that `ray up` made."""
    return address != "local" and (Path.home() / _BOOTSTRAP).is_file()


def _check_port(address: str, told: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        raise UserError(f"{told} must be local, auto or HOST:PORT; run tune.py on the cluster's own head node.")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise UserError(f"{told} no Ray cluster answers there ({error}).") from error


def _joins(address: str) -> bool:
    """Whether another process with this environment can join."""
    command = [sys.executable, "-c", _JOIN, address]
    try:
        return subprocess.run(command, capture_output=True, timeout=_JOIN_SECONDS, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
