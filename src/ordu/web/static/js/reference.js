// The page of the API: finding an operation, examples in one's language, trying a call.
import { prepareExamples } from "./reference/examples.js";
import { prepareFilter } from "./reference/filter.js";
import { prepareTrying } from "./reference/trying.js";

prepareFilter();
prepareExamples();
prepareTrying();
