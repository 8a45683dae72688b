"""Every `rc` the horde can answer with, and `Refused`, the one exception for a "no".

An `rc` is the machine-readable reason in an error body (`{"message", "rc"}`). The table below says
which status it travels with unless the place that refuses knows better, and to which family it
belongs: a family is what a program reacts to (wait, ask for less, ask somebody), and the client
has one exception class for each.
"""

from collections.abc import Mapping
from enum import StrEnum


class Family(StrEnum):
    """What kind of "no" an `rc` is; the client raises one exception class for each."""

    BAD_INPUT = "bad input"  # the caller must change what it sends
    UNKNOWN_KEY = "unknown key"  # nobody is known by this key
    NOT_ALLOWED = "not allowed"  # the caller is known and may not
    NOT_FOUND = "not found"  # the thing named does not exist, or no longer
    TOO_MUCH = "too much"  # the same call may be let through later
    KUDOS = "kudos"  # a matter of kudos
    CLOSED = "closed"  # the horde cannot serve this now
    NOT_IMPLEMENTED = "not implemented"  # this horde does not do that (yet)
    BROKEN = "broken"  # our fault


# After how many seconds a call is worth another try, where nobody can know; and where one guesses.
RETRY_AFTER_S = 5
RETRY_AFTER_OF = {"MaintenanceMode": 60, "NoValidWorkers": 30}


class Refused(Exception):  # noqa: N818 - it is a "no", not an error
    """An expected "no": raised where it is decided, turned into status and body in one place.

    `message` tells a person what to do next and carries the numbers. `errors` maps dotted fields of
    the body to what is wrong with each. `retry_after_s` becomes the header of that name; a status
    that says "later" (429 and 503) always has one.
    """

    def __init__(
        self,
        rc: str,
        message: str,
        status: int | None = None,
        *,
        errors: Mapping[str, str] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.rc = rc
        self.message = message
        self.status = STATUS[rc] if status is None else status
        self.errors = dict(errors) if errors else None
        if retry_after_s is None and self.status in {429, 503}:
            retry_after_s = RETRY_AFTER_OF.get(rc, RETRY_AFTER_S)
        self.retry_after_s = retry_after_s


# rc -> (status, family). Names are those of the public servers (protocol sheet 01 §11), so that
# programs which read them work unchanged: a dot at the end, a blank and a misspelling stay. The
# table also has codes that only other servers send, because the client reads those too. The last
# block is Ordu's own. DuplicateGen and AbortedGen go out as 404 to workers of 2022, which repeat a
# 400 for ever.
RC: Mapping[str, tuple[int, Family]] = {
    # Anything.
    "BadRequest": (400, Family.BAD_INPUT),
    "Forbidden": (403, Family.NOT_ALLOWED),
    "Locked": (423, Family.TOO_MUCH),
    "NulByteInPayload": (400, Family.BAD_INPUT),
    # Who is calling, and what they may.
    "InvalidAPIKey": (401, Family.UNKNOWN_KEY),
    "WrongCredentials": (403, Family.NOT_ALLOWED),
    "NotAdmin": (403, Family.NOT_ALLOWED),
    "NotModerator": (403, Family.NOT_ALLOWED),
    "NotOwner": (403, Family.NOT_ALLOWED),
    "NotPrivileged": (403, Family.NOT_ALLOWED),
    "NotAllowedAwards": (403, Family.NOT_ALLOWED),
    "NotTrusted": (403, Family.NOT_ALLOWED),
    "NotUserOrMod": (403, Family.NOT_ALLOWED),
    "AnonForbidden": (403, Family.NOT_ALLOWED),
    "AnonForbiddenWorker": (403, Family.NOT_ALLOWED),
    "AnonForbiddenUser": (403, Family.NOT_ALLOWED),
    "AnonForbiddenUserMod": (403, Family.NOT_ALLOWED),
    "NonServiceForbidden": (403, Family.NOT_ALLOWED),
    "OnlyServiceAccountProxy": (400, Family.NOT_ALLOWED),
    "RequiresTrust": (400, Family.NOT_ALLOWED),
    "DeletedUser": (403, Family.NOT_ALLOWED),
    "TimeoutIP": (403, Family.TOO_MUCH),
    "UnsafeIP": (403, Family.NOT_ALLOWED),
    "UntrustedUnsafeIP": (403, Family.NOT_ALLOWED),
    "TooManyNewIPs": (403, Family.TOO_MUCH),
    "BadClientAgent": (400, Family.BAD_INPUT),
    "BannedClientAgent": (403, Family.NOT_ALLOWED),
    # Requests.
    "MissingPrompt": (400, Family.BAD_INPUT),
    "CorruptPrompt": (400, Family.BAD_INPUT),
    "InvalidPromptSize": (400, Family.BAD_INPUT),
    "InvalidSize": (400, Family.BAD_INPUT),
    "TooManySteps": (400, Family.BAD_INPUT),
    "UnsupportedSampler": (400, Family.BAD_INPUT),
    "UnsupportedModel": (400, Family.BAD_INPUT),
    "UnexpectedModelName": (400, Family.BAD_INPUT),
    "NoValidActions": (400, Family.BAD_INPUT),
    "TooManyPrompts": (429, Family.TOO_MUCH),
    "MaintenanceMode": (503, Family.CLOSED),
    "NoValidWorkers": (503, Family.CLOSED),
    "RequestNotFound": (404, Family.NOT_FOUND),
    "RequestExpired": (410, Family.NOT_FOUND),
    "BadCFGDecimals": (400, Family.BAD_INPUT),
    "BadCFGNumber": (400, Family.BAD_INPUT),
    "HiResMismatch": (400, Family.BAD_INPUT),
    "HiResFixMismatch": (400, Family.BAD_INPUT),
    "TilingMismatch": (400, Family.BAD_INPUT),
    "Img2ImgMismatch": (400, Family.BAD_INPUT),
    "TooManyUpscalers": (400, Family.BAD_INPUT),
    "TooManyLoras": (400, Family.BAD_INPUT),
    "BadLoraVersion": (400, Family.BAD_INPUT),
    "TooManyTIs": (400, Family.BAD_INPUT),
    "InvalidTransparencyModel": (400, Family.BAD_INPUT),
    "InvalidTransparencyImg2Img": (400, Family.BAD_INPUT),
    "InvalidTransparencyCN": (400, Family.BAD_INPUT),
    "InvalidRemix": (400, Family.BAD_INPUT),
    "InvalidRemixModel": (400, Family.BAD_INPUT),
    "ControlNetUnsupported": (400, Family.BAD_INPUT),
    "ControlNetSourceMissing": (400, Family.BAD_INPUT),
    "ControlNetInvalidPayload": (400, Family.BAD_INPUT),
    "ControlNetInpaintingMismatch": (400, Family.BAD_INPUT),
    "ControlNetMismatch": (400, Family.BAD_INPUT),
    "ControlNetMismatch.": (400, Family.BAD_INPUT),
    "InvalidExtraTexts": (400, Family.BAD_INPUT),
    "InvalidExtraTexts.": (400, Family.BAD_INPUT),
    "MissingExtraTexts": (400, Family.BAD_INPUT),
    "MissingExtraTexts.": (400, Family.BAD_INPUT),
    "SpecialMissingUsername": (400, Family.BAD_INPUT),
    "SpecialMissingPayload": (400, Family.BAD_INPUT),
    "SpecialFieldNeedsSpecialUser": (400, Family.NOT_ALLOWED),
    "SpecialModelNeedsSpecialUser": (403, Family.NOT_ALLOWED),
    "SpecialForbidden": (403, Family.NOT_ALLOWED),
    "BetaAnonForbidden": (403, Family.NOT_ALLOWED),
    "BetaComparisonFault": (400, Family.BAD_INPUT),
    # Source images.
    "ImageValidationFailed": (400, Family.BAD_INPUT),
    "SourceImageResolutionExceeded": (400, Family.BAD_INPUT),
    "SourceImageSizeExceeded": (400, Family.BAD_INPUT),
    "SourceImageUrlInvalid": (400, Family.BAD_INPUT),
    "SourceImageUnreadable": (400, Family.BAD_INPUT),
    "SourceImageRequiredForModel": (400, Family.BAD_INPUT),
    "SourceMaskUnnecessary": (400, Family.BAD_INPUT),
    "InpaintingMissingMask": (400, Family.BAD_INPUT),
    "InvalidExtraSourceImages": (400, Family.BAD_INPUT),
    "InvalidExtraSourceImages.": (400, Family.BAD_INPUT),
    "TooManyExtraSourceImages": (400, Family.BAD_INPUT),
    "TooManyExtraSourceImages.": (400, Family.BAD_INPUT),
    "MoreThanMinExtraSourceImage": (400, Family.NOT_ALLOWED),
    "MoreThanMinExtraSourceImage.": (400, Family.NOT_ALLOWED),
    # Texts.
    "TokenOverflow": (400, Family.BAD_INPUT),
    "MissingFullSamplerOrder": (400, Family.BAD_INPUT),
    "TooManyStopSequences": (400, Family.BAD_INPUT),
    "ExcessiveStopSequence": (400, Family.BAD_INPUT),
    # Workers and jobs.
    "WorkerNotFound": (404, Family.NOT_FOUND),
    "WorkerMaintenance": (403, Family.NOT_ALLOWED),
    "WorkerFlaggedMaintenance": (403, Family.NOT_ALLOWED),
    "WorkerInviteOnly": (403, Family.NOT_ALLOWED),
    "TooManyWorkers": (403, Family.NOT_ALLOWED),
    "TooManyWorkersTrusted": (403, Family.NOT_ALLOWED),
    "TooManySameIPs": (403, Family.NOT_ALLOWED),
    "PolymorphicNameConflict": (400, Family.BAD_INPUT),
    "InvalidPriorityUsername": (400, Family.BAD_INPUT),
    "NoWorkerModSelected": (400, Family.BAD_INPUT),
    "InvalidJobID": (404, Family.NOT_FOUND),
    "DuplicateGen": (400, Family.NOT_FOUND),
    "AbortedGen": (400, Family.NOT_FOUND),
    "MessagesOnlyOwnWorkers": (403, Family.NOT_ALLOWED),
    "WorkermessageNotFound": (404, Family.NOT_FOUND),
    # Names and notes.
    "Profanity": (400, Family.BAD_INPUT),
    "ProfaneWorkerName": (400, Family.BAD_INPUT),
    "ProfaneBridgeAgent": (400, Family.BAD_INPUT),
    "ProfaneWorkerInfo": (400, Family.BAD_INPUT),
    "ProfaneUserName": (400, Family.BAD_INPUT),
    "ProfaneUserContact": (400, Family.BAD_INPUT),
    "ProfaneAdminComment": (400, Family.BAD_INPUT),
    "ProfaneTeamName": (400, Family.BAD_INPUT),
    "ProfaneTeamInfo": (400, Family.BAD_INPUT),
    "TooLong": (400, Family.BAD_INPUT),
    "TooLongWorkerName": (400, Family.BAD_INPUT),
    "TooLongUserName": (400, Family.BAD_INPUT),
    "NameAlreadyExists": (400, Family.BAD_INPUT),
    "WorkerNameAlreadyExists": (400, Family.BAD_INPUT),
    "TeamNameAlreadyExists": (400, Family.BAD_INPUT),
    # Users, modes, teams, filters.
    "UserNotFound": (404, Family.NOT_FOUND),
    "UserNotDeleted": (400, Family.BAD_INPUT),
    "CannotDeleteMod": (403, Family.NOT_ALLOWED),
    "CannotWipeActiveUser": (403, Family.NOT_ALLOWED),
    "NoUserModSelected": (400, Family.BAD_INPUT),
    "NoHordeModSelected": (400, Family.BAD_INPUT),
    "NoTeamModSelected": (400, Family.BAD_INPUT),
    "NoFilterModSelected": (400, Family.BAD_INPUT),
    "NoSharedKeyModSelected": (400, Family.BAD_INPUT),
    "TeamNotFound": (404, Family.NOT_FOUND),
    "UntrustedTeamCreation": (403, Family.NOT_ALLOWED),
    "FilterNotFound": (404, Family.NOT_FOUND),
    # Kudos.
    "KudosValidationError": (400, Family.KUDOS),
    "KudosUpfront": (403, Family.KUDOS),
    "KudosTransferFromAnon": (400, Family.KUDOS),
    "KudosTransferToAnon": (400, Family.KUDOS),
    "KudosTransferToSelf": (400, Family.KUDOS),
    "KudosTransferNotEnough": (400, Family.KUDOS),
    "NegativeKudosTransfer": (400, Family.KUDOS),
    "InvalidKudosTransferAmount": (400, Family.KUDOS),
    "InvalidTargetUsername": (400, Family.KUDOS),
    "TooFastKudosTransfers": (400, Family.KUDOS),
    "FaultWhenKudosSending": (400, Family.KUDOS),
    "FaultWhenKudosReceiving": (400, Family.KUDOS),
    "SourceAccountFlagged": (400, Family.KUDOS),
    "TargetAccountFlagged": (400, Family.KUDOS),
    "EducationCannotSendKudos": (400, Family.KUDOS),
    "InvalidAwardUsername": (400, Family.KUDOS),
    "KudosAwardToAnon": (400, Family.KUDOS),
    "IdempotencyKeyConflict": (400, Family.BAD_INPUT),
    # Shared keys, styles, collections.
    "SharedKeyEmpty": (403, Family.KUDOS),
    "SharedKeyInsufficientKudos": (403, Family.KUDOS),
    "SharedKeyExpired": (403, Family.NOT_ALLOWED),
    "SharedKeyAssignedStyles": (403, Family.NOT_ALLOWED),
    "SharedKeyInvalid": (400, Family.BAD_INPUT),
    "StylesRequiresCustomizer": (403, Family.NOT_ALLOWED),
    "StylesAnonForbidden": (403, Family.NOT_ALLOWED),
    "StyleMismatch": (400, Family.BAD_INPUT),
    "StyleGetMistmatch": (400, Family.BAD_INPUT),
    "StylePromptMissingVars": (400, Family.BAD_INPUT),
    "TooManyStyleExamples": (403, Family.NOT_ALLOWED),
    "ExampleURLAlreadyInUse": (400, Family.BAD_INPUT),
    "StyleNotFound": (404, Family.NOT_FOUND),
    "CollectionNotFound": (404, Family.NOT_FOUND),
    "Image styleNotFound": (404, Family.NOT_FOUND),
    "Text styleNotFound": (404, Family.NOT_FOUND),
    "Style exampleNotFound": (404, Family.NOT_FOUND),
    # Ratings.
    "ProcGenNotFound": (400, Family.NOT_FOUND),
    "InvalidAestheticAttempt": (400, Family.BAD_INPUT),
    "AestheticsNotCompleted": (400, Family.BAD_INPUT),
    "AestheticsNotPublic": (400, Family.BAD_INPUT),
    "AestheticsDuplicate": (400, Family.BAD_INPUT),
    "AestheticsMissing": (400, Family.BAD_INPUT),
    "AestheticsSolo": (400, Family.BAD_INPUT),
    "AestheticsConfused": (400, Family.BAD_INPUT),
    "AestheticsAlreadyExist": (400, Family.BAD_INPUT),
    "AestheticsServerRejected": (400, Family.BAD_INPUT),
    "AestheticsServerError": (400, Family.CLOSED),
    "AestheticsServerDown": (400, Family.CLOSED),
    "AestheticsServerTimeout": (400, Family.CLOSED),
    # Ordu's own.
    "ValidationFailed": (400, Family.BAD_INPUT),
    "MalformedBody": (400, Family.BAD_INPUT),
    "BadParameter": (400, Family.BAD_INPUT),
    "BadMask": (400, Family.BAD_INPUT),
    "BadPicture": (400, Family.BAD_INPUT),
    "BodyTooLarge": (413, Family.BAD_INPUT),
    "NotFound": (404, Family.NOT_FOUND),
    "MethodNotAllowed": (405, Family.BAD_INPUT),
    "PictureNotFound": (404, Family.NOT_FOUND),
    "DeliveryNotFound": (404, Family.NOT_FOUND),
    "NewsNotFound": (404, Family.NOT_FOUND),
    "NoNewsModSelected": (400, Family.BAD_INPUT),
    "BadSignature": (403, Family.NOT_ALLOWED),
    "AnonymousOff": (403, Family.NOT_ALLOWED),
    "RegistrationClosed": (403, Family.CLOSED),
    "WorkNeeded": (403, Family.NOT_ALLOWED),
    "WorkNotAccepted": (400, Family.BAD_INPUT),
    "ProviderNotFound": (404, Family.NOT_FOUND),
    "ProviderUnavailable": (503, Family.CLOSED),
    "AlreadyLinked": (400, Family.BAD_INPUT),
    "IdentityNotFound": (404, Family.NOT_FOUND),
    "LastWayIn": (403, Family.NOT_ALLOWED),
    "RateLimited": (429, Family.TOO_MUCH),
    "TooManyWaiters": (429, Family.TOO_MUCH),
    "NotImplemented": (501, Family.NOT_IMPLEMENTED),
    "InternalError": (500, Family.BROKEN),
    "Unavailable": (503, Family.CLOSED),
}

STATUS: Mapping[str, int] = {rc: status for rc, (status, _) in RC.items()}
