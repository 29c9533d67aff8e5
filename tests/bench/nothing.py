"""What the gateway is measured against: a FastAPI application on the same server that takes an event and stores nothing."""

from __future__ import annotations

import json
import socket
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.post("/v2/enqueue", status_code=202)
async def enqueue(event: dict[str, Any]) -> dict[str, Any]:
    """Say that it was taken."""
    return {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)
        config = uvicorn.Config(app, http="httptools", access_log=False, log_config=None, log_level="warning")
        uvicorn.Server(config).run(sockets=[listener])
    sys.exit(0)
