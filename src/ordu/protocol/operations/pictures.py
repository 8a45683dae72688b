"""`/pictures`: finished pictures in and out by the server's own links, when there is no S3."""

from ordu.protocol.operations.row import Era, Operation, in_path, in_query

_NAME = in_path("name", "The picture: the UUID of its job and an ending")
_SIGNATURE = (
    in_query("expires", "Until when the link is good, in seconds since 1970", int, required=True),
    in_query("signature", "The proof that the server made the link", required=True),
)

put_picture = Operation(
    name="put_picture",
    method="PUT",
    path="/pictures/{name}",
    summary="Upload the picture of a job",
    description=(
        "The link comes with the job (`r2_upload`) and is used as it is: it needs no key and no"
        " content type. A picture can be replaced until it is submitted."
    ),
    parameters=(_NAME, *_SIGNATURE),
    status_text="Stored",
    refusals={
        400: "Not a picture",
        403: "Bad or expired link",
        404: "No such job",
        413: "Too large",
        503: "Unavailable",
    },
    era=Era.ORDU,
    consumes="image/*",
    limits=(),  # the link says who may
    rcs=(
        "BadSignature",
        "PictureNotFound",
        "InvalidJobID",
        "DuplicateGen",
        "BadPicture",
        "BodyTooLarge",
        "Unavailable",
    ),
)

get_picture = Operation(
    name="get_picture",
    method="GET",
    path="/pictures/{name}",
    summary="Download a picture",
    description="The link comes with the status of the request, or with a job that starts from it.",
    parameters=(_NAME, *_SIGNATURE),
    status_text="The picture",
    refusals={
        400: "Validation Error",
        403: "Bad or expired link",
        404: "No such picture",
    },
    era=Era.ORDU,
    produces="image/*",
    limits=(),  # the link says who may
    rcs=(
        "BadSignature",
        "PictureNotFound",
    ),
)
