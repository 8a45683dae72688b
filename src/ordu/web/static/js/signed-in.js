// Signed in by a provider: keep the key that this page has for the browser, and go on.
import { $ } from "./dom.js";
import { keepBrowsersKey } from "./session.js";

const handed = $("#handed");
const { key } = handed.dataset;
delete handed.dataset.key;
await keepBrowsersKey(key);
location.replace(handed.href); // this page is not to be gone back to
