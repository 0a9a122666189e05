"""All benchmarks against rivals, one after the other, then the page and its figure: ``python benchmarks/all.py --reference FOLDER``.

Parts whose needs (OpenSim, PyTorch, the reference recordings) are not on the machine are skipped with a word, and keep their last result.
Options are handed on to each part. About 10 minutes on 2 cores.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import make_benchmark_page
from measuring import RESULTS, SKIPPED, parser

HERE = Path(__file__).parent


def main() -> int:
    asked = parser(__doc__ or "").parse_args()
    options = sys.argv[1:]
    failed = []
    for part in make_benchmark_page.PARTS:
        began = time.perf_counter()
        code = subprocess.run([sys.executable, str(HERE / f"{part}.py"), *options], check=False).returncode
        if code not in (0, SKIPPED):
            failed.append(part)
        print(f"{part}: {'skipped' if code == SKIPPED else f'{time.perf_counter() - began:.0f} s'}", flush=True)
    if Path(asked.results).resolve() == RESULTS.resolve():
        make_benchmark_page.main()
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
