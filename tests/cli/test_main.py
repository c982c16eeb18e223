import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from al_service.cli.main import NOUNS
from tests.cli.running import KEPT, al, processes_of


def test_help_lists_every_noun_without_importing_torch_or_the_database() -> None:
    program = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from al_service.cli.main import app\n"
        "print(CliRunner().invoke(app, ['--help']).output)\n"
        "sys.exit(bool({'torch', 'sqlalchemy', 'celery'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert all(noun in shown.stdout for noun in NOUNS)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_said_in_one_line() -> None:
    shown = al("experiment", "systems", "--json", "/dev/full")
    assert shown.returncode == 1
    assert "No space left on device" in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_explains_itself(noun: str) -> None:
    shown = al(noun, "--help")
    assert shown.returncode == 0, shown.stderr
    assert f"al_service.cli {noun}" in shown.stdout


@pytest.mark.parametrize("noun", NOUNS)
def test_only_the_root_offers_to_install_completion(noun: str) -> None:
    """`al curve --help` showed it among the options of a curve."""
    module = importlib.import_module(f"al_service.cli.{NOUNS[noun].module}")
    command = get_command(module.app)
    assert "--install-completion" not in {
        option for each in command.params for option in each.opts
    }


def test_the_version_is_the_packages() -> None:
    assert al("--version").stdout.startswith("al 0.")


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-noun",),
        ("token", "create"),
        ("token", "create", "vera", "--role", "god"),
        ("worker", "--queue", "train", "--schedule"),
        ("up", "--port", "70000"),
    ],
)
def test_bad_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    refused = al(*arguments)
    assert refused.returncode == 2
    assert "Usage" in refused.stderr


def test_a_variable_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    refused = al("up", "--home", tmp_path, environment={"AL_SWEEP_SECONDS": "soon"})
    assert refused.returncode == 2
    assert "AL_SWEEP_SECONDS" in refused.stderr
    assert "soon" in refused.stderr


def test_a_failure_is_one_message_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    failed = al("db", "upgrade", "--home", tmp_path / "file")
    assert failed.returncode == 1
    assert failed.stderr.startswith("al: --home")
    assert "Traceback" not in failed.stderr


def test_a_database_that_cannot_be_reached_is_named_without_its_password(
    tmp_path: Path,
) -> None:
    url = "postgresql+psycopg://al:secret@127.0.0.1:1/al"
    failed = al(
        "token", "list", "--home", tmp_path, environment={"AL_DATABASE_URL": url}
    )
    assert failed.returncode == 1
    assert "127.0.0.1:1" in failed.stderr
    assert "AL_DATABASE_URL" in failed.stderr
    assert "secret" not in failed.stderr


def test_a_worker_without_servers_says_what_to_do(tmp_path: Path) -> None:
    failed = al("worker", "--queue", "train", "--home", tmp_path)
    assert failed.returncode == 1
    assert "AL_BROKER_URL" in failed.stderr
    assert "al up" in failed.stderr


def test_tokens_are_made_listed_and_revoked_without_a_stack(tmp_path: Path) -> None:
    made = al("token", "create", "vera", "--home", tmp_path, "--json", "-")
    assert made.returncode == 0, made.stderr
    secret = json.loads(made.stdout)["token"]
    assert secret in made.stderr  # people see it as well
    listed = al("token", "list", "--home", tmp_path, "--json", "-")
    (token,) = json.loads(listed.stdout)["items"]
    assert (token["name"], token["role"], token["revoked_at"]) == (
        "vera",
        "labeler",
        None,
    )
    assert secret not in listed.stdout
    assert al("token", "revoke", "vera", "--home", tmp_path).returncode == 0
    again = al("token", "revoke", "nobody", "--home", tmp_path)
    assert again.returncode == 1
    assert "nobody" in again.stderr
    assert processes_of(tmp_path) == []


def test_the_database_is_upgraded_as_often_as_one_likes(tmp_path: Path) -> None:
    reports = [
        al(
            *("db", "upgrade", "--json", tmp_path / "revision.json"),
            environment={"AL_HOME": str(tmp_path / "home")},
        )
        for _ in range(2)
    ]
    assert [report.returncode for report in reports] == [0, 0], reports[0].stderr
    assert json.loads((tmp_path / "revision.json").read_text())["revision"]
    assert (tmp_path / "home" / "postgres").is_dir()


def test_the_doctor_gives_every_finding_a_line_and_knows_a_bare_laptop(
    tmp_path: Path,
) -> None:
    report = al("doctor", "--home", tmp_path, "--json", "-")
    assert report.returncode == 0, report.stderr
    checks = {check["name"]: check for check in json.loads(report.stdout)["checks"]}
    assert set(checks) == {
        "python",
        "torch",
        "home",
        "disk",
        "database",
        "tables",
        "artifacts",
        "broker",
        "worker train",
        "worker score",
        "sweep",
        "runs",
    }
    assert all(f" {name}: " in report.stderr for name in checks)


def test_the_doctor_says_what_to_do_about_a_dead_broker(tmp_path: Path) -> None:
    report = al(
        "doctor",
        "--home",
        tmp_path,
        environment={"AL_BROKER_URL": "redis://127.0.0.1:1/0"},
    )
    assert report.returncode == 1
    assert "failed broker" in report.stdout
    assert "check AL_BROKER_URL" in report.stdout


def test_a_folder_named_like_ours_where_the_user_stands_is_not_imported(
    tmp_path: Path,
) -> None:
    for name in ("db", "workers", "al_service"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise OSError('shadowed')")
    shown = subprocess.run(
        [Path(sys.executable).with_name("al"), "token", "list", "--home", "h"],
        cwd=tmp_path,
        env=KEPT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
