"""``bin/hotline users …`` and ``bin/hotline audit …``: accounts and the audit log, on the line's own data."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from hotline.audit import Head
from hotline.errors import HotlineError
from hotline.settings import Settings
from hotline.staff import ROLE_NAMES

if TYPE_CHECKING:
    from gateway.auth.signin import SignIn
    from hotline.audit import AuditFindings
    from storage.audit import SqlAuditLog

users = typer.Typer(help="工作人员的账号。", no_args_is_help=True)
audit = typer.Typer(help="审计记录。", no_args_is_help=True)

R = TypeVar("R")
Name = Annotated[str, typer.Argument(help="用户名")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="密码从标准输入读，一行")]


@asynccontextmanager
async def _house() -> AsyncIterator[tuple[SignIn, SqlAuditLog]]:
    # Imported here: the other commands of the console need no database, and start sooner without.
    from gateway.auth.signin import SignIn
    from storage.audit import SqlAuditLog, audit_key
    from storage.engine import make_engine
    from storage.migrations import upgrade
    from storage.runner import make_runner
    from storage.staff_sql import SqlStaffStore

    settings = Settings()
    url = settings.effective_database_url
    await upgrade(url)
    runner = make_runner(make_engine(url))
    log = SqlAuditLog(runner, audit_key(settings.effective_audit_key_file), settings.data_dir / "audit.head")
    sign_in = SignIn(SqlStaffStore(runner), log, settings)
    try:
        yield sign_in, log
    finally:
        await sign_in.close()
        await runner.close()


def _do(work: Callable[[SignIn, SqlAuditLog], Awaitable[R]]) -> R:
    """Runs ``work``; a named error is said and ends the command with 1."""

    async def run() -> R:
        async with _house() as (sign_in, log):
            return await work(sign_in, log)

    try:
        return asyncio.run(run())
    except HotlineError as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(1) from None


def actor() -> str:
    """Whoever runs the command, as the audit log names them."""
    return f"console:{os.environ.get('SUDO_USER') or getpass.getuser()}"[:64]


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("密码", hide_input=True, confirmation_prompt="再输一次"))


@users.command("add")
def add(
    name: Name,
    role: Annotated[list[str], typer.Option("--role", help="agent、supervisor、manager、admin；可写几次")],
    display_name: Annotated[str, typer.Option("--display-name", help="显示的姓名；不写就用用户名")] = "",
    password_stdin: FromStdin = False,
) -> None:
    """新建账号。"""
    password = _password(password_stdin)
    made = _do(lambda sign_in, _: sign_in.add_account(actor(), name, role, password, display_name))
    typer.echo(f"已新建 {made.username}（{'、'.join(ROLE_NAMES[r] for r in made.roles)}）。")


@users.command("list")
def list_users(as_json: Annotated[bool, typer.Option("--json", help="一行一个 JSON")] = False) -> None:
    """列出全部账号。"""
    for account in _do(lambda sign_in, _: sign_in.accounts()):
        roles = [role.value for role in account.roles]
        if as_json:
            row = {"username": account.username, "display_name": account.display_name, "roles": roles}
            typer.echo(json.dumps({**row, "disabled": account.disabled}, ensure_ascii=False))
        else:
            state = "已停用" if account.disabled else "可登录"
            typer.echo(f"{account.username}\t{account.display_name}\t{','.join(roles)}\t{state}")


@users.command("disable")
def disable(name: Name) -> None:
    """停用账号，它的登录马上失效。"""
    _do(lambda sign_in, _: sign_in.change_account(actor(), name, disabled=True))
    typer.echo(f"已停用 {name}。")


@users.command("enable")
def enable(name: Name) -> None:
    """恢复停用的账号，并解除锁定。"""
    _do(lambda sign_in, _: sign_in.change_account(actor(), name, disabled=False))
    typer.echo(f"已恢复 {name}。")


@users.command("reset")
def reset(name: Name, password_stdin: FromStdin = False) -> None:
    """重置密码，解除锁定；原来的登录马上失效。"""
    password = _password(password_stdin)
    _do(lambda sign_in, _: sign_in.change_account(actor(), name, password=password))
    typer.echo(f"已重置 {name} 的密码。")


@users.command("roles")
def roles(name: Name, role: Annotated[list[str], typer.Option("--role", help="新的角色，可写几次")]) -> None:
    """改角色，马上生效。"""
    changed = _do(lambda sign_in, _: sign_in.change_account(actor(), name, roles=role))
    typer.echo(f"{changed.username} 现在是：{'、'.join(ROLE_NAMES[r] for r in changed.roles)}。")


@audit.command("verify")
def verify(
    head: Annotated[str, typer.Option("--head", help="另存的校验值（audit head 打印的那一行），一并核对")] = "",
) -> None:
    """检查审计记录有没有被改、被删、调换次序或截尾；有就说出是哪一条，退出码 1。"""
    try:
        known = Head.read(head) if head else None
    except ValueError:
        raise typer.BadParameter("--head 要写成 audit head 打印的样子：编号:校验值。") from None
    if not Settings().effective_audit_key_file.is_file():
        typer.echo(f"没有密钥文件 {Settings().effective_audit_key_file}，不能核对；请从备份取回。", err=True)
        raise typer.Exit(1)

    findings: AuditFindings = _do(lambda _, log: log.verify(known))
    for fault in findings.faults:
        typer.echo(f"✗ {fault.detail}（{fault.kind}）")
    if findings.more_faults:
        typer.echo("✗ 后面还有，没有全部列出")
    if findings.faults:
        raise typer.Exit(1)
    typer.echo(f"✓ {findings.entries} 条都在，没有被改动。最后一条：{findings.head or '（还没有记录）'}")


@audit.command("head")
def print_head() -> None:
    """打印最后一条的编号和校验值；定期存到别处，日后用 verify --head 核对。"""
    typer.echo(str(_do(lambda _, log: log.head()) or ""))


@audit.command("list")
def list_entries(
    after: Annotated[int, typer.Option(help="从这个编号之后")] = 0,
    limit: Annotated[int, typer.Option(help="最多几条")] = 100,
) -> None:
    """打印审计记录，一行一个 JSON；这一次查看也记一条。"""

    async def read(_: SignIn, log: SqlAuditLog) -> list[str]:
        await log.record(actor(), "audit_read", "audit:entries", {"after": after, "limit": limit})
        return [entry.model_dump_json() for entry in await log.entries(after, limit)]

    for line in _do(read):
        typer.echo(line)
