"""Writes what this process has been given, for test_forked.py."""

import json
import multiprocessing
import os
import resource
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    portrait = {
        "is the first": multiprocessing.parent_process() is None,
        "starts others by": multiprocessing.get_start_method(allow_none=True),
        "arguments": sys.argv,
        "path": sys.path,
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
        "leads a session": os.getsid(0) == os.getpid(),
        "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
        "open files": resource.getrlimit(resource.RLIMIT_NOFILE),
        "main module": str(Path(sys.modules["__main__"].__file__).resolve()),
        "settings": "django.conf" in sys.modules and sys.modules["django.conf"].settings.configured,
        "ours": [name for name in sys.modules if name.split(".")[0] in {"config", "web", "rooms"}],
    }
    sys.stdout.write(json.dumps(portrait) + "\n")
    sys.exit("Not started.")
