"""The operations: one row for each thing that can be asked of a horde over HTTP.

Everything else is derived from this table: the server binds a handler to each row (and does not
start when one is missing), both API documents are produced from the rows, the client has one method
for each, and tests walk them. Adding an operation is a row, its types and a handler. The rows stand
in one module per first path segment, as the handlers do.
"""

from collections.abc import Mapping

from ordu.protocol.operations.accounts import (
    delete_user_single,
    get_find_user,
    get_user_single,
    get_users,
    post_register,
    put_user_single,
)
from ordu.protocol.operations.documents import get_docs_privacy, get_docs_sponsors, get_docs_terms
from ordu.protocol.operations.generate import (
    delete_async_status,
    get_async_check,
    get_async_events,
    get_async_explain,
    get_async_status,
    post_async_generate,
    post_job_pop,
    post_job_submit,
    post_sync_generate,
)
from ordu.protocol.operations.health import get_livez, get_metrics, get_readyz
from ordu.protocol.operations.kudos import post_award_kudos, post_transfer_kudos
from ordu.protocol.operations.pictures import get_picture, put_picture
from ordu.protocol.operations.row import (
    Counts,
    Era,
    Key,
    Limit,
    Nulls,
    Operation,
    Parameter,
    Place,
)
from ordu.protocol.operations.stats import (
    get_image_horde_stats_models,
    get_image_horde_stats_totals,
    get_text_horde_stats_models,
    get_text_horde_stats_totals,
)
from ordu.protocol.operations.status import (
    get_heartbeat,
    get_horde_history,
    get_horde_load,
    get_horde_modes,
    get_horde_news,
    get_model_single,
    get_models,
    put_horde_modes,
)
from ordu.protocol.operations.webhooks import (
    get_webhook_deliveries,
    get_webhook_delivery,
    get_webhook_secret,
    post_webhook_replay,
    post_webhook_secret,
)
from ordu.protocol.operations.workers import (
    delete_worker_single,
    get_worker_explain,
    get_worker_single,
    get_worker_single_name,
    get_workers,
    put_worker_single,
)

TABLE: tuple[Operation, ...] = (
    # the 21 of October 2022
    post_async_generate,
    post_sync_generate,
    get_async_check,
    get_async_status,
    delete_async_status,
    post_job_pop,
    post_job_submit,
    get_users,
    get_user_single,
    put_user_single,
    get_find_user,
    get_workers,
    get_worker_single,
    put_worker_single,
    delete_worker_single,
    post_transfer_kudos,
    get_horde_modes,
    put_horde_modes,
    get_horde_load,
    get_models,
    get_horde_news,
    # came later to the public servers
    get_heartbeat,
    delete_user_single,
    get_worker_single_name,
    get_model_single,
    post_award_kudos,
    get_image_horde_stats_totals,
    get_image_horde_stats_models,
    get_text_horde_stats_totals,
    get_text_horde_stats_models,
    get_docs_terms,
    get_docs_privacy,
    get_docs_sponsors,
    # our own
    get_async_explain,
    get_worker_explain,
    get_async_events,
    get_horde_history,
    post_register,
    get_webhook_deliveries,
    get_webhook_delivery,
    post_webhook_replay,
    get_webhook_secret,
    post_webhook_secret,
    put_picture,
    get_picture,
    get_livez,
    get_readyz,
    get_metrics,
)

BY_NAME: Mapping[str, Operation] = {operation.name: operation for operation in TABLE}

__all__ = [
    "BY_NAME",
    "TABLE",
    "Counts",
    "Era",
    "Key",
    "Limit",
    "Nulls",
    "Operation",
    "Parameter",
    "Place",
    "delete_async_status",
    "delete_user_single",
    "delete_worker_single",
    "get_async_check",
    "get_async_events",
    "get_async_explain",
    "get_async_status",
    "get_docs_privacy",
    "get_docs_sponsors",
    "get_docs_terms",
    "get_find_user",
    "get_heartbeat",
    "get_horde_history",
    "get_horde_load",
    "get_horde_modes",
    "get_horde_news",
    "get_image_horde_stats_models",
    "get_image_horde_stats_totals",
    "get_livez",
    "get_metrics",
    "get_model_single",
    "get_models",
    "get_picture",
    "get_readyz",
    "get_text_horde_stats_models",
    "get_text_horde_stats_totals",
    "get_user_single",
    "get_users",
    "get_webhook_deliveries",
    "get_webhook_delivery",
    "get_webhook_secret",
    "get_worker_explain",
    "get_worker_single",
    "get_worker_single_name",
    "get_workers",
    "post_async_generate",
    "post_award_kudos",
    "post_job_pop",
    "post_job_submit",
    "post_register",
    "post_sync_generate",
    "post_transfer_kudos",
    "post_webhook_replay",
    "post_webhook_secret",
    "put_horde_modes",
    "put_picture",
    "put_user_single",
    "put_worker_single",
]
