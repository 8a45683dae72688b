"""What can go wrong with a provider: it is not there, or what it says is not accepted."""


class ProviderDownError(Exception):
    """A provider does not answer, or not as a provider does; the words are for the operator."""


class NotAcceptedError(Exception):
    """What a provider said of somebody is not accepted; the words are for the operator."""
