"""Operations of today that this horde does not serve yet: each is answered with 501 and a reason.

A program that asks for one learns that it found a horde which cannot do this, and what it can do
in its stead; with 404 it would learn nothing. An operation that is served moves from here to the
table. The rows have neither types nor a handler, and the API documents do not list them.
"""

from collections.abc import Sequence

from ordu.protocol.operations.row import Era, Operation


def not_yet(instead: str, operations: str) -> Sequence[Operation]:
    """Rows from lines of `name METHOD /path`; `instead` says what is served in their stead."""
    rows = [line.split() for line in operations.strip().splitlines()]
    return [
        Operation(
            name=name,
            method=method,
            path=f"/api/v2{path}",
            summary=f"{name} is not served by this horde yet. {instead}",
            rcs=("NotImplemented",),
            era=Era.TODAY,
        )
        for name, method, path in rows
    ]


LATER: tuple[Operation, ...] = (
    *not_yet(
        "It keeps no ratings; pictures are fetched with GET /api/v2/generate/status/{id}.",
        "post_aesthetics POST /generate/rate/{id}",
    ),
    *not_yet(
        "It makes pictures and no texts: see POST /api/v2/generate/async.",
        """
        post_text_async_generate POST /generate/text/async
        get_text_async_status GET /generate/text/status/{id}
        delete_text_async_status DELETE /generate/text/status/{id}
        post_text_job_pop POST /generate/text/pop
        post_text_job_submit POST /generate/text/submit
        """,
    ),
    *not_yet(
        "It makes pictures and does not examine or improve any: see POST /api/v2/generate/async.",
        """
        post_interrogate POST /interrogate/async
        get_interrogation_status GET /interrogate/status/{id}
        delete_interrogation_status DELETE /interrogate/status/{id}
        post_interrogate_pop POST /interrogate/pop
        post_interrogate_submit POST /interrogate/submit
        """,
    ),
    *not_yet(
        "Every key belongs to one account: make one at /register.",
        """
        put_shared_key PUT /sharedkeys
        get_shared_key_single GET /sharedkeys/{sharedkey_id}
        patch_shared_key_single PATCH /sharedkeys/{sharedkey_id}
        delete_shared_key_single DELETE /sharedkeys/{sharedkey_id}
        """,
    ),
    *not_yet(
        "A worker is told something by `maintenance_msg` in PUT /api/v2/workers/{worker_id}.",
        """
        get_worker_messages GET /workers/messages
        post_worker_messages POST /workers/messages
        get_single_worker_message GET /workers/messages/{message_id}
        delete_single_worker_message DELETE /workers/messages/{message_id}
        """,
    ),
    *not_yet(
        "It has no teams; workers are listed by GET /api/v2/workers.",
        """
        get_teams GET /teams
        post_teams POST /teams
        get_team_single GET /teams/{team_id}
        patch_team_single PATCH /teams/{team_id}
        delete_team_single DELETE /teams/{team_id}
        """,
    ),
    *not_yet(
        "It blocks no addresses by hand; a worker is paused with PUT /api/v2/workers/{worker_id}.",
        """
        get_operations_ip GET /operations/ipaddr
        post_operations_ip POST /operations/ipaddr
        delete_operations_ip DELETE /operations/ipaddr
        get_operations_ip_single GET /operations/ipaddr/{ipaddr}
        put_operations_block_worker_ip PUT /operations/block_worker_ipaddr/{worker_id}
        delete_operations_block_worker_ip DELETE /operations/block_worker_ipaddr/{worker_id}
        """,
    ),
    *not_yet(
        "Its words are in its settings; a worker refuses words by `blacklist` in its pop.",
        """
        get_filters GET /filters
        put_filters PUT /filters
        post_filters POST /filters
        get_filter_regex GET /filters/regex
        get_filter_single GET /filters/{filter_id}
        patch_filter_single PATCH /filters/{filter_id}
        delete_filter_single DELETE /filters/{filter_id}
        """,
    ),
    # The public servers call the text style by name get_single_image_style_by_name as well.
    *not_yet(
        "It keeps no styles: write the whole prompt and its params to POST /api/v2/generate/async.",
        """
        get_image_style GET /styles/image
        post_image_style POST /styles/image
        get_single_image_style GET /styles/image/{style_id}
        patch_single_image_style PATCH /styles/image/{style_id}
        delete_single_image_style DELETE /styles/image/{style_id}
        get_single_image_style_by_name GET /styles/image_by_name/{style_name}
        post_image_style_example POST /styles/image/{style_id}/example
        patch_single_image_style_example PATCH /styles/image/{style_id}/example/{example_id}
        delete_single_image_style_example DELETE /styles/image/{style_id}/example/{example_id}
        get_text_style GET /styles/text
        post_text_style POST /styles/text
        get_single_text_style GET /styles/text/{style_id}
        patch_single_text_style PATCH /styles/text/{style_id}
        delete_single_text_style DELETE /styles/text/{style_id}
        get_single_text_style_by_name GET /styles/text_by_name/{style_name}
        get_collection GET /collections
        post_collection POST /collections
        get_single_collection GET /collections/{collection_id}
        patch_single_collection PATCH /collections/{collection_id}
        delete_single_collection DELETE /collections/{collection_id}
        get_single_collection_by_name GET /collection_by_name/{collection_name}
        """,
    ),
)
