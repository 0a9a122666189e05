"""Bring the tables of settings in docs/study-file.md up to date with the code: ``python benchmarks/make_settings_tables.py``."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

from profundus.quantities import declared_quantities
from profundus.records import EmgSettings, FitSettings, LossSettings, NetworkSettings

PAGE = Path(__file__).parents[1] / "docs" / "study-file.md"
TABLES = {"fit": FitSettings, "fit.network": NetworkSettings, "fit.loss": LossSettings, "emg": EmgSettings}
MEANINGS = {  # of keys that are no quantity, where the page does not tell them elsewhere
    "paper": "the plain NMM of arXiv 2503.05201; overrides inputs and losses",
    "ablation": "what is left out to show what it is worth; see below",
    "prior": "file of a learned prior, beside the study file; empty: the one that comes with the model",
    "muscle": "force curves, see the method",
    "tendon": "whether tendons stretch, see the method",
    "acceleration": "the network sees angular acceleration",
    "measured_emg": "the network sees the measured envelopes",
    "inverse_dynamics_moment": "the network sees the joint moment",
    "parameter_prior": "the prior of the 32 parameters counts",
    "kind": "what the EMG files hold",
    "normalization": "what the envelopes are divided by",
    "unit": "of raw EMG in tables; a C3D file tells its own",
    "channels": "{muscle = column} where they differ; two muscles with one column share an electrode",
    "band_pass_hz": "of raw EMG, Hz",
    "delay_prior_ms": "mean and sd of the electromechanical delay, ms",
}


def table(section: str) -> str:
    """Return the Markdown table of one section."""
    return "\n".join(["| key | default | range | unit | meaning |", "|---|---|---|---|---|", *_rows(section)])


def _rows(section: str) -> Iterator[str]:
    record = TABLES[section]
    ranges, hints, defaults = declared_quantities(record), get_type_hints(record), _defaults(record)
    for key in fields(record):
        hint = hints[key.name]
        if is_dataclass(hint):
            continue
        declared = ranges.get(key.name)
        unit = declared.unit.replace("-", "") if declared else ""
        meaning = declared.meaning if declared else MEANINGS[key.name]
        allowed = f"{declared.low:g} to {declared.high:g}" if declared else _choices(hint)
        if type(None) in get_args(hint):
            allowed += " or false"
        yield f"| `{key.name}` | {defaults[key.name]} | {allowed} | {unit} | {meaning} |"


def _defaults(record: type) -> dict[str, str]:
    needed = {"kind": "envelope", "normalization": "mvc"} if record is EmgSettings else {}
    made = record(**needed)
    return {key.name: "required" if key.name in needed else _toml(getattr(made, key.name)) for key in fields(record)}


def _choices(hint: object) -> str:
    if get_origin(hint) is Literal:
        return ", ".join(f'"{choice}"' for choice in get_args(hint))
    return "true, false" if hint is bool else ""


def _toml(value: object) -> str:
    """Return a default as the study file would say it; none where there is nothing to say."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return f"{value:g}"
        case str():
            return f'"{value}"'
        case tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return "none"


def filled(text: str) -> str:
    """Return the page with every table between its markers made anew."""
    for section in TABLES:
        begin, end = f"<!-- settings of {section} -->", f"<!-- end of {section} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{table(section)}\n{end}{after}"
    return text


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
