"""The command for studies of many people, beside those for one person or a few."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from profundus.cli.commands import Data, Debug, Json, Overwrite, Quiet, Seed, StudyFile, app
from profundus.cli.outcome import Job

__all__ = ["app"]


@app.command()
def cohort(
    *,
    study: StudyFile,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results: new, or an earlier run.")],
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes of this machine. Default: one a core.")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Use the workers of this Dask scheduler (needs the extra [cluster])."),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Threads of each process. Default: as many as `fit` would use."),
    ] = None,
    data: Data = None,
    seed: Seed = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on: who is done is kept, who failed is tried again.")
    ] = False,
    overwrite: Overwrite = False,
    subject: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Fit this person only; may be given several times.")
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> Job:
    """Fit a study of many people by all cores, or a cluster.

    The results are those of `fit`. A person who fails does not stop the others; exit code 5 says that somebody did.
    """
    from profundus.cli.cohort import cohorted

    return partial(
        cohorted,
        study,
        out,
        workers=workers,
        scheduler=scheduler,
        threads=threads,
        data_root=data,
        seed=seed,
        resume=resume,
        overwrite=overwrite,
        subjects=subject or None,
        quiet=quiet,
    )
