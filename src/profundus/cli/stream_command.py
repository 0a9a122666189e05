"""The options of `stream`, in the words of who uses it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from profundus.cli.commands import Debug, Json, OneSubject, Quiet, RunFolder, app
from profundus.cli.outcome import Job


@app.command()
def stream(
    *,
    run: RunFolder,
    subject: OneSubject = None,
    emg: Annotated[
        str | None, typer.Option(metavar="NAME", help="Stream of the EMG. Default: the only one of type EMG.")
    ] = None,
    angles: Annotated[
        str | None, typer.Option(metavar="NAME", help="Stream of joint angles. Default: the only one of type MoCap.")
    ] = None,
    load: Annotated[
        float | None,
        typer.Option(min=0.0, max=1000.0, metavar="KG", help="What is held. Default: unknown; of a trial: its own."),
    ] = None,
    outlet: Annotated[
        str | None, typer.Option(metavar="NAME", help="Send the excitations as a stream of this name.")
    ] = None,
    record: Annotated[Path | None, typer.Option(metavar="FILE.sto", help="Keep what comes out, as it comes.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file of --record.")] = False,
    frames: Annotated[
        bool, typer.Option("--frames", help="Print every answer to stdout, a JSON object a line.")
    ] = False,
    replay: Annotated[
        str | None, typer.Option(metavar="TRIAL", help="Play a trial of the run instead; needs no devices.")
    ] = None,
    network: Annotated[
        bool, typer.Option("--network", help="Find streams of other machines, and send to them, too.")
    ] = False,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="End after so long. Default: Ctrl-C ends it.")] = None,
    wait: Annotated[
        float | None, typer.Option(min=0.1, max=60.0, help="For how long streams are looked for [s]. Default: 2.")
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> Job:
    """Answer for the deep muscles in real time.

    Takes EMG and angles from Lab Streaming Layer, sample by sample, and tells excitations with their bands 100 times a second.
    """
    from profundus.cli.streaming import streamed
    from profundus.protocols.stream_devices import Wanted

    nothing, forever = float("nan"), float("inf")
    wanted = Wanted(
        emg, angles, nothing if load is None else load, network, wait, forever if seconds is None else seconds
    )
    return partial(
        streamed,
        run,
        wanted,
        subject=subject,
        trial=replay,
        outlet=outlet,
        record=record,
        overwrite=overwrite,
        frames=frames and not json,
        quiet=quiet,
    )
