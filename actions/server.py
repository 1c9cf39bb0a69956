"""The action server: the one place where its parts are made and joined.

Run by the launcher as ``python -m actions.server``; listens on 127.0.0.1 only.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from typing import Any

# Before numpy, torch or Sanic are imported by anything below.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("SANIC_HOST", "127.0.0.1")
warnings.filterwarnings("ignore", category=DeprecationWarning)

from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor
from sanic import Request, Sanic
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from actions.assist import add_assist
from actions.base import Tools
from actions.incidents import Board, IncidentBoard, NoBoard
from actions.live_catalogue import HubOfGuides, LiveCatalogue
from actions.registry import make_actions
from actions.sealed import DraftSeal
from actions.wording import Wording
from data_hub.client import HttpDataHub
from data_hub.line_incidents import LineIncidents
from data_hub.line_register import LineRegister
from hotline.errors import HotlineError
from hotline.ports import RequestRegister
from hotline.settings import Settings
from knowledge_base.catalogue import Catalogue, load_catalogue
from knowledge_base.request_reading import RequestReader
from knowledge_base.search import HybridSearch, SentenceEncoder
from knowledge_base.strangers import strangers_of
from knowledge_base.triage import load_categories
from knowledge_base.views import Encoder

logger = logging.getLogger("actions")


def make_server(settings: Settings) -> Sanic[Any, Any]:
    """The server with everything it needs loaded: ready when it listens."""
    catalogue = load_catalogue()
    encoder = SentenceEncoder(settings.embedding_model)

    def make_search(of: Catalogue) -> HybridSearch:
        return HybridSearch(of.items.values(), encoder, settings.models_dir / "search")

    hub = HttpDataHub(settings.effective_hub_url, settings.hub_paasid, settings.hub_token, settings.hub_timeout_s)
    requests: RequestRegister = hub
    incidents: Board = NoBoard()
    if settings.line_token:
        incidents = IncidentBoard(LineIncidents(settings.effective_gateway_url, settings.line_token))
        requests = LineRegister(settings.effective_gateway_url, settings.line_token, hub, settings.hub_timeout_s)
    tools = Tools(
        catalogue=catalogue,
        search=make_search(catalogue),
        hub=hub if settings.hub_url else HubOfGuides(hub, catalogue),
        requests=requests,
        wording=Wording(number=settings.handoff_number),
        deadline_s=settings.action_deadline_s,
        seal=DraftSeal.in_folder(settings.data_dir),
        categories=load_categories(),
        incidents=incidents,
    )
    strangers_of(catalogue)  # made before the first question, which has a deadline
    executor = ActionExecutor()
    actions = make_actions(tools)
    for action in actions:
        executor.register_action(action)
    app: Sanic[Any, Any] = create_app(executor, cors_origins=[])
    live = LiveCatalogue(tools, actions, make_search)
    app.add_task(live.keep_in_step())
    add_readiness(app, live)
    add_request_reading(app, live, encoder)
    add_assist(app, lambda: live.tools)
    return app


def add_readiness(app: Sanic[Any, Any], live: LiveCatalogue) -> None:
    @app.get("/ready")
    async def ready(_: Request) -> HTTPResponse:
        """Whether the search index answers; the gateway's /readyz asks this.

        ``state`` is ``degraded`` where the guides were edited and cannot be used: ``detail`` says
        why. The line then serves the last good ones, so the status stays 200.
        """
        catalogue = live.catalogue
        hits = live.tools.search.search(next(iter(catalogue.items.values())).name)
        state = {
            "state": "degraded" if live.problem or not hits else "ok",
            "search": "ok" if hits else "empty",
            "services": len(catalogue),
            "version": catalogue.content_hash[:12],
            "detail": live.problem,
        }
        return json_response(state, status=200 if hits else 503)


def add_request_reading(app: Sanic[Any, Any], live: LiveCatalogue, encoder: Encoder) -> None:
    @app.post("/read-request")
    async def read_request(request: Request) -> HTTPResponse:
        """What a request is about, for the gateway's desk (gateway/triage.py): the models are here."""
        body = request.json
        text = body.get("text") if isinstance(body, dict) else None
        if not isinstance(text, str) or not text.strip():
            return json_response({"code": "bad_input"}, status=422)
        reader = RequestReader(live.catalogue, live.tools.categories, encoder, live.tools.search)
        return json_response((await reader.read(text[:2000])).model_dump(mode="json"))


def main() -> int:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # rasa-sdk warns at every call that it is newer than the engine; a round-trip test covers it.
    logging.getLogger("rasa_sdk.utils").setLevel(logging.ERROR)
    settings = Settings()
    try:
        app = make_server(settings)
    except HotlineError as error:
        print(json.dumps({"error": error.code, "detail": error.detail}, ensure_ascii=False), flush=True)
        return 2
    app.config.KEEP_ALIVE_TIMEOUT = 75
    app.run(
        host=os.environ["SANIC_HOST"],
        port=settings.actions_port,
        single_process=True,
        access_log=False,
        motd=False,
        debug=False,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
