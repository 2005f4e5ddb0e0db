# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS: the certificate that is served, and the handshake of one connection."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

HANDSHAKE_SECONDS = 10.0


class NoTls(Exception):
    """The certificate or its key cannot be used; the text says why in one sentence."""


def server_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Load what HTTPS is served with; None for plain HTTP.

    :raises NoTls: when only one of the two is given, or a file cannot be used.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise NoTls("--tls-cert and --tls-key must be given together")
    for option, path in (("--tls-cert", certificate), ("--tls-key", key)):
        try:
            path.read_bytes()
        except OSError as problem:
            raise NoTls(f"{option} {path} cannot be read ({type(problem).__name__})") from problem
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=lambda: _no_password(key))
    except (ssl.SSLError, ValueError) as problem:
        reason = getattr(problem, "reason", None) or "no PEM data"
        raise NoTls(
            f"{certificate} and {key} are not a certificate and its private key in PEM form ({reason})"
        ) from problem
    return context


def _no_password(key: Path) -> str:
    raise NoTls(f"--tls-key {key} is encrypted; give a key without a password")


def shake_hands(sock: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Do the server's part of the handshake, which must be over within `HANDSHAKE_SECONDS`.

    :raises OSError: when it fails or takes too long; the connection is closed then.
    """
    sock.settimeout(HANDSHAKE_SECONDS)
    secured = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
    try:
        secured.do_handshake()
    except BaseException:
        secured.close()
        raise
    return secured
