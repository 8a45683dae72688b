// Looking again and again, calmly, while somebody looks at the page.
const AFTER_PROBLEM_S = 15;

/** Call `look` now and whenever the seconds that it returns are over, but never while the page is hidden. A Problem goes to `tell`. */
export function whileSeen(look, tell) {
  let timer = null;
  let isLooking = false;
  let isWanted = false; // once more, as soon as this look is over

  async function round() {
    clearTimeout(timer);
    if (document.hidden) return;
    if (isLooking) {
      isWanted = true;
      return;
    }
    isLooking = true;
    isWanted = false;
    let waitS;
    try {
      waitS = await look();
    } catch (problem) {
      if (problem.name !== "Problem") throw problem;
      tell(problem);
      waitS = problem.retryAfterS ?? AFTER_PROBLEM_S;
    } finally {
      isLooking = false;
    }
    if (isWanted) await round();
    else if (waitS !== null && !document.hidden) timer = setTimeout(round, waitS * 1000);
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : round()));
  return round;
}
