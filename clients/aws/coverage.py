"""Tells which operations of the catalogue AWS's own clients called, and which none did; the latter is a failure.

    python coverage.py ../../tests/catalogue.txt ../../tests/aws/models.txt called.txt
"""

import pathlib
import re
import sys


def main(catalogue, models, record):
    text = pathlib.Path(catalogue).read_text()
    # `iam:TagUser (tagging; policy) on user user_name`. What the models do not have is Reeve's own.
    operations = re.findall(r"^((?:iam|sts):\w+) \(", text, re.MULTILINE)
    operations = [operation for operation in operations if operation in of_aws(models)]
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


def of_aws(models):
    """`iam:TagUser` and so on, of AWS's models: `[iam]`, and below it `operation TagUser(...) -> (...)`."""
    found, service = set(), ""
    for line in pathlib.Path(models).read_text().splitlines():
        if line.startswith("["):
            service = line.strip("[]")
        elif line.startswith("operation "):
            found.add(f"{service}:{line.removeprefix('operation ').split('(')[0]}")
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
