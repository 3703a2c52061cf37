"""Run a script in a process that is forked elsewhere: `started_snakemake.py` in place of Python."""

import json
import os
import socket
import sys

_, server, script = sys.argv
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(server)
    request = {"script": script, "folder": os.getcwd(), "environment": dict(os.environ)}
    socket.send_fds(connection, [b" "], [1, 2])
    connection.sendall(json.dumps(request).encode())
    connection.shutdown(socket.SHUT_WR)
    # A job that a signal ended has a negative status, which no process can exit with.
    sys.exit(abs(int(connection.recv(8) or 1)))
