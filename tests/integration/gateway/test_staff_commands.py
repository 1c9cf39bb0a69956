"""``bin/hotline users`` and ``bin/hotline audit`` on a data folder that a gateway uses at the same time."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from running_gateway import PASSWORD, Gateway
from typer.testing import CliRunner, Result

from ops.cli import app

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def folder(running: Gateway, monkeypatch: pytest.MonkeyPatch) -> Path:
    data = running.services.settings.data_dir
    monkeypatch.setenv("DATA_DIR", str(data))
    monkeypatch.setenv("ARGON2_TIME_COST", "1")
    monkeypatch.setenv("ARGON2_MEMORY_KIB", "8")
    return data


async def command(*words: str, stdin: str = "") -> Result:
    import asyncio

    return await asyncio.to_thread(CliRunner().invoke, app, list(words), stdin)


async def login(gateway: Gateway, name: str, password: str) -> int:
    answer = await gateway.http.post("/api/v1/auth/login", json={"username": name, "password": password})
    gateway.http.cookies.clear()
    return answer.status_code


async def test_an_account_made_by_command_signs_in_and_is_reset_and_disabled(gateway: Gateway, folder: Path) -> None:
    add = ["users", "add", "chen", "--role", "supervisor", "--password-stdin"]
    made = await command(*add, stdin=f"{PASSWORD}\n")
    assert (made.exit_code, made.output) == (0, "已新建 chen（班长）。\n")
    assert await login(gateway, "chen", PASSWORD) == 200
    again = await command(*add, stdin=f"{PASSWORD}\n")
    assert again.exit_code == 1
    assert "已经有了" in again.output
    headers = await gateway.staff("chen")
    assert (await command("users", "reset", "chen", "--password-stdin", stdin="Neu-Kennwort-7\n")).exit_code == 0
    assert (await gateway.http.get("/api/v1/auth/me", headers=headers)).status_code == 401
    assert await login(gateway, "chen", "Neu-Kennwort-7") == 200
    assert (await command("users", "roles", "chen", "--role", "agent", "--role", "admin")).exit_code == 0
    assert (await command("users", "disable", "chen")).exit_code == 0
    assert await login(gateway, "chen", "Neu-Kennwort-7") == 401
    rows = [json.loads(line) for line in (await command("users", "list", "--json")).output.splitlines()]
    assert {"username": "chen", "display_name": "chen", "roles": ["agent", "admin"], "disabled": True} in rows


@pytest.mark.parametrize(
    ("words", "stdin", "says"),
    [
        (["users", "add", "x", "--role", "agent", "--password-stdin"], PASSWORD, "用户名要以字母开头"),
        (["users", "add", "xiao", "--role", "king", "--password-stdin"], PASSWORD, "角色要从"),
        (["users", "add", "xiao", "--role", "agent", "--password-stdin"], "short", "密码要"),
        (["users", "disable", "nobody"], "", "没有这个账号"),
    ],
)
async def test_what_cannot_be_done_is_said_in_chinese_and_fails(
    gateway: Gateway, folder: Path, words: list[str], stdin: str, says: str
) -> None:
    result = await command(*words, stdin=stdin)
    assert result.exit_code == 1
    assert says in result.output


async def test_verify_holds_and_then_names_the_entry_somebody_changed(gateway: Gateway, folder: Path) -> None:
    await gateway.staff("verified")
    head = (await command("audit", "head")).output.strip()
    good = await command("audit", "verify", "--head", head)
    assert good.exit_code == 0, good.output
    assert head in good.output
    listed = (await command("audit", "list", "--limit", "1000")).output.splitlines()
    assert json.loads(listed[-1])["action"] == "audit_read"
    with sqlite3.connect(folder / "hotline.db") as connection:
        connection.execute("DROP TRIGGER audit_entries_no_update")
        connection.execute("UPDATE audit_entries SET actor = 'somebody' WHERE seq = 2")
    bad = await command("audit", "verify")
    assert bad.exit_code == 1
    assert "第 2 条被改过" in bad.output
