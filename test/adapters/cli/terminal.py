"""Runs one command in a pseudo-terminal, and types what it is told to.

Standard input is JSON: {"argv", "env", "cwd", "columns", "keys": [[pattern, text], ...]}. Each text is typed once its pattern
is seen in what came since the text before. Standard output is JSON: {"code", "output"}.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time

order = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    os.chdir(order["cwd"])
    os.execvpe(order["argv"][0], order["argv"], order["env"])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, order["columns"], 0, 0))

output = b""
looked = 0
keys = list(order["keys"])
deadline = time.monotonic() + order.get("seconds", 60)
while time.monotonic() < deadline:
    if not select.select([terminal], [], [], 0.1)[0]:
        continue
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        break  # the other end is closed
    if not chunk:
        break
    output += chunk
    while keys and (found := re.search(keys[0][0].encode(), output[looked:])):
        looked += found.end()
        for line in re.split(b"(?<=\n)", keys.pop(0)[1].encode()):
            os.write(terminal, line)
else:
    os.kill(pid, 9)
_, status = os.waitpid(pid, 0)
code = os.waitstatus_to_exitcode(status)
json.dump({"code": code, "output": output.decode("utf-8", "replace")}, sys.stdout)
