"""Serve MiniStack on a free loopback port for as long as stdin stays open.

MiniStack's own command wants its port beforehand (a race between side-by-side sandboxes), also takes port 443 where it
may, and outlives a parent that was killed. Everything else is MiniStack's, unmodified; `additions` are entered in its tables.

The first line on stdout is the port. Ends on SIGTERM, SIGINT, or end of file on stdin: the parent is gone then, however it died, and its
scratch directory, named as the argument, goes as well.
"""

import asyncio
import os
import shutil
import signal
import socket
import sys
import threading

GRACE_SECONDS = 3
SCRATCH = sys.argv[1]
parent_gone = threading.Event()


def main() -> None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    os.environ["GATEWAY_PORT"] = str(port)  # read by MiniStack when it is imported

    if os.environ.get("SANDBOX_BARE") != "1":
        sys.dont_write_bytecode = True  # this directory is the project's
        if os.environ["SANDBOX_PARTITION"] != "aws":
            import partition

            partition.install(os.environ["SANDBOX_PARTITION"], os.environ["SANDBOX_DOMAIN"])

    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    if os.environ.get("SANDBOX_BARE") != "1":
        import additions

        additions.install()

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.5
    config.shutdown_timeout = 1.0
    config.backlog = 512
    config.loglevel = os.environ.get("LOG_LEVEL", "WARNING")
    config.certfile = os.environ["MINISTACK_SSL_CERT"]
    config.keyfile = os.environ["MINISTACK_SSL_KEY"]

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)

        def watch_parent() -> None:
            while os.read(0, 4096):
                pass
            remove_scratch()  # the key in it first, should the rest take its time
            loop.call_soon_threadsafe(stop.set)
            threading.Event().wait(GRACE_SECONDS)
            end_group()

        threading.Thread(target=watch_parent, daemon=True).start()
        print(port, flush=True)
        await serve(app, config, shutdown_trigger=stop.wait)

    asyncio.run(run())
    end_group()


def remove_scratch() -> None:
    parent_gone.set()
    shutil.rmtree(SCRATCH, ignore_errors=True)


def end_group() -> None:
    """End this process and what it started (Lambda workers), without waiting for their threads."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGTERM)
    if parent_gone.is_set():
        remove_scratch()
    sys.stdout.flush()
    os._exit(0)


main()
