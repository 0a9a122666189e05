"""A Methods paragraph for a paper, written from the settings that were really used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

from profundus.quantities import declared_quantities
from profundus.records import FitSettings
from profundus.report.content import PageContent
from profundus.report.words import joined, load_name, method_name

MUSCLE_MODELS = {
    "degroote": "De Groote-Fregly muscles (De Groote et al., 2016)",
    "thelen": "Thelen muscles (Thelen, 2003)",
}
REFERENCES = (
    "Kumar R, Tripura T, Chakraborty S, Roy S (2025). arXiv:2503.05201.",
    "De Groote F, Kinney AL, Rao AV, Fregly BJ (2016). Ann Biomed Eng 44:2922-2936. doi:10.1007/s10439-016-1591-9.",
    "Thelen DG (2003). J Biomech Eng 125:70-77. doi:10.1115/1.1531112.",
    "Holzbaur KRS, Murray WM, Delp SL (2005). Ann Biomed Eng 33:829-840. doi:10.1007/s10439-005-3320-7.",
)


def methods_paragraph(content: PageContent) -> str:
    """Return plain text: muscles, trials, processing, model, losses, ensemble, scores, versions, references."""
    sentences = [_aim(content), _trials(content), _processing(content)]
    if content.settings is not None and any(subject.decided for subject in content.subjects):
        sentences += [_learned(content, content.settings)]
    elif content.settings is not None:
        sentences += [_model(content.settings), _losses(content.settings), _training(content.settings)]
    sentences.append("Scores leave out 0.3 s at each end of a trial; test trials were not used for fitting.")
    sentences.append(_versions(content.provenance))
    body = " ".join(sentence for sentence in sentences if sentence)
    return f"{body}\n\nReferences: {' '.join(_cited(body))}"


def flattened(value: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield ``(dotted key, plain value)`` of nested mappings."""
    for key, item in value.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(item, Mapping):
            yield from flattened(item, name)
        else:
            yield name, item


def _aim(content: PageContent) -> str:
    surface = [name for name in content.muscles if name not in content.deep]
    method = content.subjects[0].reconstruction.method
    ours = "the neural musculoskeletal model (NMM; Kumar et al., 2025)"
    how = ours if method.startswith("nmm") else f"the method '{method_name(method)}'"
    return (
        f"Excitations of {joined(list(content.deep)) or 'no muscle'} were reconstructed from the motion of "
        f"{joined(list(content.coordinates))}, "
        f"external load, surface EMG of {joined(surface)} and inverse-dynamics moments with {how}."
    )


def _trials(content: PageContent) -> str:
    trials = [answer.trial for subject in content.subjects for answer in subject.reconstruction.trials]
    loads = sorted({trial.load_kg for trial in trials if trial.load_kg == trial.load_kg})
    counted = {role: sum(trial.role == role for trial in trials) for role in ("fit", "test")}
    people = len(content.subjects)
    at = f", at loads of {joined([load_name(load) for load in loads])}" if loads else ""
    return (
        f"The study '{content.study}' has {people} {'subject' if people == 1 else 'subjects'} with {counted['fit']} trials "
        f"for fitting and {counted['test']} for testing{at}, on a common clock of {1 / trials[0].step:.4g} Hz."
    )


def _processing(content: PageContent) -> str:
    steps = content.subjects[0].reconstruction.trials[0].trial.processing
    kinds = {"raw": "Raw EMG was turned into envelopes", "envelope": "EMG was delivered as envelopes"}
    scales = {"mvc": "as fractions of MVC", "session_max": "divided by the session's maximum", "none": "as delivered"}
    kind, scale = kinds.get(str(steps.get("emg_kind"))), scales.get(str(steps.get("emg_normalization")))
    said = [f"{kind} and used {scale}."] if kind and scale else []
    used = [f"{where}: {_filter_words(found)}" for where, found in _filters(steps)]
    if used:
        said.append(f"Filters: {'; '.join(used)}.")
    kinematics = steps.get("kinematics")
    slope = kinematics.get("differentiation") if isinstance(kinematics, Mapping) else None
    if isinstance(slope, Mapping):
        details = [
            f"{key.removesuffix('_s').removesuffix('_hz').replace('_', ' ')} {_value(v)}{_suffix(key)}"
            for key, v in slope.items()
            if key != "method"
        ]
        said.append(f"Angles were differentiated by {', '.join([str(slope.get('method', '')), *details])}.")
    return " ".join(said)


def _filters(value: object, where: str = "signal") -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield every filter of a trial's processing with the name of the signal it ran over."""
    if isinstance(value, Mapping) and "filter" in value:
        yield where, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            at_hand = key in {"low_pass", "anti_alias", "filters"}
            yield from _filters(item, where if at_hand else str(key).removesuffix("_filters").replace("_", " "))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _filters(item, where)


def _filter_words(found: Mapping[str, object]) -> str:
    poles = f", {found['poles_of_one_pass']} poles a pass" if "poles_of_one_pass" in found else ""
    passes = f", {found['passes']}" if "passes" in found else ""
    effective = f" (effective -3 dB at {_hertz(found['effective_hz'])})" if "effective_hz" in found else ""
    return f"{found['filter']}{poles}{passes}, {_hertz(found.get('design_hz', ''))}{effective}"


def _hertz(value: object) -> str:
    values = value if isinstance(value, list | tuple) else [value]
    return f"{' to '.join(f'{item:.3g}' if isinstance(item, float) else str(item) for item in values)} Hz"


def _suffix(key: str) -> str:
    return " s" if key.endswith("_s") else " Hz" if key.endswith("_hz") else ""


def _model(settings: FitSettings) -> str:
    network = settings.network
    extra = {
        "acceleration": network.acceleration,
        "measured EMG": network.measured_emg,
        "the inverse-dynamics moment": network.inverse_dynamics_moment,
    }
    inputs = joined(["angle", "angular velocity", "load", *(name for name, used in extra.items() if used)])
    return (
        f"A transformer ({network.layers} layers, {network.width} channels, {network.heads} heads, tokens of {network.token_samples} "
        f"samples) maps {inputs} to the excitations of all muscles; {_physics(settings)}."
    )


def _physics(settings: FitSettings) -> str:
    if settings.ablation == "network_only":
        return "no muscle model follows, and no joint moment was fitted (ablation)"
    muscles = MUSCLE_MODELS.get(settings.muscle, settings.muscle)
    return (
        f"activation dynamics (smoothing b = {settings.activation_smoothing:g}) and {muscles} with {settings.tendon} tendons turn them "
        "into joint moments"
    )


def _learned(content: PageContent, settings: FitSettings) -> str:
    """Return how people were met with a learned prior."""
    prior = (
        "A network that virtual people had taught (a learned prior) answered for muscles without an electrode from envelopes, motion, load "
        "and moments; bands are 90 % intervals of a log-normal distribution."
    )
    if not any(subject.parameters for subject in content.subjects):
        return f"{prior} No musculoskeletal parameters were fitted."
    return (
        f"{prior} With these excitations held, {_physics(settings)}, and musculoskeletal parameters were fitted to the measured moments as "
        "the maximum of their posterior (Levenberg-Marquardt)."
    )


def _losses(settings: FitSettings) -> str:
    loss, alone = settings.loss, settings.ablation == "network_only"
    declared = declared_quantities(loss)
    terms = [
        f"{declared[field.name].meaning} {_value(getattr(loss, field.name))}{_unit(declared[field.name].unit)}"
        for field in fields(loss)
        if field.name in declared and getattr(loss, field.name) is not None and not (alone and "moment" in field.name)
    ]
    prior = "with" if loss.parameter_prior else "without"
    fitted = (
        "The network was fitted"
        if alone
        else f"Network and musculoskeletal parameters were fitted jointly, {prior} a prior on the parameters"
    )
    return f"{fitted}; terms were weighted by standard deviations and correlation times: {'; '.join(terms)}."


def _training(settings: FitSettings) -> str:
    return (
        f"An ensemble of {settings.members} networks was trained for {settings.steps} steps each (peak learning rate "
        f"{settings.learning_rate:g}, windows of {settings.window_s:g} s); bands are 90 % intervals."
    )


def _versions(provenance: Mapping[str, object]) -> str:
    flat = dict(flattened(provenance))
    version = provenance.get("version", provenance.get("profundus", ""))
    libraries = {
        key.rsplit(".", 1)[-1]: value
        for key, value in flat.items()
        if key.rsplit(".", 1)[-1] in {"python", "jax", "equinox", "numpy", "scipy", "opensim"}
    }
    listed = joined([f"{name} {value}" for name, value in libraries.items()])
    return f"Software: profundus {version}{' with ' + listed if listed else ''}." if version or listed else ""


def _cited(body: str) -> list[str]:
    marks = ("Kumar et al., 2025", "De Groote et al., 2016", "Thelen, 2003", "TRIlong")
    return [reference for mark, reference in zip(marks, REFERENCES, strict=True) if mark in body] or ["none"]


def _unit(unit: str) -> str:
    return "" if unit == "-" else f" {unit}"


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
