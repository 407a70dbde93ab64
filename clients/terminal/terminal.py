"""What the programs here are told with: `reeve`, run as people run it, and a few words. Needs Python alone."""

import json
import os
import subprocess
import sys

ANSWER_SECONDS_MAX = 60


class Terminal:
    """Runs `reeve` with nothing in its environment but what is given, and with `always` at the end of every command."""

    def __init__(self, reeve, environment, always=()):
        self._reeve = os.path.abspath(reeve)
        self._environment = environment
        self._always = always

    def run(self, *arguments):
        """The exit status, and what was printed and told."""
        done = subprocess.run(
            [self._reeve, *arguments, *self._always],
            env=self._environment, capture_output=True, text=True, timeout=ANSWER_SECONDS_MAX,
        )
        return done.returncode, done.stdout, done.stderr

    def answer(self, *arguments):
        """The JSON that a command answers with, which must succeed."""
        status, printed, told = self.run(*arguments)
        if status != 0:
            sys.exit(f"NOT SO: {' '.join(arguments)}: {told}")
        return json.loads(printed) if printed else {}


def check(is_so, what):
    print(("ok: " if is_so else "NOT SO: ") + what, flush=True)
    if not is_so:
        sys.exit(1)
