// The composer: what is asked for, what it costs, and sending it.

/** Make this part of the page live. */
export function startComposer() {}
