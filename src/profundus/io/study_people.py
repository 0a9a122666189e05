"""A study whose people are read one at a time: the file is checked as a whole, recordings when somebody asks for their person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from profundus.errors import Problem, StudyError
from profundus.io.study_checks import people_agree
from profundus.io.study_content import nothing_to_learn
from profundus.io.study_extent import left_open
from profundus.io.study_file import errors_among, model_of_file, read_subjects, study_of, times_named
from profundus.io.study_model import StudyModel
from profundus.io.study_paths import StudyData, data_folder
from profundus.io.study_schema import StudyFile, SubjectSection
from profundus.io.study_text import Location, StudyText, read_study_text
from profundus.io.study_validation import validate
from profundus.records.anatomy import Anatomy
from profundus.records.study import Study

Lines = dict[Location, int]


@dataclass(frozen=True)
class PersonSheet:
    """What a study file says of one person, and of all: enough to read his recordings, and no larger the more people there are.

    ``file`` has this person alone; ``digests`` are those of the files that all share.
    """

    id: str
    file: StudyFile
    anatomy: Anatomy
    place: str
    text: StudyText
    root: Path
    digests: Mapping[str, str]

    def read(self) -> Study:
        """Return the study with this person alone, as `read_study` reads him; ``problems`` are those of his recordings.

        Raises StudyError with all errors of his files.
        """
        model = StudyModel(self.file, self.anatomy, self.place)
        data = StudyData(self.text, self.root, times_named(self.file), digests=dict(self.digests))
        people = read_subjects(self.file, self.anatomy, data)
        said = [problem for problem in data.problems if problem.severity != "note"]
        if not errors_among(said):
            late = self.file.emg.sync_offset_ms / 1000.0
            said += nothing_to_learn(people, self.file.study.measured, emg_late=late)
        if errors := errors_among(said):
            raise StudyError(errors)
        study = study_of(model, self.anatomy, people)
        return replace(
            study, source=self.text.file, digests=data.digests, problems=tuple(said), data_root=str(self.root)
        )


@dataclass(frozen=True)
class StudyOutline:
    """A study file that agrees with itself, none of its recordings read.

    ``settings`` is the study without people; its ``problems`` are what is said of the file before its recordings, ``left_open`` what is
    said after them, as `read_study` does.
    """

    settings: Study
    left_open: tuple[Problem, ...]
    model: StudyModel
    anatomy: Anatomy
    text: StudyText
    root: Path

    @property
    def people(self) -> tuple[str, ...]:
        """Return the people, in the file's order."""
        return tuple(self._sections)

    def sheet(self, person: str) -> PersonSheet:
        """Return what the file says of one person."""
        section = self._sections[person]
        mine: dict[str, object] = {"subject": [section]}
        for name in ("calibration", "exclude"):
            mine[name] = [item for item in getattr(self.model.file, name) if item.subject in {None, person}]
        text = StudyText(self.text.file, {}, {**self._lines.get(None, {}), **self._lines.get(section.at, {})})
        file = self.model.file.model_copy(update=mine)
        return PersonSheet(person, file, self.anatomy, self.model.place, text, self.root, self.settings.digests)

    @cached_property
    def _sections(self) -> dict[str, SubjectSection]:
        return {section.id: section for section in self.model.file.subject}

    @cached_property
    def _lines(self) -> dict[Location | None, Lines]:
        """Return the lines of each person's keys, by where he stands; None: those of all others."""
        found: dict[Location | None, Lines] = {}
        for at, line in self.text.lines.items():
            whose = at[:2] if at[0] == "subject" and len(at) > 1 else None
            found.setdefault(whose, {})[at] = line
        return found


def read_outline(path: str | Path, *, data_root: Path | None = None) -> StudyOutline:
    """Return a study file's outline; none of its recordings is opened. Raises StudyError with all errors of the file itself."""
    text = read_study_text(Path(path))
    file, problems, aside = validate(StudyFile, text)
    root = None if file is None else data_folder(text, asked=data_root, named=file.study.data_root)
    if file is None or root is None or isinstance(root, Problem):
        raise StudyError(errors_among([*problems, *([root] if isinstance(root, Problem) else [])]))
    data = StudyData(text, root, Counter(), incomplete=bool(aside))
    model, more = model_of_file(file, text, aside, data)
    problems += [*more, *people_agree(model.file, text, aside)]
    problems += [problem for problem in data.problems if problem.severity != "note"]
    if model.anatomy is None or errors_among(problems):
        raise StudyError(errors_among(problems))
    settings = replace(
        study_of(model, model.anatomy, ()),
        source=text.file,
        digests=data.digests,
        problems=tuple(problems),
        data_root=str(root),
    )
    return StudyOutline(settings, tuple(left_open(model.file, model.anatomy, text)), model, model.anatomy, text, root)
