"""An authenticator as people carry it: six digits every thirty seconds, from a seed (RFC 6238). A code is good once."""

import base64
import hashlib
import hmac
import struct
import time

STEP_SECONDS = 30


class Authenticator:
    def __init__(self, base32_seed):
        self._seed = base64.b32decode(base32_seed)
        self._used = 0

    def code(self, at):
        """The code that the device shows at a time: Unix seconds."""
        return self._of_step(int(at) // STEP_SECONDS)

    def two_in_a_row(self):
        """The code before, and the one that is shown."""
        step = int(time.time()) // STEP_SECONDS
        self._used = step
        return self._of_step(step - 1), self._of_step(step)

    def next(self):
        """A code that was not used yet. One step ahead is good, as if the device were a little fast; else it is waited for."""
        self._used += 1
        ahead = self._used * STEP_SECONDS - STEP_SECONDS - time.time()
        if ahead > 0:
            time.sleep(ahead)
        self._used = max(self._used, int(time.time()) // STEP_SECONDS)
        return self._of_step(self._used)

    def _of_step(self, step):
        mac = hmac.new(self._seed, struct.pack(">Q", step), hashlib.sha1).digest()
        start = mac[-1] & 15
        return f"{(struct.unpack('>I', mac[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
