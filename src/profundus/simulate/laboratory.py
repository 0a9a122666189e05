"""A virtual person's visit to the laboratory: what he did becomes trials as they would have been recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from profundus.records import PopulationSettings, Table, Trial, VirtualPerson
from profundus.simulate import measurement
from profundus.simulate.limb import limb_moment
from profundus.simulate.measurement import Electrodes
from profundus.simulate.person import Person
from profundus.simulate.schedule import Schedule
from profundus.simulate.work import Work

Floats = NDArray[np.float64]
MVC_S = 3.0


def measured_person(
    identity: str,
    person: Person,
    plan: Schedule,
    work: Work,
    *,
    muscles: tuple[str, ...],
    coordinates: tuple[str, ...],
    settings: PopulationSettings,
    chance: np.random.Generator,
    facts: dict[str, object],
) -> VirtualPerson:
    """Return the person with trials as measured; ``truth`` is the excitation, on the EMG's clock, as a fraction of the true maximum."""
    rate_hz = settings.rate_hz
    electrodes = measurement.drawn_electrodes(len(muscles), settings, chance)
    angle = measurement.measured_angle(plan.angle, settings.angle_noise, chance, rate_hz=rate_hz)
    error = measurement.moment_error(plan.angle.shape, plan.load, settings, chance, step=1.0 / rate_hz)
    moment = work.moment + error + _lever_error(person, plan)
    facts = facts | {name: value.tolist() for name, value in electrodes._asdict().items()}
    recorded: tuple[Table, ...] = ()
    mvc: tuple[Table, ...] = ()
    if settings.emg == "raw":
        raw, emg = _raw(work.excitation, electrodes, settings, chance)
        mvc = (_maximal_contractions(electrodes, muscles, settings, chance),)
        recorded = tuple(_raw_table(raw[i], muscles, plan, i, settings) for i in range(len(plan.names)))
    else:
        emg = measurement.drawn_envelopes(work.excitation, electrodes, chance, rate_hz=rate_hz)
    made = (angle, emg, moment, work.excitation)
    trials = tuple(
        _trial(identity, i, plan, made, muscles=muscles, coordinates=coordinates, rate_hz=rate_hz)
        for i in range(len(plan.names))
    )
    return VirtualPerson(identity, trials, facts, recorded, mvc)


def _lever_error(person: Person, plan: Schedule) -> Floats:
    """Return what inverse dynamics is wrong by (trial, time) [N.m], where it is used, because the load is not where it is believed."""
    believed, true = (
        limb_moment(limb, plan.angle, plan.acceleration, plan.load) for limb in (person.limb, person.true_limb)
    )
    return np.where(np.isnan(plan.moment), believed - true, 0.0)


def _raw(
    excitation: Floats, electrodes: Electrodes, settings: PopulationSettings, chance: np.random.Generator
) -> tuple[Floats, Floats]:
    clocks = {"rate_hz": settings.rate_hz, "emg_rate_hz": settings.emg_rate_hz}
    raw = measurement.drawn_raw_emg(excitation, electrodes, chance, **clocks)
    return raw, measurement.envelopes_of(raw, electrodes, **clocks)


def _maximal_contractions(
    electrodes: Electrodes, muscles: tuple[str, ...], settings: PopulationSettings, chance: np.random.Generator
) -> Table:
    """Return the raw EMG [V] of 3 s in which every muscle is as active as its maximal contraction got it."""
    rate_hz, emg_rate_hz = settings.rate_hz, settings.emg_rate_hz
    held = np.broadcast_to(electrodes.mvc, (1, round(MVC_S * rate_hz), len(muscles)))
    raw = measurement.drawn_raw_emg(held, electrodes, chance, rate_hz=rate_hz, emg_rate_hz=emg_rate_hz)[0]
    return Table(muscles, np.arange(len(raw)) / emg_rate_hz, raw, "maximal_contractions", False)


def _raw_table(
    raw: Floats, muscles: tuple[str, ...], plan: Schedule, trial: int, settings: PopulationSettings
) -> Table:
    factor = round(settings.emg_rate_hz / settings.rate_hz)
    first, count = plan.margin * factor, (plan.samples[trial] - 1) * factor + 1
    return Table(muscles, np.arange(count) / settings.emg_rate_hz, raw[first : first + count].copy(), "raw_emg", False)


def _trial(
    identity: str,
    index: int,
    plan: Schedule,
    made: tuple[Floats, Floats, Floats, Floats],
    *,
    muscles: tuple[str, ...],
    coordinates: tuple[str, ...],
    rate_hz: float,
) -> Trial:
    angle, emg, moment, truth = (plan.cropped(values, index) for values in made)
    velocity, acceleration = measurement.rates(angle[None], rate_hz=rate_hz)
    return Trial(
        subject=identity,
        name=plan.names[index],
        role=plan.roles[index],
        muscles=muscles,
        coordinates=coordinates,
        time=np.arange(len(angle)) / rate_hz,
        angle=angle[:, None],
        velocity=velocity[0][:, None],
        acceleration=acceleration[0][:, None],
        emg=emg,
        emg_valid=np.ones(emg.shape, dtype=np.bool_),
        moment=moment[:, None],
        moment_valid=np.ones((len(moment), 1), dtype=np.bool_),
        truth=truth,
        load_kg=float(plan.load_kg[index]),
        motion=plan.motions[index],
    )
