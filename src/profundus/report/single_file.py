"""What every page is made of: a template filled once, scripts known by their digest, data that cannot break out."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files

LIMIT_BYTES = 5_960_000


def asset(*names: str) -> str:
    """Return the text of shipped files, one after the other."""
    folder = files("profundus.report") / "assets"
    return "".join((folder / name).read_text(encoding="utf-8") for name in names)


def filled(template: str, parts: Mapping[str, str]) -> str:
    """Return the template with its slots filled, in one pass: what is filled in is never read as a slot."""
    pieces = template.split("{{")
    done = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        done.append(parts[name] + rest)
    return "".join(done)


def policy(*scripts: str) -> str:
    """Return the page's security policy: these scripts and no other, no connection to anywhere."""
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'"
    )


def json_text(value: object) -> str:
    """Return JSON that may stand inside a script element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
