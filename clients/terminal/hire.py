"""The same as ../python/people.py, at a terminal: `reeve` is run as people run it, on a pseudo-terminal that types their
passwords. Needs Python alone.

    python3 hire.py --reeve target/release/reeve --endpoint 127.0.0.1:7443 --credentials reeve-credentials
"""

import argparse
import base64
import datetime
import json
import os
import pathlib
import pty
import select
import signal
import stat
import sys
import tempfile
import termios
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))

from authenticator import Authenticator
from terminal import ANSWER_SECONDS_MAX, Terminal, check

# AWS's documented policy: one's own credentials, and nothing until a device is shown.
POLICY = pathlib.Path(__file__).resolve().parents[2] / "tests" / "stories" / "own_credentials_until_mfa.json"
TEMPORARY = "Welcome-2-Reeve"
OWN = "Own-Secret-Words-7"


class Person(Terminal):
    """Runs `reeve` for somebody, whose home is a folder of their own."""

    def __init__(self, reeve, endpoint, home, credentials=None):
        environment = {"HOME": str(home), "PATH": os.environ["PATH"], "REEVE_ENDPOINT": f"http://{endpoint}"}
        if credentials:
            environment |= {"AWS_SHARED_CREDENTIALS_FILE": str(credentials), "AWS_PROFILE": "root"}
        super().__init__(reeve, environment)

    def typed(self, answers, *arguments):
        """Runs a command on a pseudo-terminal and answers what it asks: pairs of the prompt's end and the answer. The exit
        status, and everything that stood on the screen."""
        child, screen = pty.fork()
        if child == 0:
            os.execve(self._reeve, [self._reeve, *arguments], self._environment)
        shown, waiting, seen = "", list(answers), 0
        until = time.monotonic() + ANSWER_SECONDS_MAX
        while time.monotonic() < until:
            if waiting and waiting[0][0] in shown[seen:] and is_ready(screen, waiting[0][0]):
                seen = len(shown)
                os.write(screen, f"{waiting.pop(0)[1]}\n".encode())
            if not select.select([screen], [], [], 0.05)[0]:
                continue
            try:
                read = os.read(screen, 4096)
            except OSError:  # the command has ended
                break
            if not read:
                break
            shown += read.decode()
        else:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if waiting:
            sys.exit(f"NOT SO: {' '.join(arguments)} did not ask for {waiting[0][0]}:\n{shown}")
        return os.waitstatus_to_exitcode(status), shown


def is_ready(screen, prompt):
    """Whether what is typed now does not show, where it must not: a prompt stands there a moment before echo is off, and a
    person does not type that fast."""
    return "assword" not in prompt or not termios.tcgetattr(screen)[3] & termios.ECHO


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--reeve", required=True, help="the program")
    arguments.add_argument("--endpoint", default="127.0.0.1:7443", help="host and port")
    arguments.add_argument("--credentials", default="reeve-credentials", help="file in AWS's format, profile root")
    arguments = arguments.parse_args()
    with tempfile.TemporaryDirectory() as home:
        reeve = os.path.abspath(arguments.reeve)
        root = Person(reeve, arguments.endpoint, home, os.path.abspath(arguments.credentials))
        run(root, Person(reeve, arguments.endpoint, home), pathlib.Path(home))
    print("Somebody came and went, at a terminal.")


def run(root, dana, home):
    name = f"dana-{uuid.uuid4().hex[:8]}"
    account = root.answer("sts", "get-caller-identity")["Account"]
    role = administer(root, name, account)

    # The first day: nothing that is typed for a password stands on the screen.
    own = [("Password: ", OWN), ("MFA code", "")]
    status, screen = dana.typed(
        [("Account", account), ("User name", name), ("Password: ", TEMPORARY), ("MFA code", ""),
         ("New password: ", OWN), ("New password again: ", OWN)],
        "login",
    )
    check(status == 0 and f"user/{name}" in screen, "signed in, by choosing another password")
    root.answer(
        "iam", "put-user-policy", "--user-name", name, "--policy-name", "until-mfa",
        "--policy-document", f"file://{POLICY}",
    )
    check(TEMPORARY not in screen and OWN not in screen, "no password stands on the screen")
    file = home / ".aws" / "credentials"
    check(stat.S_IMODE(file.stat().st_mode) == 0o600, "the profile is for her eyes alone")
    login = ["login", "--account", account, "--user-name", name]
    status, screen = dana.typed([("Password: ", "wrong"), ("MFA code", "")], *login)
    check(status == 254 and "AccessDenied" in screen, "a wrong password is refused")

    # A device.
    status, _, told = dana.run("iam", "list-access-keys", "--user-name", name)
    check(status == 254 and "AccessDenied" in told, "without a device nothing is allowed")
    created = dana.answer("iam", "create-virtual-mfa-device", "--virtual-mfa-device-name", name)["VirtualMFADevice"]
    device = Authenticator(base64.b64decode(created["Base32StringSeed"]))
    first, second = device.two_in_a_row()
    dana.answer(
        "iam", "enable-mfa-device", "--user-name", name, "--serial-number", created["SerialNumber"],
        "--authentication-code1", first, "--authentication-code2", second,
    )
    status, screen = dana.typed(own, *login)
    check(status == 254, "the password alone does not let her in any more")
    status, screen = dana.typed([("Password: ", OWN), ("MFA code", device.next())], *login)
    check(status == 0, "the device does")
    dana.answer("iam", "list-access-keys", "--user-name", name)

    # Work: a role's credentials, as the AWS SDKs take them.
    process = ["credentials", "--role", role, "--tag", "team=blue"]
    given = dana.answer(*process)
    check(given["Version"] == 1 and given["AccessKeyId"].startswith("ASIA"), "a credential_process's answer")
    left = datetime.datetime.fromisoformat(given["Expiration"].replace("Z", "+00:00")).timestamp() - time.time()
    check(3500 < left <= 3600, "which says when it expires")
    check(dana.answer(*process) == given, "which is kept until shortly before it expires")
    check(dana.answer(*process, "--no-cache") != given, "unless it is not wanted")
    kept = list((home / ".cache" / "reeve" / "credentials").glob("*.json"))
    check([stat.S_IMODE(path.stat().st_mode) for path in kept] == [0o600], "for her eyes alone")

    # A lost device, and the last day.
    take_away(root, name, created["SerialNumber"])
    status, screen = dana.typed([("Password: ", OWN), ("MFA code", device.code(time.time() + 30))], *login)
    check(status == 254, "a lost device is good for nothing once it is taken away")
    status, screen = dana.typed(own, *login)
    check(status == 0, "the password alone is, for enrolling another")
    status, screen = dana.typed([], "logout")
    check(status == 0 and "aws_session_token" not in file.read_text(), "logging out takes the credentials out")
    status, screen = dana.typed(own, *login)
    root.answer("iam", "delete-login-profile", "--user-name", name)
    status, _, told = dana.run("sts", "get-caller-identity")
    check(status == 254 and "InvalidClientTokenId" in told, "without the password every session has ended")
    root.answer("iam", "delete-user-policy", "--user-name", name, "--policy-name", "until-mfa")
    root.answer("iam", "delete-user", "--user-name", name)


def administer(root, name, account):
    root.answer("iam", "create-user", "--user-name", name)
    root.answer("iam", "create-login-profile", "--user-name", name, "--password", TEMPORARY, "--password-reset-required")
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Principal": {"AWS": f"arn:aws:iam::{account}:user/{name}"},
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        },
    }
    created = root.answer(
        "iam", "create-role", "--role-name", f"work-{name}", "--assume-role-policy-document", json.dumps(trust)
    )
    return created["Role"]["Arn"]


def take_away(root, name, serial_number):
    root.answer("iam", "deactivate-mfa-device", "--user-name", name, "--serial-number", serial_number)
    root.answer("iam", "delete-virtual-mfa-device", "--serial-number", serial_number)


if __name__ == "__main__":
    main()
