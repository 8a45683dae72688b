# Written by hand. scripts/sync_client.py derives _sync_sign_ins.py from it.
"""The operations about signing in by a provider as methods (Ordu's servers only)."""

from ordu.client._async_line import AsyncLine
from ordu.client.wire import Fields
from ordu.protocol import operations
from ordu.protocol.sign_ins import IdentityBegun, IdentityInput, SignInMessage, UserIdentities


class AsyncSignInOperations:
    """What can be asked about how one signs in, over one line to a horde."""

    _line: AsyncLine

    async def get_user_identities(
        self, user_id: str | int, apikey: str | None = None, x_fields: str | None = None
    ) -> UserIdentities:
        """By which providers you can sign in; nobody else can see it.

        Example:
            mine = await horde.get_user_identities(1)
            print([each.name for each in mine.identities], mine.has_key)
        """
        return await self._line.call(
            operations.get_user_identities,
            UserIdentities,
            apikey=apikey,
            x_fields=x_fields,
            ids={"user_id": user_id},
        )

    async def post_user_identity(
        self,
        user_id: str | int,
        payload: IdentityInput | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
    ) -> IdentityBegun:
        """Begin to sign in by a provider from now on; for pages, as only a browser can finish it.

        Example:
            begun = await horde.post_user_identity(1, {"provider": "company"})
            print("Say who you are at", begun.url)
        """
        return await self._line.call(
            operations.post_user_identity,
            IdentityBegun,
            payload=payload,
            apikey=apikey,
            x_fields=x_fields,
            ids={"user_id": user_id},
        )

    async def delete_user_identity(
        self,
        user_id: str | int,
        identity_id: str,
        apikey: str | None = None,
        x_fields: str | None = None,
    ) -> SignInMessage:
        """Sign in by a provider no more; the last way into an account stays.

        Example:
            for each in (await horde.get_user_identities(1)).identities:
                await horde.delete_user_identity(1, each.id)
        """
        return await self._line.call(
            operations.delete_user_identity,
            SignInMessage,
            apikey=apikey,
            x_fields=x_fields,
            ids={"user_id": user_id, "identity_id": identity_id},
        )

    async def delete_sign_in(
        self, apikey: str | None = None, x_fields: str | None = None
    ) -> SignInMessage:
        """Sign out: the key of a browser, which came of signing in by a provider, ends.

        Example:
            await horde.delete_sign_in(browser_key)
        """
        return await self._line.call(
            operations.delete_sign_in, SignInMessage, apikey=apikey, x_fields=x_fields
        )
