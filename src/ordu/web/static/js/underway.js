// Requests that are not done yet: their place, their machines, their pictures as they come.

/** Make this part of the page live. */
export function startUnderway() {}
