"""The commands and their options, in the words of who uses them; what they do stands in files of their own."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from profundus import __version__
from profundus.cli.failures import BAD_INPUT
from profundus.cli.outcome import Job

# `--json` and `--debug` are read in `main`, that speaks for failures, too; here they are known to the help
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else; progress goes to stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where an error happened.")]
StudyFile = Annotated[
    Path, typer.Argument(metavar="STUDY.toml", help="The study: model, muscles, trials and their files.")
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder that `profundus fit` wrote.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Where the recordings are, if not beside the study file."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the results that are in the folder.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
AnySubject = Annotated[str | None, typer.Option("--subject", metavar="ID", help="Whose; everybody's by default.")]
OneSubject = Annotated[
    str | None, typer.Option("--subject", metavar="ID", help="Whose muscles; needed where the run has several people.")
]

app = typer.Typer(
    name="profundus",
    help="Reconstruct the EMG of deep muscles from motion, load, surface EMG and joint moments. Research use only.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


@app.callback(invoke_without_command=True)
def _profundus(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        typer.echo(f"profundus {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(BAD_INPUT)


@app.command()
def demo(
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path("profundus-demo"),
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> Job:
    """Fit a virtual subject whose deep EMG is known.

    Takes a minute, needs no data, opens nothing; tells where the page is.
    """
    from profundus.cli.fitting import demonstrated

    return partial(demonstrated, out, overwrite=overwrite, quiet=quiet)


@app.command()
def check(*, study: StudyFile, data: Data = None, json: Json = False, debug: Debug = False) -> Job:
    """Tell every problem of a study at once.

    Reads every file that the study names, before anything long runs, and says what the recordings can determine.
    """
    from profundus.cli.checking import checked

    return partial(checked, study, data_root=data)


@app.command()
def fit(
    *,
    study: StudyFile,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results: new, or an earlier run.")],
    data: Data = None,
    seed: Annotated[int, typer.Option(min=0, help="Start of the random numbers: same seed, same result.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was interrupted.")] = False,
    overwrite: Overwrite = False,
    subject: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Fit this person only; may be given several times.")
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> Job:
    """Personalize the model and reconstruct.

    Fits each subject on the trials of role "fit", reconstructs all muscles in all trials, scores them, and writes a page.
    """
    from profundus.cli.fitting import fitted

    return partial(
        fitted,
        study,
        out,
        data_root=data,
        seed=seed,
        resume=resume,
        overwrite=overwrite,
        subjects=subject or None,
        quiet=quiet,
    )


@app.command()
def reconstruct(
    *,
    run: RunFolder,
    new_trials: Annotated[
        Path, typer.Argument(metavar="NEW_TRIAL.toml", help="Trials of a fitted subject, each a [[trial]] table.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")],
    subject: OneSubject = None,
    data: Data = None,
    overwrite: Overwrite = False,
    json: Json = False,
    debug: Debug = False,
) -> Job:
    """Apply a fitted subject to new trials.

    Reconstructs all muscles without fitting anything again: it takes seconds.
    """
    from profundus.cli.results import reconstructed

    return partial(reconstructed, run, new_trials, out, subject=subject, data_root=data, overwrite=overwrite)


Out = Annotated[
    Path, typer.Option(metavar="DIR", help="Folder for the results: new, or that of an earlier comparison.")
]
Methods = Annotated[
    str, typer.Option(metavar="A,B,...", help="Methods by name, with commas between them; `all` is every one there is.")
]
Split = Annotated[
    str,
    typer.Option(
        metavar="RULE",
        help="roles (as the study says), load:KG, trial:K/N, motion:KIND, or subject:ID,ID: what to test on.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Start of the random numbers: same seed, same result.")]
Several = Annotated[
    list[str] | None,
    typer.Option("--subject", metavar="ID", help="Ask about this person only; may be given several times."),
]
People = Annotated[int, typer.Option(min=10, help="Virtual people who teach the population regression.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on: answers that are there are not asked for again.")]


@app.command()
def compare(
    *,
    study: StudyFile,
    out: Out,
    methods: Methods = "all",
    split: Split = "roles",
    data: Data = None,
    seed: Seed = 0,
    people: People = 100,
    subject: Several = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> Job:
    """Put every method on the same trials.

    Reconstructs the deep muscles by the neural model and by every rival, scores all of them, and writes a page and figures.
    """
    from profundus.cli.comparing import Wish, compared

    wish = Wish(methods, split, seed, people, subject or None, resume, overwrite, data, quiet)
    return partial(compared, study, out, wish)


@app.command()
def validate(
    *,
    study: StudyFile,
    hide: Annotated[
        list[str],
        typer.Option(metavar="MUSCLE", help="A measured muscle; may be given several times. `each`: all in turn."),
    ],
    out: Out,
    methods: Methods = "all",
    split: Split = "roles",
    data: Data = None,
    seed: Seed = 0,
    people: People = 100,
    subject: Several = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> Job:
    """Hide a measured muscle and reconstruct it.

    Takes its EMG out of the inputs, asks every method for it, and scores the answers against its own EMG.
    """
    from profundus.cli.comparing import Wish, validated

    wish = Wish(methods, split, seed, people, subject or None, resume, overwrite, data, quiet)
    return partial(validated, study, out, hide, wish)


@app.command()
def simulate(
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the study.")],
    people: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
    seed: Seed = 0,
    measured: Annotated[
        list[str] | None, typer.Option(metavar="MUSCLE", help="A muscle with an electrode; may be given several times.")
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A control strategy that occurs; may be given several times."),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A control strategy that does not; may be given several times."),
    ] = None,
    load: Annotated[
        list[float] | None, typer.Option(metavar="KG", help="A load in the hand; may be given several times.")
    ] = None,
    like: Annotated[
        Path | None, typer.Option(metavar="STUDY.toml", help="Repeat the motions of this study's first person.")
    ] = None,
    muscle: Annotated[Literal["thelen", "degroote", "mixed"], typer.Option(help="Whose muscles.")] = "mixed",
    tendon: Annotated[Literal["rigid", "compliant", "mixed"], typer.Option(help="Which tendons.")] = "rigid",
    raw: Annotated[bool, typer.Option("--raw", help="Write raw EMG and maximal contractions, not envelopes.")] = False,
    crosstalk: Annotated[float, typer.Option(min=0, max=0.5, help="Share of the neighbors in an electrode.")] = 0.0,
    mvc_error: Annotated[float, typer.Option(min=0, max=0.5, help="Error of the MVC, up or down.")] = 0.0,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> Job:
    """Make virtual people with known deep EMG.

    Writes the files that a laboratory would have, and the truth beside them.
    """
    from profundus.cli.simulating import simulated

    return partial(
        simulated,
        out,
        people=people,
        seed=seed,
        measured=measured or (),
        families=family or (),
        without=without or (),
        loads_kg=load or (),
        like=like,
        muscle=muscle,
        tendon=tendon,
        raw=raw,
        crosstalk=crosstalk,
        mvc_error=mvc_error,
        overwrite=overwrite,
        quiet=quiet,
    )


@app.command()
def pretrain(
    *,
    recipe: Annotated[
        Path | None, typer.Argument(metavar="RECIPE.toml", help="Who teaches whom, for how long. Default: built in.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the prior: new, or an earlier one.")],
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the recordings of the study that the recipe names.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes that make people. Default: one a core.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with work that was interrupted.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Learn anew; people of the same recipe stay in the folder.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> Job:
    """Teach a network on virtual people.

    Makes people by the thousand, learns what their deep muscles do, is judged and calibrated on others, and writes a prior with its card.
    """
    from profundus.cli.pretraining import pretrained

    return partial(pretrained, recipe, out, data=data, workers=workers, resume=resume, overwrite=overwrite, quiet=quiet)


@app.command()
def advise(
    *,
    study: StudyFile,
    subject: Annotated[
        str | None, typer.Option(metavar="ID", help="For whom; needed where the study has several people.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for advice.csv and advice.json.")] = None,
    data: Data = None,
    seed: Seed = 0,
    json: Json = False,
    debug: Debug = False,
) -> Job:
    """Tell which recording would help most.

    Ranks wires, maximal contractions and extra trials by how much they would narrow the bands of the deep muscles.
    """
    from profundus.cli.advising import advised

    return partial(advised, study, subject=subject, out=out, data_root=data, seed=seed)


@app.command()
def report(
    *,
    run: RunFolder,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="ID", help="The page of this person alone, in his own folder.")
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> Job:
    """Write the page of a run again.

    RUN/report.html, or card.html of a learned prior, is one file that can be read offline.
    """
    from profundus.cli.results import reported

    return partial(reported, run, subject=subject)


@app.command()
def export(
    *,
    run: RunFolder,
    to: Annotated[Literal["opensim", "ceinms"], typer.Option(help="For which program.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the files. Default: RUN/<program>")
    ] = None,
    subject: AnySubject = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Model file (.osim) to write the muscles into. Default: the study's."),
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> Job:
    """Write results for other programs.

    One folder a subject. For OpenSim: <trial>_controls.sto, <trial>_states.sto, <subject>.osim (the model with the fitted muscles) and
    <subject>_muscles.csv. For CEINMS: <trial>_excitations.sto.
    """
    from profundus.cli.results import exported

    return partial(exported, run, to=to, out=out, subject=subject, model=model)


@app.command()
def sysinfo(*, json: Json = False, debug: Debug = False) -> Job:
    """Tell versions, machine and accelerators.

    What a report of an error needs.
    """
    from profundus.cli.sysinfo import system

    return system


from profundus.cli import stream_command  # noqa: E402, F401  its options stand in a file of their own
