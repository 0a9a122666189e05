"""Which learned prior a study is answered with: told by `check`, kept in manifests, refused before anything is written."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli_study import called, tiny_study
from profundus.errors import FileFormatError, InputError, UnsafeInputError
from profundus.io.anatomy import read_anatomy
from profundus.io.manifest import read_manifest
from profundus.io.shipped import shipped_prior
from profundus.io.store import digest
from profundus.io.study_file import read_study
from profundus.io.weights import read_arrays, read_facts, write_arrays
from profundus.protocols.asking import Asked, How
from profundus.protocols.comparing import compare_study
from profundus.protocols.fitting import fit_study
from profundus.protocols.hiding import validate_study
from profundus.protocols.prior_choice import prior_file, prior_identity

SHIPPED = shipped_prior("arm26")
pytestmark = pytest.mark.skipif(SHIPPED is None, reason="no learned prior is shipped")


def study_with(folder: Path, prior: str) -> Path:
    path = tiny_study(folder, ablation="none")
    path.write_text(path.read_text().replace("[fit]\n", f'[fit]\nprior = "{prior}"\n'))
    return path


def write_prior(path: Path, *, wider: float = 1.0, **facts) -> None:
    arrays, known = read_arrays(SHIPPED)
    write_arrays(path, {**arrays, "level_factor": wider * arrays["level_factor"]}, {**known, **facts})


@pytest.fixture
def study(tmp_path):
    write_prior(tmp_path / "own.safetensors")
    return study_with(tmp_path, "own.safetensors")


def foreign(folder: Path, what: str) -> str:
    path = folder / "foreign.safetensors"
    if what == "text":
        path.write_text("no prior")
    elif what == "person":
        write_prior(path, kind="taught")
    elif what == "leg":
        write_prior(path, coordinates=["knee_angle_r"])
    return path.name


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("nothing", "is not there"),
        ("text", "the header does not fit the file"),
        ("person", "not a learned prior"),
        ("leg", "knows knee_angle_r, the study moves r_elbow_flex"),
    ],
)
def test_a_bad_prior_is_told_by_check_and_before_anything_is_written(tmp_path, capsys, what, said):
    path, out = study_with(tmp_path, foreign(tmp_path, what)), tmp_path / "out"
    code, facts = called(capsys, "check", path)
    assert code == 2
    (problem,) = [one for one in facts["problems"] if one["severity"] == "error"]
    assert said in problem["what"]
    assert problem["file"].endswith("foreign.safetensors")
    own, asked = read_study(path), Asked(("copy",))
    for work in (
        lambda: fit_study(own, out),
        lambda: compare_study(own, out, asked, How()),
        lambda: validate_study(own, out, ["BIClong"], asked, How()),
    ):
        with pytest.raises((InputError, FileFormatError, UnsafeInputError), match=said):
            work()
        assert not out.exists()


def test_a_damaged_prior_is_told_before_a_comparison_is_begun(tmp_path, study):
    path = tmp_path / "own.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match="damaged"):
        compare_study(read_study(study), tmp_path / "out", Asked(("copy",)), How())
    assert not (tmp_path / "out").exists()


def test_a_good_prior_is_checked_without_jax(study):
    script = (
        "import sys; from profundus.cli.main import main; code = main(sys.argv[1:])\n"
        "print('jax' in sys.modules, file=sys.stderr); sys.exit(code)"
    )
    command = [sys.executable, "-c", script, "check", str(study), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "False")


def test_facts_are_read_from_the_header_alone():
    assert read_facts(SHIPPED) == read_arrays(SHIPPED)[1]


def test_the_shipped_prior_is_for_the_shipped_model_alone(tmp_path):
    study = read_study(tiny_study(tmp_path, ablation="none"))
    assert prior_file(study, read_anatomy("arm26")) == SHIPPED
    assert prior_identity(study, read_anatomy("arm26")) == {"file": SHIPPED.name, "sha256": digest(SHIPPED)}
    assert prior_file(study, read_anatomy("arm26", ignored=["TRIlat"])) is None


class PulledPlugError(Exception):
    """Somebody pulls the plug."""


def pulls_the_plug(progress):
    raise PulledPlugError


@pytest.mark.parametrize("kind", ["fit", "comparison"])
def test_another_prior_under_the_same_path_does_not_go_on_with_earlier_results(tmp_path, study, kind):
    out, own = tmp_path / "out", read_study(study)

    def go(*, resume: bool) -> None:
        if kind == "fit":
            fit_study(own, out, resume=resume, on_progress=pulls_the_plug)
        else:
            compare_study(own, out, Asked(("copy",)), How(resume=resume, on_progress=pulls_the_plug))

    with pytest.raises(PulledPlugError):
        go(resume=False)
    assert read_manifest(out / "run.json")["prior"] == {
        "file": "own.safetensors", "sha256": digest(tmp_path / "own.safetensors"),
    }  # fmt: skip
    with pytest.raises(PulledPlugError):
        go(resume=True)
    write_prior(tmp_path / "own.safetensors", wider=1.1)
    with pytest.raises(InputError, match=r"prior \(sha256\)"):
        go(resume=True)
