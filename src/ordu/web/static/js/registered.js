// The page after a name was taken: the key is copied, and kept in this browser when its owner says so.
import { $, busy, copies, explained } from "./dom.js";
import { say } from "./say.js";
import { signIn } from "./session.js";

const key = $("#key-note code").textContent;

$("#keeping").hidden = false;
$("#select-hint").hidden = true;
copies($("#copy-key"), key);
$("#keeping").addEventListener("submit", (event) => {
  event.preventDefault();
  const forever = $("#stay").checked;
  $("#keeping-problem").replaceChildren();
  busy(event.submitter ?? $("#keeping .main"), say("registered.kept"), async () => {
    await signIn(key, forever);
    $("#key-note").hidden = true;
    $("#signed-in-words").textContent = say(forever ? "registered.signed-in" : "registered.signed-in-here");
    $("#signed-in").hidden = false;
    $("#signed-in").focus();
  }, (problem) => $("#keeping-problem").replaceChildren(explained(problem)));
});
