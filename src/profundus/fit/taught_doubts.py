"""What is doubtful about a taught person's answer, by name."""

from __future__ import annotations

import numpy as np

from profundus.fit.calibration import contradictions
from profundus.model.fitted import TaughtSubject
from profundus.model.outside import flags
from profundus.model.settings import with_physics
from profundus.records import Flag, Reconstruction


def doubts(subject: TaughtSubject, rec: Reconstruction) -> tuple[Flag, ...]:
    """Return what the answer lacked.

    ``no_parameters``: no moment to explain, so that the model is generic and its moment unknown; ``no_moment``: a trial without one;
    ``no_emg``: an electrode that is dead in a trial, whose muscle the prior answers for; ``not_converged``: the search for parameters.
    ``calibrations_disagree``: two statements about a level, or one and the prior, more than 3 sd apart; ``calibration_left_out``. And
    ``outside_...`` where the person is unlike those who taught the prior (`profundus.model.outside.flags`).
    """
    found = list(flags(subject.subject, subject.prior, subject.context))
    if with_physics(subject.settings):
        if not subject.personalized:
            why = "no trial to fit has a joint moment: parameters are generic, and the model's moment is unknown"
            found.append(Flag("no_parameters", subject.subject, why=why))
        for part in rec.trials:
            if not np.any(part.trial.moment_valid):
                why = f"{part.trial.name} has no joint moment: the answer rests on envelopes and motion alone"
                found.append(Flag("no_moment", subject.subject, why=why))
    for part in rec.trials:
        dead = np.asarray(subject.layout.measured) & ~part.trial.measured
        for muscle in np.array(subject.layout.muscles)[dead].tolist():
            why = f"{part.trial.name} has no EMG of it: the learned prior answers, as for a deep muscle"
            found.append(Flag("no_emg", subject.subject, muscle, why))
    if not subject.converged:
        found.append(Flag("not_converged", subject.subject, why=f"the search for parameters: {subject.outcome}"))
    for row in subject.calibrations:
        found += [Flag("calibrations_disagree", subject.subject, row.muscle, why) for why in contradictions(row)]
        found += [Flag("calibration_left_out", subject.subject, row.muscle, why) for why in row.left_out]
    return tuple(found)
