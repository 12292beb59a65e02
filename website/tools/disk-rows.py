"""Print as JSON what is where on the disk IMAGE.

Usage: disk-rows.py IMAGE, with common/make in PYTHONPATH.

A list of [first LBA, last LBA, what, [more lines]]; an empty one for an image without a GUID
partition table.
"""
import json
import sys
from pathlib import Path

from disk_layout import rows

try:
    found = rows(Path(sys.argv[1]).read_bytes())
except ValueError:
    found = []
print(json.dumps(found))
