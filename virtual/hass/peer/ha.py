"""Runs the real Home Assistant for tests: its core, its HTTP and WebSocket API, and the integrations of configuration.yaml.

Its web pages are left out: they are larger than all the rest, and nobody looks. With the argument of a folder it makes, once,
a user and a long-lived token in <folder>/token, as its own page for that does. It ends when its standard input does: with the test
that started it, however that ended.
"""

import asyncio
import os
import sys
import threading
from datetime import timedelta

from homeassistant import bootstrap, runner
from homeassistant.auth.const import GROUP_ID_ADMIN
from homeassistant.auth.models import TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN

bootstrap.CRITICAL_INTEGRATIONS = set()
bootstrap.DEFAULT_INTEGRATIONS = {"logger"}
bootstrap.FRONTEND_INTEGRATIONS = set()


def end_with_parent() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)


async def make_token(hass, file: str) -> None:
    user = await hass.auth.async_create_user("Tests", group_ids=[GROUP_ID_ADMIN])
    refresh = await hass.auth.async_create_refresh_token(
        user,
        client_name="Tests",
        token_type=TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN,
        access_token_expiration=timedelta(days=3650),
    )
    # At once and not in a second: a test may kill this process before.
    await hass.auth._store._store.async_save(hass.auth._store._data_to_save())
    part = file + ".part"
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write(hass.auth.async_create_access_token(refresh) + "\n")
    os.rename(part, file)


async def main(folder: str) -> int:
    hass = await bootstrap.async_setup_hass(
        runner.RuntimeConfig(config_dir=folder, skip_pip=True, log_no_color=True)
    )
    if hass is None:
        return 1
    file = os.path.join(folder, "token")
    if not os.path.exists(file):
        await make_token(hass, file)
    return await hass.async_run(attach_signals=True)


threading.Thread(target=end_with_parent, daemon=True).start()
sys.exit(asyncio.run(main(sys.argv[1])))
