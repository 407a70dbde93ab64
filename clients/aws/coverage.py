"""Tells which operations of the catalogue AWS's own clients called, and which none did; the latter is a failure.

    python coverage.py ../../tests/catalogue.txt called.txt
"""

import pathlib
import re
import sys


def main(catalogue, record):
    text = pathlib.Path(catalogue).read_text()
    # `iam:TagUser (tagging; policy) on user user_name`. What begins with `reeve` or `signin` is not AWS's.
    operations = re.findall(r"^((?:iam|sts):\w+) \(", text, re.MULTILINE)
    callers = {operation: [] for operation in operations}
    for line in pathlib.Path(record).read_text().splitlines():
        client, operation = line.split()
        if operation in callers and client not in callers[operation]:
            callers[operation].append(client)
    for operation, clients in sorted(callers.items()):
        print(f"{operation:45} {', '.join(clients) or '-'}")
    missed = sorted(operation for operation, clients in callers.items() if not clients)
    print(f"{len(operations) - len(missed)} of {len(operations)} operations were called from outside")
    if not operations or missed:
        sys.exit(f"called by none: {', '.join(missed)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
