"""Which recording would narrow the bands of a person's deep muscles most: wires, maximal contractions, and trials he has not done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.fit.advice import Known, Outlook, Recording, outlook, pinned, pins, ranked
from profundus.io.manifest import write_manifest
from profundus.io.rows_file import write_rows
from profundus.model.context import Context, context_of
from profundus.model.deep_posterior import WindowPosterior, window_posterior
from profundus.model.fitted import TaughtSubject
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.settings import shown, with_prior
from profundus.protocols.learned import answered_to_fit, maximal_trials, prior_for, taught_person
from profundus.protocols.models import model_of
from profundus.protocols.people import chosen_people
from profundus.protocols.prior_choice import TEACH
from profundus.protocols.recordings import recorded
from profundus.protocols.rehearsing import Motion, Rehearsal, rehearsals
from profundus.records import Advice, AdviceRow, Anatomy, Study, Subject, Trial
from profundus.records.virtual import MOTIONS
from profundus.simulate.chance import stream

Floats = NDArray[np.float64]
LOADS_KG = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0)
INSET = 0.1  # of the joint's range, at either end
PAIRS = 2  # of draws of the levels that a trial is rehearsed with
CSV, JSON = "advice.csv", "advice.json"


def advise_study(study: Study, *, subject: str | None = None, seed: int = 0) -> Advice:
    """Return what one person of a study should record next. ``subject`` may be left out where there is only one.

    Raises InputError for people that there are not, and for a study that no learned prior answers.
    """
    person = _named(study, subject)
    anatomy, model = model_of(study)
    prior = prior_for(study, anatomy) if with_prior(study.fit) else None
    if prior is None:
        what = "advice rests on a learned prior, and this study has none"
        raise InputError(Problem("error", what, file=study.source, remedy=TEACH))
    trials = recorded(study, person, anatomy).trials
    usual = [trial for trial in trials if trial.name not in maximal_trials(study, person.id)]
    return advise(taught_person(trials, study, anatomy, model, prior), usual, anatomy, model, seed=seed)


def advise(
    subject: TaughtSubject,
    trials: Sequence[Trial],
    anatomy: Anatomy,
    model: MusculoskeletalModel,
    *,
    seed: int = 0,
    loads_kg: Sequence[float] = LOADS_KG,
) -> Advice:
    """Return recordings for a fitted person, that first which would narrow the bands of his deep muscles most.

    Only his trials to fit are looked at. Extra trials are rehearsed: see `rehearsals`; where none of his trials has a moment, or
    several joints move, there are none; ``loads_kg`` are those that he may be handed. Same seed, same advice.
    """
    deep = [int(muscle) for muscle in np.flatnonzero(~np.asarray(subject.layout.measured))]
    muscles = subject.layout.muscles
    heard = [(muscles.index(one.muscle), one.level, one.sd) for row in subject.calibrations for one in row.observations]
    known = Known(subject.prior.level_correlation, heard)
    answer = window_posterior(subject.prior, subject.context)
    valid = np.asarray(subject.context.windows.valid)
    before = outlook(answer, valid, known.levels(answer.level_sd))
    if not deep:
        return Advice(subject.subject, ())
    person = answered_to_fit(
        trials, model, subject.prior, subject.settings, gain=subject.usual_gain, scale_sd=subject.scale_sd
    )
    tried = [(one, pinned(answer, valid, known, muscle, noise)) for one, muscle, noise in pins(person)]
    left_out: list[str] = []
    untried = "" if subject.prior.view == "hinge" else "only those of one joint can be rehearsed"
    if subject.personalized and not untried:
        drawn = list(rehearsals(subject, trials, anatomy, model, pairs=PAIRS, seed=seed))
        rehearsed, left_out = _rehearsed(drawn, motions(subject, anatomy, loads_kg), known, seed)
        tried += rehearsed
    return Advice(subject.subject, ranked(tried, before, muscles, deep, subject.subject), tuple(left_out), untried)


def write_advice(advice: Advice, folder: Path) -> tuple[Path, Path]:
    """Write ``advice.csv``, a row a recording and muscle, and ``advice.json``; return both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = list(AdviceRow.__dataclass_fields__)
    write_rows(advice.rows, folder / CSV, columns=columns)
    facts = {"kind": "advice", "subject": advice.subject, "summary": advice.summary}
    write_manifest({**facts, "left_out": advice.left_out, "rows": advice.rows}, folder / JSON)
    return folder / CSV, folder / JSON


def motions(
    subject: TaughtSubject, anatomy: Anatomy, loads_kg: Sequence[float]
) -> tuple[tuple[Recording, Motion], ...]:
    """Return the extra trials that are tried: every load, motion and reach."""
    joint = {c.name: c for c in anatomy.coordinates}[subject.coordinates[0]]
    inset = INSET * (joint.high - joint.low)
    low, high = joint.low + inset, joint.high - inset
    middle = 0.5 * (low + high)
    reaches = {"full range": (low, high), "near extension": (low, middle), "near flexion": (middle, high)}
    seconds = float(np.asarray(subject.context.windows.valid).sum(axis=1).max()) / 10.0 + 0.4
    return tuple(
        (
            Recording("trial", f"{kind} with {load:g} kg, {reach}", motion=kind, load_kg=load, reach=reach),
            Motion(kind, load, *ends, seconds),
        )
        for reach, ends in reaches.items()
        for kind in MOTIONS
        for load in loads_kg
    )


def _rehearsed(
    drawn: Sequence[Rehearsal], wanted: Sequence[tuple[Recording, Motion]], known: Known, seed: int
) -> tuple[list[tuple[Recording, Outlook]], list[str]]:
    """Return the outlook after each extra trial, the mean over draws of the person, and the trials that he cannot do."""
    found, left_out = [], []
    for number, (recording, motion) in enumerate(wanted, start=1):
        done = [person.trial(motion, stream(seed, number, f"trial {draw}")) for draw, person in enumerate(drawn)]
        able = [trial for trial in done if trial is not None]
        if len(able) < len(done):
            left_out.append(f"{recording.words}: more than the person's muscles can do")
            continue
        found.append((recording, _after(drawn[0].subject, drawn[0].model, able, known)))
    return found, left_out


def _after(subject: TaughtSubject, model: MusculoskeletalModel, trials: Sequence[Trial], known: Known) -> Outlook:
    """Return the outlook over the person's own windows once a trial stands beside them, the mean over ways in which he may do it."""
    own: Context = subject.context
    seen = [shown(trial, subject.settings, gain=subject.usual_gain) for trial in trials]
    more = context_of(seen, model, view=subject.prior.view, scale_sd=subject.scale_sd)
    outlooks = []
    for part in np.split(np.arange(more.count), len(seen)):
        whole = window_posterior(subject.prior, own.joined(more.part(part)))
        answer = WindowPosterior(whole.middle[: own.count], whole.course_sd[: own.count], whole.level_sd)
        outlooks.append(outlook(answer, np.asarray(own.windows.valid), known.levels(answer.level_sd)))
    return Outlook(*(np.mean(values, axis=0) for values in zip(*outlooks, strict=True)))


def _named(study: Study, subject: str | None) -> Subject:
    if subject is None and len(study.subjects) > 1:
        listed = "one of " + ", ".join(person.id for person in study.subjects[:40])
        what = f"the study has {len(study.subjects)} people"
        raise InputError(Problem("error", what, file=study.source, expected=listed, remedy="Name one with --subject"))
    return chosen_people(study, None if subject is None else [subject])[0]
